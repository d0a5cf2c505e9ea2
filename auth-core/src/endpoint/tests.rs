use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::account::AccountRecord;
use crate::api_key::{KeyFormat, KeyHasher, Peppers};
use crate::clock::{Clock, SimulatedClock};
use crate::gate::{Attached, Gate};
use crate::issue::{
    AccountParts, Accounts, ApiKeys, LoginThrottle, NewAccount, NewKey, PasswordCost, PasswordThreads, Passwords,
    RefreshTokens, Rotation, Seal, SecondFactors, SigningAlgorithm, SigningKeys, ThrottleQuotas,
};
use crate::names::Names;
use crate::network::NetworkSet;
use crate::opaque::TokenFormat;
use crate::policy::Policy;
use crate::principal::{Anonymous, Identity, Method};
use crate::rejection::{LoginFault, Prohibition};
use crate::request::RequestHead;
use crate::revocation::{Revocation, Revocations, Target};
use crate::store::{MemoryAccountStore, MemoryKeyStore, MemoryLimitStore};
use crate::{Rejection, Secret};

const ISSUER: &str = "https://api.example";
const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";

struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

fn at(seconds: i64) -> Now {
    SimulatedClock::at_unix_seconds(1_700_000_000 + seconds).now()
}

struct Shared(Arc<SimulatedClock>);

impl Clock for Shared {
    fn now(&self) -> Now {
        self.0.now()
    }
}

/// A service with one account that may do everything.
struct Service {
    endpoints: Endpoints,
    accounts: Accounts,
    keys: ApiKeys,
    revocations: Revocations,
    ada: Arc<AccountRecord>,
}

fn names<'n>(names: impl IntoIterator<Item = &'n str>) -> Names {
    names.into_iter().collect()
}

fn service() -> Service {
    let peppers = Peppers::new(KeyHasher::new("a", &Secret::new(vec![7; 32])).unwrap());
    let format = KeyFormat::new("sk", Vec::<&str>::new()).unwrap();
    let keys = ApiKeys::new(format, peppers.clone(), Arc::new(MemoryKeyStore::new()), ISSUER);
    let signing = SigningKeys::generate(SigningAlgorithm::Hs256).unwrap();
    let issuer = AccessTokenIssuer::new(ISSUER, "api", Duration::from_hours(1), signing);
    let cost = PasswordCost::dangerously_weak(8, 1, 1).unwrap();
    let passwords = Passwords::new(cost, PasswordThreads::default()).unwrap();
    let revocations = Revocations::new();
    let mut parts = AccountParts::new(Arc::new(MemoryAccountStore::new()), passwords, issuer);
    parts.keys = Some(keys.clone());
    parts.revocations = Some(revocations.clone());
    let refresh = RefreshTokens::new(TokenFormat::new("refresh").unwrap(), peppers.clone(), Rotation::default());
    parts.refresh = Some(refresh);
    let quotas = ThrottleQuotas::default();
    parts.throttle = Some(LoginThrottle::new(
        quotas,
        Arc::new(MemoryLimitStore::new()),
        Arc::new(SimulatedClock::at_unix_seconds(1_700_000_000)),
    ));
    let seal = Seal::new(&Secret::new(vec![9; 32])).unwrap();
    parts.second_factors = Some(SecondFactors { service: "Example".into(), seal, peppers });
    let accounts = Accounts::new(parts);
    let mut wanted = NewAccount::new();
    wanted.email = Some(EMAIL.to_owned());
    wanted.password = Some(Secret::from(PASSWORD));
    wanted.permissions = names(["read", "write", "manage"]);
    wanted.roles = names(["owner"]);
    let ada = wait(accounts.create(wanted, at(0))).unwrap();
    let mut of_accounts = AccountEndpoints::new(accounts.clone());
    of_accounts.keys = Some(keys.verifier());
    let tokens = Some(["access_token", "refresh_token", "session"]);
    let endpoints = Endpoints::builder()
        .keys(KeyEndpoints::new(keys.clone(), ["read", "write", "manage"]))
        .accounts(of_accounts)
        .at_with(Endpoint::Login, "/login", None, tokens, None)
        .at_with(Endpoint::Refresh, "/refresh", None, tokens, None)
        .at(Endpoint::Logout, "/logout")
        .at(Endpoint::EnrolSecondFactor, "/enrol")
        .at(Endpoint::ConfirmSecondFactor, "/confirm")
        .at(Endpoint::DisableSecondFactor, "/disable")
        .at(Endpoint::CreateKey, "/keys")
        .at(Endpoint::RevokeKey, "/keys/{id}")
        .at(Endpoint::RotateKey, "/keys/{id}/rotate")
        .build()
        .unwrap();
    Service { endpoints, accounts, keys, revocations, ada }
}

impl Service {
    fn ask(&self, method: &str, path: &str, caller: Option<&Identity>, content: &Value) -> Result<Value, Rejection> {
        let mut request = EndpointRequest::new(method, at(10));
        request.content = if content.is_null() { Vec::new() } else { content.to_string().into_bytes() };
        request.media_type = Some("application/json".to_owned());
        request.caller = caller.cloned().map(Principal::detached);
        let found = self.endpoints.find(method, path).unwrap();
        let reply = wait(self.endpoints.answer(found, request))?;
        Ok(if reply.body.is_empty() { Value::Null } else { serde_json::from_slice(&reply.body).unwrap() })
    }

    fn post(&self, path: &str, caller: Option<&Identity>, content: &Value) -> Result<Value, Rejection> {
        self.ask("POST", path, caller, content)
    }

    fn wanted(&self, permissions: &[&str]) -> NewKey {
        let mut wanted = NewKey::new("a key", Arc::clone(&self.ada.id));
        wanted.permissions = names(permissions.iter().copied());
        wanted
    }

    /// A key of the account: its id, its text and who bears it.
    fn key(&self, wanted: NewKey) -> (String, String, Identity) {
        let minted = wait(self.keys.mint(wanted, at(0))).unwrap();
        let text = minted.key.expose_text().unwrap().to_owned();
        let mut bearer = Identity::new(Method::ApiKey, ISSUER, &*self.ada.id);
        bearer.permissions = minted.record.permissions.clone();
        bearer.expires = minted.record.end();
        bearer.networks.clone_from(&minted.record.networks);
        (minted.record.id.to_string(), text, bearer)
    }

    /// Whoever has the token that such a login gave.
    fn logged_in(&self, login: &Value) -> (Value, Identity) {
        let tokens = self.post("/login", None, login).unwrap();
        let mut bearer = Identity::new(Method::Jwt, ISSUER, &*self.ada.id);
        bearer.session = tokens["session"].as_str().map(Into::into);
        let claims = claims(&tokens);
        let list = |name: &str| -> Vec<String> { serde_json::from_value(claims[name].clone()).unwrap_or_default() };
        bearer.permissions = list("permissions").into_iter().collect();
        bearer.roles = list("roles").into_iter().collect();
        (tokens, bearer)
    }

    fn is_revoked(&self, bearer: &Identity) -> bool {
        self.revocations.check(bearer, at(20)).is_err()
    }
}

fn claims(tokens: &Value) -> Value {
    use base64::Engine as _;
    let payload = tokens["access_token"].as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn by_password() -> Value {
    json!({ "email": EMAIL, "password": PASSWORD })
}

fn is_denied<T>(answer: &Result<T, Rejection>) -> bool {
    matches!(answer, Err(Rejection::Forbidden(Prohibition::Denied)))
}

#[test]
fn a_session_of_a_key_makes_no_key_that_is_wider_than_the_key() {
    let service = service();
    let mut wanted = service.wanted(&["read", "manage"]);
    wanted.expires = Some(at(86_400).wall);
    wanted.networks = Some(Arc::new(NetworkSet::parse(["10.0.0.0/8"]).unwrap()));
    let (_, text, _) = service.key(wanted.clone());
    let mut anywhere = wanted;
    anywhere.networks = None;
    let (_, other, _) = service.key(anywhere);
    // with networks of its own, nobody logs in from an unknown address
    assert!(matches!(
        service.post("/login", None, &json!({ "api_key": text })),
        Err(Rejection::Forbidden(Prohibition::Network))
    ));
    let (_, thief) = service.logged_in(&json!({ "api_key": other }));
    let made = service.post("/keys", Some(&thief), &json!({ "name": "mine", "permissions": ["read"] })).unwrap();
    assert_eq!(made["expires_at"], json!(at(86_400).wall.to_rfc3339()));
    let endless = json!({ "name": "mine", "permissions": ["read"], "expires_in": 86_400 * 365 });
    assert!(matches!(service.post("/keys", Some(&thief), &endless), Err(Rejection::InvalidContent(_))));
    let (_, person) = service.logged_in(&by_password());
    assert!(service.post("/keys", Some(&person), &endless).is_ok());
}

#[test]
fn a_session_of_a_key_ends_with_the_key_and_has_no_roles() {
    let service = service();
    let mut wanted = service.wanted(&["read"]);
    wanted.expires = Some(at(600).wall);
    let (id, text, _) = service.key(wanted);
    let (tokens, bearer) = service.logged_in(&json!({ "api_key": text }));
    let claims = claims(&tokens);
    assert_eq!((&claims["exp"], claims.get("roles")), (&json!(1_700_000_600), None));
    let (_, person) = service.logged_in(&by_password());
    assert!(!person.roles.is_empty() && !service.is_revoked(&bearer));
    service.ask("DELETE", &format!("/keys/{id}"), Some(&person), &Value::Null).unwrap();
    assert!(service.is_revoked(&bearer), "its access token is refused at once (M4)");
    assert!(!service.is_revoked(&person));
    assert!(service.post("/refresh", None, &json!({ "refresh_token": tokens["refresh_token"] })).is_err());
}

#[test]
fn a_key_on_the_list_of_revocations_logs_nobody_in() {
    let service = service();
    let (id, text, _) = service.key(service.wanted(&["read"]));
    let revocation = Revocation::new(Target::credential(ISSUER, id), at(10_000).wall);
    assert!(wait(service.revocations.revoke(&revocation, at(0)).resolve()).is_ok());
    let refused = service.post("/login", None, &json!({ "api_key": text }));
    assert!(matches!(refused, Err(Rejection::InvalidCredential(_))), "{refused:?}");
}

#[test]
fn nobody_rotates_a_key_that_is_more_than_what_they_have() {
    let service = service();
    let (lasting, _, _) = service.key(service.wanted(&["read"]));
    let mut wanted = service.wanted(&["read"]);
    wanted.roles = names(["root"]);
    let (rooted, _, _) = service.key(wanted);
    let mut wanted = service.wanted(&["read", "manage"]);
    wanted.networks = Some(Arc::new(NetworkSet::parse(["10.0.0.0/8"]).unwrap()));
    let (bound_id, _, bound) = service.key(wanted);
    let mut wanted = service.wanted(&["read", "manage"]);
    wanted.expires = Some(at(600).wall);
    let (ending_id, _, ending) = service.key(wanted);
    let (_, person) = service.logged_in(&by_password());
    let rotate = |id: &str, caller: &Identity| service.post(&format!("/keys/{id}/rotate"), Some(caller), &Value::Null);
    assert!(is_denied(&rotate(&lasting, &bound)), "of any network");
    assert!(is_denied(&rotate(&lasting, &ending)), "without an end");
    assert!(is_denied(&rotate(&rooted, &person)), "of another role");
    assert!(rotate(&bound_id, &bound).is_ok() && rotate(&ending_id, &ending).is_ok());
    assert!(rotate(&lasting, &person).is_ok());
}

#[test]
fn m7_whoever_has_a_key_alone_changes_no_second_factor() {
    let service = service();
    let (_, text, key) = service.key(service.wanted(&["read"]));
    let (_, session) = service.logged_in(&json!({ "api_key": text }));
    let password = json!({ "password": PASSWORD });
    for caller in [&key, &session] {
        assert!(is_denied(&service.post("/enrol", Some(caller), &password)));
        assert!(is_denied(&service.post("/disable", Some(caller), &Value::Null)));
    }
    let (_, person) = service.logged_in(&by_password());
    assert!(service.post("/enrol", Some(&person), &password).is_ok());
}

#[test]
fn m7_a_token_alone_begins_and_confirms_no_second_factor() {
    let service = service();
    let (_, thief) = service.logged_in(&by_password());
    let is_missing = |answer: Result<Value, Rejection>| matches!(answer, Err(Rejection::InvalidContent(ContentFault::Missing(member))) if member == "password");
    assert!(is_missing(service.post("/enrol", Some(&thief), &Value::Null)));
    assert!(is_missing(service.post("/confirm", Some(&thief), &json!({ "code": "000000" }))));
    let wrong = service.post("/enrol", Some(&thief), &json!({ "password": "a guess" }));
    assert!(matches!(wrong, Err(Rejection::LoginFailed(LoginFault::Credentials))), "{wrong:?}");
    let nobody = service.post("/enrol", None, &json!({ "password": PASSWORD }));
    assert!(matches!(nobody, Err(Rejection::MissingCredential)), "{nobody:?}");
    assert!(service.post("/enrol", None, &by_password()).is_ok(), "name and password do without a token");
}

#[test]
fn m7_codes_cannot_be_guessed_to_get_rid_of_them() {
    let service = service();
    let (_, person) = service.logged_in(&by_password());
    wait(service.accounts.with_second_factor(&service.ada.id, at(0))).unwrap();
    let guess = || service.post("/disable", Some(&person), &json!({ "recovery_code": "AAAA-AAAA-AAAA-AAAA" }));
    for _ in 0..10 {
        assert!(matches!(guess(), Err(Rejection::LoginFailed(_))));
    }
    assert!(matches!(guess(), Err(Rejection::TooManyFailures(_))));
}

#[test]
fn what_is_wrong_with_the_content_is_told_before_anything_is_done() {
    let service = service();
    let (tokens, bearer) = service.logged_in(&by_password());
    let wrong = |answer: Result<Value, Rejection>| matches!(answer, Err(Rejection::InvalidContent(_)));
    assert!(wrong(service.post("/logout", Some(&bearer), &json!({ "refresh_token": 1 }))));
    assert!(!service.is_revoked(&bearer), "still logged in");
    let refresh = |cookie: &Value| {
        service.post("/refresh", None, &json!({ "refresh_token": tokens["refresh_token"], "cookie": cookie }))
    };
    assert!(wrong(refresh(&json!("yes"))));
    let sessions = || wait(service.accounts.store().sessions(&service.ada.id).resolve()).unwrap();
    let in_force = sessions()[0].refresh.clone();
    assert!(refresh(&json!(false)).is_ok());
    assert_ne!(sessions()[0].refresh, in_force, "the token was spent now, and not before");
    let mut login = by_password();
    login["cookie"] = json!("yes");
    assert!(wrong(service.post("/login", None, &login)));
    assert_eq!(sessions().len(), 1, "no session that nobody knows of");
}

#[test]
fn a_client_that_sends_slowly_is_judged_by_when_it_has_sent() {
    let service = service();
    let clock = Arc::new(SimulatedClock::at_unix_seconds(1_700_000_000));
    let policy = service.endpoints.add_to(Policy::new());
    let gate = Gate::builder().policy(policy).clock(Shared(Arc::clone(&clock))).build().unwrap();
    let anonymous = Anonymous::new(crate::gate::share::Share::alone(gate.context()));
    let head = RequestHead::new("POST", "/login", &[("content-type", "application/json")]);
    let attached = Attached { principal: None, anonymous: Some(&anonymous) };
    let asked = service.endpoints.asked(&head, attached).unwrap().unwrap();
    clock.advance(Duration::from_secs(7_000));
    let answered = wait(asked.answer(Received::Whole(by_password().to_string().into_bytes())));
    let tokens = serde_json::from_slice(&answered.reply.body).unwrap();
    assert_eq!(claims(&tokens)["iat"], json!(1_700_007_000));
}
