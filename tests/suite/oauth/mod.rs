//! OAuth 2.0: clients, the endpoints that they ask, and what becomes of the tokens that they get.
//!
//! - `token`: the token endpoint, row by row of the standards
//! - `ending`: what ends tokens, and guesses at secrets
//! - `revocation`, `introspection`: tokens that come back
//! - `refresh`: tokens for accounts; `vouched`: what ends with whose word opened it
//! - `exchange`: tokens for tokens; `descent`: what ends them; `external`: those of other issuers
//! - `assertion`: clients that sign
//! - `file`: clients in a file

mod assertion;
mod descent;
mod ending;
mod exchange;
mod external;
mod file;
mod introspection;
mod refresh;
mod revocation;
mod token;
mod vouched;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use auth_core::account::{AccountRecord, TenantRecord};
use auth_core::api_key::{KeyHasher, Peppers};
use auth_core::credential::Source;
use auth_core::endpoint::{AccountEndpoints, Endpoint, EndpointRequest, Endpoints, OAuthEndpoints, SubjectIssuers};
use auth_core::gate::{Caller, Decision, Gate};
use auth_core::issue::{
    AccessTokenIssuer, AccountParts, Accounts, Assertions, ClientParts, Clients, FreshClient, NewAccount, NewClient,
    PasswordCost, PasswordThreads, Passwords, RefreshTokens, Rotation, SigningAlgorithm, SigningKeys, TenantFor,
};
use auth_core::opaque::TokenFormat;
use auth_core::policy::{PermissionModel, Policy, permission};
use auth_core::revocation::Revocations;
use auth_core::store::{
    AccountStore, MemoryAccountStore, MemoryClientStore, MemoryLimitStore, MemoryOnceStore, MemoryTrustStore,
    TrustStore,
};
use auth_core::trust::{PublicKeys, Reach, TrustRecord};
use auth_core::verify::jwt::JwtVerifier;
use auth_core::{Clock, Now, Principal, Rejection, RequestHead, Secret, SimulatedClock};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::Value;

const ISSUER: &str = "https://us.example";
const FORM: &str = "application/x-www-form-urlencoded";

struct Shared(Arc<SimulatedClock>);

impl Clock for Shared {
    fn now(&self) -> Now {
        self.0.now()
    }
}

/// A service with a token endpoint and a gate that takes its tokens, and a clock that both live by.
struct Service {
    clock: Arc<SimulatedClock>,
    clients: Clients,
    endpoints: Endpoints,
    gate: Gate,
    accounts: Accounts,
    revocations: Revocations,
    ada: Arc<AccountRecord>,
}

/// What an endpoint answered.
struct Answer {
    status: u16,
    fields: Vec<(String, String)>,
    body: Value,
}

impl Answer {
    fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn error(&self) -> (u16, &str) {
        (self.status, self.body["error"].as_str().unwrap_or_default())
    }

    fn token(&self) -> &str {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body["access_token"].as_str().unwrap()
    }
}

fn service() -> Service {
    service_with(|_| {})
}

fn service_with(change: impl FnOnce(&mut ClientParts)) -> Service {
    service_over(Revocations::new(), change)
}

fn service_over(revocations: Revocations, change: impl FnOnce(&mut ClientParts)) -> Service {
    service_of(revocations, change, None)
}

/// A service that exchanges tokens of others.
fn service_exchanging(subjects: SubjectIssuers) -> Service {
    service_of(Revocations::new(), |_| {}, Some(subjects))
}

fn service_of(
    revocations: Revocations,
    change: impl FnOnce(&mut ClientParts),
    subjects: Option<SubjectIssuers>,
) -> Service {
    let clock = Arc::new(SimulatedClock::at_unix_seconds(1_700_000_000));
    let keys = SigningKeys::generate(SigningAlgorithm::Es256).unwrap();
    let issuer = AccessTokenIssuer::new(ISSUER, "api", Duration::from_hours(1), keys);
    let verified = issuer.trusted().unwrap();
    let model = PermissionModel::default().implies("admin", ["read", "write"]);
    let gate = Gate::builder()
        .accept(Source::bearer(), JwtVerifier::new([verified]).unwrap())
        .policy(Policy::new().get("/read", permission("read")).get("/write", permission("write")))
        .permissions(model.clone())
        .revocations(revocations.clone())
        .clock(Shared(Arc::clone(&clock)))
        .build()
        .unwrap();
    let peppers = Peppers::new(KeyHasher::new("a", &Secret::new(vec![7; 32])).unwrap());
    let mut parts = ClientParts::new(
        Arc::new(MemoryClientStore::new()),
        peppers,
        issuer,
        Arc::new(MemoryLimitStore::new()),
        Arc::new(Shared(Arc::clone(&clock))),
    );
    parts.permissions = model;
    parts.used = Some(Arc::new(MemoryOnceStore::new()));
    parts.revocations = Some(revocations.clone());
    let store: Arc<dyn AccountStore> = Arc::new(MemoryAccountStore::new());
    parts.tenants = Some(Arc::clone(&store));
    change(&mut parts);
    let clients = Clients::new(parts);
    let (accounts, ada) = accounts(store, clients.issuer(), &revocations, &clock);
    let mut oauth = OAuthEndpoints::new(clients.clone()).unwrap();
    oauth.revocations = Some(revocations.clone());
    oauth.accounts = Some(accounts.clone());
    oauth.subjects = subjects;
    oauth.introspect = Some("introspect".into());
    oauth.targets = vec!["https://reports.example".into()];
    let endpoints = Endpoints::builder()
        .oauth(oauth)
        .accounts(AccountEndpoints::new(accounts.clone()))
        .at(Endpoint::RefreshByAccessToken, "/refresh")
        .at(Endpoint::Token, "/token")
        .at(Endpoint::RevokeToken, "/revoke")
        .at(Endpoint::IntrospectToken, "/introspect")
        .at(Endpoint::OAuthMetadata, "/.well-known/oauth-authorization-server")
        .build()
        .unwrap();
    Service { clock, clients, endpoints, gate, accounts, revocations, ada }
}

/// Accounts with one that a partner may speak for.
fn accounts(
    store: Arc<dyn AccountStore>,
    issuer: &AccessTokenIssuer,
    revocations: &Revocations,
    clock: &Arc<SimulatedClock>,
) -> (Accounts, Arc<AccountRecord>) {
    let now = clock.now();
    let cost = PasswordCost::dangerously_weak(8, 1, 1).unwrap();
    let passwords = Passwords::new(cost, PasswordThreads::default()).unwrap();
    let mut parts = AccountParts::new(store, passwords, issuer.clone());
    let peppers = Peppers::new(KeyHasher::new("a", &Secret::new(vec![7; 32])).unwrap());
    parts.refresh = Some(RefreshTokens::new(TokenFormat::new("rt").unwrap(), peppers, Rotation::default()));
    parts.revocations = Some(revocations.clone());
    parts.permissions = PermissionModel::default().implies("admin", ["read", "write"]);
    let partners = MemoryTrustStore::new();
    let keys = PublicKeys::parse(&assertion::jwks()).unwrap();
    wait(partners.insert(TrustRecord::new("p", "partner", keys, Reach::Everybody, now.wall)).resolve()).unwrap();
    parts.assertions = Some(Assertions::new(Arc::new(partners), Arc::new(MemoryOnceStore::new()), ISSUER));
    let accounts = Accounts::new(parts);
    wait(accounts.add_tenant(TenantRecord::new("acme", "Acme", now.wall))).unwrap();
    let mut wanted = NewAccount::new();
    wanted.user_name = Some("ada".to_owned());
    wanted.password = Some(Secret::from("correct horse battery"));
    wanted.tenant = TenantFor::Existing("acme".into());
    wanted.permissions = ["read", "write"].into_iter().collect();
    let ada = wait(accounts.create(wanted, now)).unwrap();
    (accounts, ada)
}

impl Service {
    fn client(&self, wanted: NewClient) -> FreshClient {
        wait(self.clients.create(wanted, self.clock.now())).unwrap()
    }

    /// A client that may read and write.
    fn writer(&self) -> FreshClient {
        let mut wanted = NewClient::new("writer");
        wanted.permissions = ["read", "write"].into_iter().collect();
        self.client(wanted)
    }

    fn ask(&self, change: impl FnOnce(&mut EndpointRequest)) -> Answer {
        self.ask_at("/token", change)
    }

    fn ask_at(&self, path: &str, change: impl FnOnce(&mut EndpointRequest)) -> Answer {
        let mut request = EndpointRequest::new("POST", self.clock.now());
        request.client = Some(IpAddr::from([192, 0, 2, 7]));
        change(&mut request);
        let found = self.endpoints.find("POST", path).unwrap();
        let reply = wait(self.endpoints.answer(found, request)).unwrap();
        Answer {
            status: reply.status,
            fields: reply.fields.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
            body: if reply.body.is_empty() { Value::Null } else { serde_json::from_slice(&reply.body).unwrap() },
        }
    }

    fn form(&self, content: &str) -> Answer {
        self.ask(|request| {
            request.media_type = Some(FORM.to_owned());
            request.content = content.as_bytes().to_vec();
        })
    }

    /// Asks with HTTP Basic and a form.
    fn basic(&self, id: &str, secret: &str, content: &str) -> Answer {
        self.basic_at("/token", id, secret, content)
    }

    fn basic_at(&self, path: &str, id: &str, secret: &str, content: &str) -> Answer {
        self.ask_at(path, |request| {
            request.media_type = Some(FORM.to_owned());
            request.authorization =
                Some(Secret::from(format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}")))));
            request.content = content.as_bytes().to_vec();
        })
    }

    fn own(&self, client: &FreshClient) -> Answer {
        self.basic(&client.record.id, text(client), "grant_type=client_credentials")
    }

    /// What the gate says to a token.
    fn present(&self, token: &str, path: &str) -> Result<Principal, Rejection> {
        self.present_from([192, 0, 2, 7], token, path)
    }

    fn present_from(&self, peer: [u8; 4], token: &str, path: &str) -> Result<Principal, Rejection> {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        let mut head = RequestHead::new("GET", path, &headers);
        head.peer = Some(IpAddr::from(peer));
        match wait(self.gate.decide(&head, self.clock.now()).resolve()) {
            Decision::Admit(admission) => match admission.caller {
                Caller::Principal(principal) => Ok(principal),
                Caller::Anonymous(anonymous) => panic!("{anonymous:?}"),
            },
            Decision::Refuse(refusal) => Err(refusal.rejection),
        }
    }
}

/// Waits on a thread of the test's own.
fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn text(client: &FreshClient) -> &str {
    client.secret.expose_text().unwrap()
}
