//! What accounts come to: logins, refreshes and changes together with the gate that takes their tokens.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use auth_core::account::AccountChange;
use auth_core::api_key::{KeyFormat, KeyHasher, Peppers};
use auth_core::gate::{Decision, Gate};
use auth_core::issue::{
    AccessTokenIssuer, AccountError, AccountParts, Accounts, ApiKeys, Login, LoginThrottle, NewAccount, NewKey,
    PasswordCost, PasswordThreads, Passwords, RefreshTokens, Rotation, SigningAlgorithm, SigningKeys, TenantFor,
    ThrottleQuotas, Tokens,
};
use auth_core::opaque::TokenFormat;
use auth_core::policy::{PermissionModel, Policy, authenticated, permission};
use auth_core::revocation::Revocations;
use auth_core::store::{AccountStore, MemoryAccountStore, MemoryKeyStore, MemoryLimitStore};
use auth_core::verify::Verifier;
use auth_core::verify::jwt::JwtVerifier;
use auth_core::{
    Clock as _, CredentialFault, LoginFault, Now, Rejection, RequestHead, Secret, SimulatedClock, Timestamp,
};

const ISSUER: &str = "https://us.example";
pub(super) const PASSWORD: &str = "correct horse battery staple";

/// Accounts, the gate that takes their tokens, and a clock that both live by.
pub(super) struct Service {
    pub(super) accounts: Accounts,
    pub(super) keys: ApiKeys,
    gate: Gate,
    pub(super) verifier: Arc<dyn Verifier>,
    pub(super) revocations: Revocations,
    pub(super) clock: Arc<SimulatedClock>,
}

pub(super) struct Shared(pub(super) Arc<SimulatedClock>);

impl auth_core::Clock for Shared {
    fn now(&self) -> Now {
        self.0.now()
    }
}

impl Service {
    pub(super) fn new(rotation: Rotation) -> Self {
        Self::with(rotation, |_, _| {})
    }

    /// A service of which something is otherwise.
    pub(super) fn with(rotation: Rotation, change: impl FnOnce(&mut AccountParts, &Arc<SimulatedClock>)) -> Self {
        let clock = Arc::new(SimulatedClock::at_unix_seconds(1_800_000_000));
        let keys = SigningKeys::generate(SigningAlgorithm::EdDsa).unwrap();
        let issuer = AccessTokenIssuer::new(ISSUER, "api", Duration::from_hours(1), keys);
        let trusted = issuer.trusted().unwrap();
        let peppers = Peppers::new(KeyHasher::new("a", &Secret::new(vec![7; 32])).unwrap());
        let format = KeyFormat::new("sk", []).unwrap();
        let account_store: Arc<dyn AccountStore> = Arc::new(MemoryAccountStore::new());
        let api_keys = ApiKeys::new(format, peppers.clone(), Arc::new(MemoryKeyStore::new()), ISSUER);
        let api_keys = api_keys.owned_by(Arc::clone(&account_store));
        let cost = PasswordCost::dangerously_weak(8, 1, 1).unwrap();
        let threads = PasswordThreads { queue: NonZeroUsize::new(512).unwrap(), ..PasswordThreads::default() };
        let passwords = Passwords::new(cost, threads).unwrap();
        let revocations = Revocations::new();
        let mut parts = AccountParts::new(account_store, passwords, issuer);
        parts.permissions = PermissionModel::default().implies("admin", ["read", "write"]);
        parts.refresh = Some(RefreshTokens::new(TokenFormat::new("rt").unwrap(), peppers, rotation));
        parts.revocations = Some(revocations.clone());
        parts.keys = Some(api_keys.clone());
        parts.session_idle = Some(Duration::from_hours(24));
        let store = Arc::new(MemoryLimitStore::new());
        parts.throttle =
            Some(LoginThrottle::new(ThrottleQuotas::default(), store, Arc::<SimulatedClock>::clone(&clock)));
        change(&mut parts, &clock);
        let verifier: Arc<dyn Verifier> = Arc::new(JwtVerifier::new([trusted]).unwrap());
        let policy = Policy::new().get("/", authenticated()).get("/write", permission("write"));
        let gate = Gate::builder().build().unwrap();
        let accounts = Accounts::new(parts);
        let mut service = Self { accounts, keys: api_keys, gate, verifier, revocations, clock };
        service.gate = service.gate_with(policy);
        service
    }

    pub(super) fn now(&self) -> Now {
        self.clock.now()
    }

    pub(super) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// A gate of that policy that takes the same tokens.
    pub(super) fn gate_with(&self, policy: Policy) -> Gate {
        Gate::builder()
            .accept_shared(auth_core::credential::Source::bearer(), Arc::clone(&self.verifier))
            .policy(policy)
            .revocations(self.revocations.clone())
            .clock(Shared(Arc::clone(&self.clock)))
            .build()
            .unwrap()
    }

    pub(super) async fn register(&self, email: &str) -> Arc<str> {
        let mut wanted = NewAccount::new();
        wanted.email = Some(email.to_owned());
        wanted.password = Some(Secret::from(PASSWORD));
        wanted.tenant = TenantFor::Own;
        wanted.permissions = ["read", "write"].into_iter().collect();
        Arc::clone(&self.accounts.create(wanted, self.now()).await.unwrap().id)
    }

    pub(super) async fn log_in(&self, email: &str) -> Tokens {
        self.accounts.log_in(Login::new(email, Secret::from(PASSWORD)), self.now()).await.unwrap()
    }

    pub(super) async fn ask(&self, path: &str, tokens: &Tokens) -> u16 {
        let bearer = format!("Bearer {}", tokens.access.token.expose_text().unwrap());
        let headers = [("authorization", bearer.as_str())];
        match self.gate.decide(&RequestHead::new("GET", path, &headers), self.now()).resolve().await {
            Decision::Admit(_) => 200,
            Decision::Refuse(refusal) => refusal.reply.status,
        }
    }
}

pub(super) fn text(secret: Option<&Secret>) -> String {
    secret.and_then(Secret::expose_text).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_session_opens_refreshes_and_ends() {
    let service = Service::new(Rotation::default());
    service.register("ada@example.com").await;
    let first = service.log_in("ADA@Example.com").await;
    assert_eq!((service.ask("/", &first).await, service.ask("/write", &first).await), (200, 200));
    let second = service.accounts.refresh(&text(first.refresh.as_ref()), None, service.now()).await.unwrap();
    assert_eq!(second.session, first.session);
    service.accounts.end_session(&first.session, service.now()).await.unwrap();
    assert_eq!((service.ask("/", &first).await, service.ask("/", &second).await), (401, 401), "S7");
    let refused = service.accounts.refresh(&text(second.refresh.as_ref()), None, service.now()).await.unwrap_err();
    assert_eq!(refused, AccountError::Token(CredentialFault::Revoked));
}

#[tokio::test]
async fn t16_a_hundred_refreshes_of_one_token_are_told_one_successor() {
    let service = Arc::new(Service::new(Rotation::default()));
    service.register("ada@example.com").await;
    let token = text(service.log_in("ada@example.com").await.refresh.as_ref());
    let refreshes = (0..100).map(|_| {
        let (service, token) = (Arc::clone(&service), token.clone());
        tokio::spawn(async move {
            text(service.accounts.refresh(&token, None, service.now()).await.unwrap().refresh.as_ref())
        })
    });
    let mut told = Vec::new();
    for refresh in refreshes.collect::<Vec<_>>() {
        told.push(refresh.await.unwrap());
    }
    told.dedup();
    assert_eq!(told.len(), 1);
    assert!(service.accounts.refresh(&told[0], None, service.now()).await.is_ok());
}

#[tokio::test]
async fn t15_reuse_ends_the_family_and_its_access_tokens() {
    let service = Service::new(Rotation::Rotate { grace: Duration::from_secs(10) });
    service.register("ada@example.com").await;
    let stolen = service.log_in("ada@example.com").await;
    let next = service.accounts.refresh(&text(stolen.refresh.as_ref()), None, service.now()).await.unwrap();
    service.clock.advance(Duration::from_secs(11));
    let reused = service.accounts.refresh(&text(stolen.refresh.as_ref()), None, service.now()).await.unwrap_err();
    assert_eq!(reused, AccountError::Token(CredentialFault::Revoked));
    assert!(service.accounts.refresh(&text(next.refresh.as_ref()), None, service.now()).await.is_err());
    assert_eq!((service.ask("/", &stolen).await, service.ask("/", &next).await), (401, 401));
}

#[tokio::test]
async fn t17_no_refresh_moves_the_absolute_end_and_an_access_token_does_not_outlive_it() {
    let service = Service::new(Rotation::default());
    service.register("ada@example.com").await;
    let mut tokens = service.log_in("ada@example.com").await;
    let begun = service.now().wall;
    let ends = begun.saturating_add(Duration::from_hours(30 * 24));
    while service.now().wall.saturating_add(Duration::from_hours(20)) < ends {
        service.clock.advance(Duration::from_hours(20));
        tokens = service.accounts.refresh(&text(tokens.refresh.as_ref()), None, service.now()).await.unwrap();
    }
    let left = ends.unix_micros() - service.now().wall.unix_micros();
    service.clock.advance(Duration::from_micros(u64::try_from(left).unwrap()).saturating_sub(Duration::from_mins(10)));
    tokens = service.accounts.refresh(&text(tokens.refresh.as_ref()), None, service.now()).await.unwrap();
    assert!(tokens.access.expires <= ends, "{:?}", tokens.access.expires);
    service.clock.advance(Duration::from_mins(10));
    let over = service.accounts.refresh(&text(tokens.refresh.as_ref()), None, service.now()).await.unwrap_err();
    assert_eq!(over, AccountError::Token(CredentialFault::Expired));
}

#[tokio::test]
async fn a_reusable_token_stays_and_ends_with_the_password() {
    let service = Service::new(Rotation::Reuse);
    let id = service.register("ada@example.com").await;
    let tokens = service.log_in("ada@example.com").await;
    let token = text(tokens.refresh.as_ref());
    for _ in 0..3 {
        service.clock.advance(Duration::from_hours(2));
        assert!(service.accounts.refresh(&token, None, service.now()).await.unwrap().refresh.is_none());
    }
    service.accounts.reset_password(&id, Secret::from("another good password"), service.now()).await.unwrap();
    let refused = service.accounts.refresh(&token, None, service.now()).await.unwrap_err();
    assert_eq!(refused, AccountError::Token(CredentialFault::Revoked));
    let fresh =
        service.accounts.log_in(Login::new("ada@example.com", Secret::from("another good password")), service.now());
    assert_eq!(service.ask("/", &fresh.await.unwrap()).await, 200, "who logs in within the same second is not ended");
}

#[tokio::test]
async fn s4_what_is_wrong_with_a_login_is_not_told() {
    let service = Service::new(Rotation::default());
    let id = service.register("ada@example.com").await;
    let log_in = async |name: &str, password: &str| {
        service.accounts.log_in(Login::new(name, Secret::from(password)), service.now()).await.unwrap_err()
    };
    let wrong = AccountError::Login(LoginFault::Credentials);
    assert_eq!(log_in("nobody@example.com", PASSWORD).await, wrong);
    assert_eq!(log_in("ada@example.com", "wrong").await, wrong);
    assert_eq!(log_in("\u{0}", PASSWORD).await, wrong);
    service.accounts.change(&id, AccountChange::Disable, service.now()).await.unwrap();
    assert_eq!(log_in("ada@example.com", PASSWORD).await, wrong);
}

#[tokio::test]
async fn s5_a_stranger_who_guesses_locks_out_nobody_who_was_there_before() {
    let service = Service::new(Rotation::default());
    service.register("ada@example.com").await;
    let from = |source: &str, password: &str| {
        let mut login = Login::new("ada@example.com", Secret::from(password));
        login.source = source.parse().ok();
        service.accounts.log_in(login, service.now())
    };
    from("198.51.100.7", PASSWORD).await.unwrap();
    let mut refused = 0;
    for stranger in 0..60 {
        match from(&format!("203.0.113.{stranger}"), "guess").await.unwrap_err() {
            AccountError::Refused(Rejection::TooManyFailures(exceeded)) => {
                assert!(exceeded.retry_after.is_some());
                refused += 1;
            }
            error => assert_eq!(error, AccountError::Login(LoginFault::Credentials)),
        }
    }
    assert!(refused >= 20, "{refused}");
    assert!(from("198.51.100.7", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_key_logs_in_with_its_own_permissions_for_as_long_as_it_is_good() {
    let service = Service::new(Rotation::default());
    let id = service.register("ada@example.com").await;
    let mut wanted = NewKey::new("reader", &*id);
    wanted.permissions = ["read"].into_iter().collect();
    let minted = service.keys.mint(wanted, service.now()).await.unwrap();
    let verifier = service.keys.verifier();
    let identity = verifier.verify(minted.key.expose_text().unwrap(), service.now()).resolve().await.unwrap();
    let tokens = service.accounts.log_in_with_key(&identity, None, service.now()).await.unwrap();
    assert_eq!((service.ask("/", &tokens).await, service.ask("/write", &tokens).await), (200, 403));
    let again = service.accounts.refresh(&text(tokens.refresh.as_ref()), None, service.now()).await.unwrap();
    assert_eq!(service.ask("/write", &again).await, 403, "no refresh widens");
    service.keys.revoke(&minted.record.id).await.unwrap();
    let refused = service.accounts.refresh(&text(again.refresh.as_ref()), None, service.now()).await.unwrap_err();
    assert_eq!(refused, AccountError::Token(CredentialFault::Revoked));
    assert_eq!(service.ask("/", &again).await, 401);
}

#[tokio::test]
async fn a_refresh_takes_up_what_the_account_may_do_by_then() {
    let service = Service::new(Rotation::default());
    let id = service.register("ada@example.com").await;
    let tokens = service.log_in("ada@example.com").await;
    let change = AccountChange::Permissions(["read"].into_iter().collect());
    service.accounts.change(&id, change, service.now()).await.unwrap();
    let next = service.accounts.refresh(&text(tokens.refresh.as_ref()), None, service.now()).await.unwrap();
    assert_eq!((service.ask("/", &next).await, service.ask("/write", &next).await), (200, 403));
}

#[tokio::test]
async fn what_a_crash_left_between_two_stores_is_made_good_at_the_start() {
    let service = Service::new(Rotation::default());
    service.register("ada@example.com").await;
    let tokens = service.log_in("ada@example.com").await;
    // ended in one store; the process dies before the other one hears of it
    let key = auth_core::store::SessionKey::Id(Arc::clone(&tokens.session));
    service.accounts.store().end_session(&key, service.now().wall).resolve().await.unwrap();
    assert_eq!(service.ask("/", &tokens).await, 200);
    service.accounts.resume(service.now()).await.unwrap();
    assert_eq!(service.ask("/", &tokens).await, 401);
}

#[tokio::test]
async fn names_are_one_in_every_spelling() {
    let service = Service::new(Rotation::default());
    service.register("ada@example.com").await;
    let mut wanted = NewAccount::new();
    wanted.email = Some("ＡDA@example.com".to_owned());
    assert_eq!(service.accounts.create(wanted, service.now()).await.unwrap_err(), AccountError::NameTaken);
    assert!(service.now().wall > Timestamp::from_unix_seconds(0));
}
