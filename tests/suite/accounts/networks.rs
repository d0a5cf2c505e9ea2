//! Allow-lists of accounts, tenants and keys: every use of what any of them gave asks all of them.

use std::net::IpAddr;
use std::sync::Arc;

use auth_core::NetworkSet;
use auth_core::account::{AccountChange, TenantChange};
use auth_core::credential::Source;
use auth_core::gate::{Decision, Gate};
use auth_core::issue::{AccountError, Actor, Administering, Administration, KeyError, Login, NewKey, Rotation, Tokens};
use auth_core::policy::{PermissionModel, Policy, permission};
use auth_core::{RequestHead, Secret};

use super::service::{PASSWORD, Service, text};

const OFFICE: &str = "192.0.2.7";
const HOME: &str = "198.51.100.8";

fn set(networks: &[&str]) -> Option<Arc<NetworkSet>> {
    NetworkSet::parse(networks.iter().copied()).map(|set| Some(Arc::new(set))).unwrap()
}

fn from(address: &str) -> Option<IpAddr> {
    address.parse().map(Some).unwrap()
}

struct Office {
    service: Service,
    administration: Administration,
    gate: Gate,
    ada: Arc<str>,
}

impl Office {
    async fn new(rotation: Rotation) -> Self {
        let service = Service::new(rotation);
        let ada = service.register("ada@example.com").await;
        let mut administration = Administration::new();
        administration.accounts = Some(service.accounts.clone());
        administration.keys = Some(service.keys.clone());
        administration.permissions = PermissionModel::default().implies("admin", ["read", "write"]);
        let gate = Gate::builder()
            .accept_shared(Source::bearer(), Arc::clone(&service.verifier))
            .accept(Source::header("x-api-key"), service.keys.verifier())
            .policy(Policy::new().get("/", permission("read")))
            .permissions(administration.permissions.clone())
            .revocations(service.revocations.clone())
            .clock(super::service::Shared(Arc::clone(&service.clock)))
            .trusted_proxies(NetworkSet::parse(["10.0.0.1"]).unwrap())
            .build()
            .unwrap();
        Self { service, administration, gate, ada }
    }

    fn acting(&self) -> Administering<'_> {
        self.administration.by(Actor { subject: "root".into(), client: None }, self.service.now())
    }

    async fn tenant(&self) -> Arc<str> {
        self.service.accounts.find(&self.ada).await.unwrap().tenant.clone().unwrap()
    }

    async fn log_in(&self, source: &str) -> Result<Tokens, AccountError> {
        let mut login = Login::new("ada@example.com", Secret::from(PASSWORD));
        login.source = from(source);
        self.service.accounts.log_in(login, self.service.now()).await
    }

    /// What is answered to a request from there, by way of the proxy.
    async fn ask(&self, field: (&str, &str), client: &str) -> u16 {
        self.ask_by("10.0.0.1", field, client).await
    }

    async fn ask_by(&self, peer: &str, field: (&str, &str), client: &str) -> u16 {
        let headers = [field, ("x-forwarded-for", client)];
        let mut head = RequestHead::new("GET", "/", &headers);
        head.peer = from(peer);
        match self.gate.decide(&head, self.service.now()).resolve().await {
            Decision::Admit(_) => 200,
            Decision::Refuse(refusal) => refusal.reply.status,
        }
    }

    async fn bears(&self, tokens: &Tokens, client: &str) -> u16 {
        let bearer = format!("Bearer {}", text(Some(&tokens.access.token)));
        self.ask(("authorization", &bearer), client).await
    }

    async fn refresh(&self, tokens: &Tokens, client: &str) -> Result<Tokens, AccountError> {
        self.service.accounts.refresh(&text(tokens.refresh.as_ref()), from(client), self.service.now()).await
    }

    /// A key of ada's with these permissions: its id and its text.
    async fn key(&self, permissions: &[&str], networks: &[&str]) -> (Arc<str>, String) {
        let mut wanted = NewKey::new("a key", Arc::clone(&self.ada));
        wanted.permissions = permissions.iter().copied().collect();
        wanted.networks = if networks.is_empty() { None } else { set(networks) };
        let minted = self.acting().create_key(wanted).await.unwrap();
        (Arc::clone(&minted.record.id), text(Some(&minted.key)))
    }

    async fn log_in_with(&self, key: &str, client: &str) -> Result<Tokens, AccountError> {
        use auth_core::verify::Verifier as _;
        let now = self.service.now();
        let key = self.service.keys.verifier().verify(key, now).resolve().await.unwrap();
        self.service.accounts.log_in_with_key(&key, from(client), now).await
    }
}

#[tokio::test]
async fn m6_the_list_of_an_account_holds_on_every_use() {
    let office = Office::new(Rotation::default()).await;
    let before = office.log_in(HOME).await.unwrap();
    let (_, key) = office.key(&["read"], &[]).await;
    assert_eq!(office.bears(&before, HOME).await, 200);
    office.service.clock.advance(std::time::Duration::from_secs(5));
    office.acting().set_user_networks(&office.ada, set(&["192.0.2.0/24"])).await.unwrap();
    // what was given before, what is given now, and the keys
    assert_eq!(office.bears(&before, HOME).await, 401);
    assert_eq!(office.refresh(&before, HOME).await.unwrap_err(), AccountError::Network);
    assert_eq!(office.log_in(HOME).await.unwrap_err(), AccountError::Network);
    assert_eq!(office.log_in_with(&key, HOME).await.unwrap_err(), AccountError::Network);
    assert_eq!(office.ask(("x-api-key", &key), HOME).await, 403);
    assert_eq!(office.ask(("x-api-key", &key), OFFICE).await, 200);
    // the clock has moved on from the cut of the revocation
    office.service.clock.advance(std::time::Duration::from_secs(3));
    let after = office.refresh(&before, OFFICE).await.unwrap();
    let by_key = office.log_in_with(&key, OFFICE).await.unwrap();
    for tokens in [&after, &by_key, &office.log_in(OFFICE).await.unwrap()] {
        assert_eq!((office.bears(tokens, OFFICE).await, office.bears(tokens, HOME).await), (200, 403));
    }
    // nobody but the proxy says where a request comes from
    let bearer = format!("Bearer {}", text(Some(&after.access.token)));
    assert_eq!(office.ask_by(HOME, ("authorization", &bearer), OFFICE).await, 403);
    assert_eq!(office.ask_by(OFFICE, ("authorization", &bearer), HOME).await, 200);
    let session = office.service.accounts.refresh_session(&after.session, from(HOME), office.service.now()).await;
    assert_eq!(session.unwrap_err(), AccountError::Network);
    office.acting().set_user_networks(&office.ada, None).await.unwrap();
    assert_eq!(office.ask(("x-api-key", &key), HOME).await, 200);
    assert!(office.refresh(&after, HOME).await.is_ok());
}

#[tokio::test]
async fn m6_the_lists_of_account_tenant_and_key_hold_together() {
    let office = Office::new(Rotation::default()).await;
    let tenant = office.tenant().await;
    let (id, key) = office.key(&["read"], &["192.0.2.0/28", "198.51.100.0/24"]).await;
    office.acting().set_tenant_networks(&tenant, set(&["192.0.2.0/24"])).await.unwrap();
    office.acting().set_user_networks(&office.ada, set(&["192.0.2.0/25", "198.51.100.0/24"])).await.unwrap();
    for (client, by_key, by_login) in
        [("192.0.2.7", 200, 200), ("192.0.2.100", 403, 200), ("192.0.2.200", 403, 403), (HOME, 403, 403)]
    {
        assert_eq!(office.ask(("x-api-key", &key), client).await, by_key, "{client}");
        let tokens = office.log_in(OFFICE).await.unwrap();
        assert_eq!(office.bears(&tokens, client).await, by_login, "{client}");
        let tokens = office.log_in_with(&key, OFFICE).await.unwrap();
        assert_eq!(office.bears(&tokens, client).await, by_key, "{client}");
        assert_eq!(office.refresh(&tokens, client).await.is_ok(), by_key == 200, "{client}");
    }
    let rotated = office.service.keys.rotate(&id, std::time::Duration::ZERO, office.service.now()).await.unwrap();
    assert_eq!(office.ask(("x-api-key", &text(Some(&rotated.key))), HOME).await, 403);
    office.acting().set_tenant_networks(&tenant, None).await.unwrap();
    assert_eq!(office.ask(("x-api-key", &text(Some(&rotated.key))), HOME).await, 200);
    assert_eq!(office.acting().key(&rotated.record.id).await.unwrap().networks, rotated.record.networks);
}

#[tokio::test]
async fn a_list_that_no_header_could_carry_is_refused() {
    let office = Office::new(Rotation::default()).await;
    let list = |count: usize| -> Option<Arc<NetworkSet>> {
        let texts: Vec<String> = (0..count).map(|at| format!("2001:db8:{at:x}:ffff:ffff:ffff:ffff:ffff")).collect();
        Some(Arc::new(NetworkSet::parse(texts.iter().map(String::as_str)).unwrap()))
    };
    assert!(office.acting().set_user_networks(&office.ada, list(33)).await.is_err());
    assert!(office.acting().set_tenant_networks(&office.tenant().await, list(33)).await.is_err());
    let mut wanted = NewKey::new("a key", Arc::clone(&office.ada));
    wanted.networks = list(33);
    assert!(matches!(
        office.acting().create_key(wanted).await,
        Err(auth_core::issue::AdministrationError::Key(KeyError::Invalid(_)))
    ));
    office.acting().set_user_networks(&office.ada, list(32)).await.unwrap();
    let tokens = office.log_in("2001:db8:1f:ffff:ffff:ffff:ffff:ffff").await.unwrap();
    assert!(text(Some(&tokens.access.token)).len() < 4 * 1024);
    assert_eq!(office.bears(&tokens, "2001:db8:1f:ffff:ffff:ffff:ffff:ffff").await, 200);
}

#[tokio::test]
async fn a_session_ends_with_the_key_that_opened_it_however_that_ends() {
    for what in ["revoke", "disable", "rotate"] {
        let office = Office::new(Rotation::default()).await;
        let (id, key) = office.key(&["read"], &[]).await;
        let (other, _) = office.key(&["read"], &[]).await;
        let tokens = office.log_in_with(&key, HOME).await.unwrap();
        let person = office.log_in(HOME).await.unwrap();
        office.acting().revoke_key(&other).await.unwrap();
        assert_eq!(office.bears(&tokens, HOME).await, 200);
        match what {
            "revoke" => drop(office.acting().revoke_key(&id).await.unwrap()),
            "disable" => drop(office.acting().disable_key(&id).await.unwrap()),
            _ => drop(office.acting().rotate_key(&id, std::time::Duration::ZERO).await.unwrap()),
        }
        assert_eq!(office.bears(&tokens, HOME).await, 401, "{what}");
        assert!(office.refresh(&tokens, HOME).await.is_err(), "{what}");
        assert_eq!(office.bears(&person, HOME).await, 200, "{what}");
    }
}

#[tokio::test]
async fn what_a_key_loses_its_sessions_lose() {
    let office = Office::new(Rotation::default()).await;
    let (id, key) = office.key(&["read", "write"], &[]).await;
    let tokens = office.log_in_with(&key, HOME).await.unwrap();
    office.service.clock.advance(std::time::Duration::from_secs(5));
    office.acting().set_key_permissions(&id, ["write"].into_iter().collect()).await.unwrap();
    assert_eq!(office.bears(&tokens, HOME).await, 401);
    office.service.clock.advance(std::time::Duration::from_secs(3));
    let next = office.refresh(&tokens, HOME).await.unwrap();
    assert_eq!(office.bears(&next, HOME).await, 403);
}

#[tokio::test]
async fn a_session_of_a_key_keeps_what_its_account_has_by_implication() {
    let office = Office::new(Rotation::default()).await;
    let (_, key) = office.key(&["read"], &[]).await;
    let change = AccountChange::Permissions(["admin"].into_iter().collect());
    office.service.accounts.change(&office.ada, change, office.service.now()).await.unwrap();
    let tokens = office.log_in_with(&key, HOME).await.unwrap();
    assert_eq!(office.bears(&tokens, HOME).await, 200);
    let change = AccountChange::Permissions(["write"].into_iter().collect());
    office.service.accounts.change(&office.ada, change, office.service.now()).await.unwrap();
    let tokens = office.refresh(&tokens, HOME).await.unwrap();
    assert_eq!(office.bears(&tokens, HOME).await, 403);
}

#[tokio::test]
async fn a_key_of_an_owner_who_is_off_is_never_handed_out() {
    let office = Office::new(Rotation::default()).await;
    let store = office.service.accounts.store();
    store.change_tenant(&office.tenant().await, TenantChange::Disable).resolve().await.unwrap();
    let wanted = NewKey::new("a key", Arc::clone(&office.ada));
    assert_eq!(office.service.keys.mint(wanted.clone(), office.service.now()).await.unwrap_err(), KeyError::OwnerOff);
    store.change_tenant(&office.tenant().await, TenantChange::Enable).resolve().await.unwrap();
    // while keys are made by several, their owner is switched off: whatever was handed out is suspended
    let making: Vec<_> = (0..8)
        .map(|_| {
            let (keys, wanted, now) = (office.service.keys.clone(), wanted.clone(), office.service.now());
            tokio::spawn(async move { keys.mint(wanted, now).await })
        })
        .collect();
    office.acting().disable_user(&office.ada).await.unwrap();
    for made in making {
        if let Ok(minted) = made.await.unwrap() {
            let key = office.service.keys.find(&minted.record.id).await.unwrap();
            assert!(key.check(office.service.now().wall).is_err(), "{key:?}");
        }
    }
}
