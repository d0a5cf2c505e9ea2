//! Tokens of other issuers that are exchanged for tokens of the service.

use std::sync::Arc;
use std::time::Duration;

use auth_core::account::TenantChange;
use auth_core::client::ClientChange;
use auth_core::endpoint::SubjectIssuers;
use auth_core::issue::FreshClient;
use auth_core::keys::KeySet;
use auth_core::revocation::{Revocation, Target};
use auth_core::verify::jwt::{ClaimMapping, Issuer, ScopeShape};
use auth_core::{Clock as _, Outcome, Timestamp};
use serde_json::{Value, json};

use super::assertion::{jwks, signed};
use super::exchange::{ACCESS_TOKEN, claims, exchange, exchanger, users};
use super::{ISSUER, Service, service_exchanging};

const IDP: &str = "https://idp.example";
const NOW: i64 = 1_700_000_000;

/// A service at which `desk` exchanges tokens of the other issuer, and `back` only its own.
fn service() -> (Service, FreshClient, FreshClient) {
    let mapping = ClaimMapping::default().scopes("scp", ScopeShape::Delimited).tenant("org");
    let issuer = Issuer::new(IDP, ["api"], KeySet::from_jwks(&jwks()).unwrap()).claims(mapping);
    let service = service_exchanging(SubjectIssuers::new([(issuer, vec!["desk".into()])]).unwrap());
    let [desk, back] = ["desk", "back"].map(|id| exchanger(&service, id, &["read", "other"], Some("acme")));
    (service, desk, back)
}

/// A good token of the other issuer, with changes; `null` takes a claim away.
fn external(change: &Value) -> String {
    let mut said = json!({
        "iss": IDP, "sub": "ada", "aud": "api", "org": "acme", "scp": "read write", "roles": ["admin"],
        "sid": "s-1", "jti": "t-1", "iat": NOW - 10, "exp": NOW + 300,
    });
    for (name, value) in change.as_object().unwrap() {
        said[name] = value.clone();
    }
    said.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    signed(&said)
}

#[test]
fn t24_a_token_of_another_issuer_is_exchanged_and_every_right_shrinks() {
    let (service, desk, _) = service();
    let given = exchange(&service, &desk, &external(&json!({})), "");
    let said = claims(given.token());
    assert_eq!(said["permissions"], json!(["read"]), "what the mapped claims and the client have in common");
    assert!(said.get("roles").is_none());
    assert_eq!((&said["tenant"], &said["iss"], &said["client_id"]), (&json!("acme"), &json!(ISSUER), &json!("desk")));
    assert_eq!(given.body["expires_in"], 300, "no longer than the token");
    assert_eq!(said["act"], json!({ "sub": "desk", "client_id": "desk" }));
    assert!(service.present(given.token(), "/read").is_ok());
    assert!(service.present(given.token(), "/write").is_err());
    let token = external(&json!({}));
    assert_eq!(exchange(&service, &desk, &token, "&scope=write").error(), (400, "invalid_scope"));
    assert_eq!(exchange(&service, &desk, &token, "&scope=read").body["scope"], "read", "and it is exchanged again");
}

#[test]
fn t21_a_token_of_another_issuer_is_exchanged_by_nobody_who_was_not_named_and_only_where_it_is_good() {
    let (service, desk, back) = service();
    let refused = |client: &FreshClient, token: &str| {
        assert_eq!(exchange(&service, client, token, "").error(), (400, "invalid_request"), "{token}");
    };
    refused(&back, &external(&json!({})));
    for change in [
        json!({ "exp": NOW - 40 }),
        json!({ "exp": NOW - 5 }),
        json!({ "exp": null }),
        json!({ "aud": "another" }),
        json!({ "iss": "https://unknown.example" }),
        json!({ "iss": ISSUER }),
        json!({ "org": "other" }),
        json!({ "org": null }),
        json!({ "nonce": "of an ID token" }),
        json!({ "sub": null }),
        json!({ "act": "somebody" }),
    ] {
        refused(&desk, &external(&change));
    }
    // nobody speaks for another by the word of an issuer that may not say so
    let bob = users(&service, |wanted| wanted.subject = "user_bob".into());
    let actor = format!("&actor_token={}&actor_token_type={ACCESS_TOKEN}", external(&json!({})));
    assert_eq!(exchange(&service, &desk, &bob, &actor).error(), (400, "invalid_request"));
    let off = super::service();
    let client = exchanger(&off, "desk", &["read"], Some("acme"));
    assert_eq!(exchange(&off, &client, &external(&json!({})), "").error(), (400, "invalid_request"), "by default");
}

#[test]
fn j26_who_comes_from_another_issuer_is_nobody_of_this_service() {
    let (service, desk, _) = service();
    let ada = service.ada.id.to_string();
    for (subject, client) in [(ada.as_str(), "desk"), ("desk", "desk"), ("client:desk", "web"), ("external:x#y", "web")]
    {
        let claim = if subject.starts_with("client:") { json!("desk") } else { json!(subject) };
        let change = if subject.starts_with("client:") {
            json!({ "sub": claim, "client_id": "desk" })
        } else {
            json!({ "sub": claim, "client_id": client })
        };
        let given = exchange(&service, &desk, &external(&change), "");
        let bearer = service.present(given.token(), "/read").unwrap();
        assert!(bearer.subject.starts_with("external:https://idp.example#"), "{}", bearer.subject);
        assert!(bearer.session.is_none(), "the name of a session elsewhere is none here");
        let again = exchange(&service, &desk, given.token(), "");
        assert_eq!(service.present(again.token(), "/read").unwrap().subject, bearer.subject);
    }
}

#[test]
fn t23_may_act_of_another_issuer_names_its_own_unless_it_says_whose() {
    let (service, desk, _) = service();
    for (may_act, status) in [
        (json!({ "iss": ISSUER, "sub": "desk" }), 200),
        (json!({ "sub": "desk" }), 400),
        (json!({ "iss": IDP, "sub": "desk" }), 400),
        (json!({ "iss": ISSUER, "sub": "back" }), 400),
        (json!("desk"), 400),
    ] {
        let token = external(&json!({ "may_act": may_act }));
        assert_eq!(exchange(&service, &desk, &token, "").status, status, "{may_act}");
    }
    let acted = exchange(&service, &desk, &external(&json!({ "act": { "sub": "proxy", "more": 1 } })), "");
    let expected = json!({ "sub": "desk", "client_id": "desk", "act": { "iss": IDP, "sub": "proxy" } });
    assert_eq!(claims(acted.token())["act"], expected);
}

#[test]
fn t24_what_was_made_of_a_token_of_another_issuer_ends_with_it() {
    let ways: [fn(&Service); 6] = [
        |service| revoke(service, Target::credential(IDP, "t-1"), None),
        |service| revoke(service, Target::session(IDP, "s-1"), None),
        |service| revoke(service, Target::subject(IDP, "ada"), None),
        |service| revoke(service, Target::subject(IDP, "ada"), Some(Timestamp::from_unix_seconds(NOW - 9))),
        |service| revoke(service, Target::Issuer(IDP.into()), None),
        |service| {
            super::wait(service.clients.change("desk", ClientChange::Disable)).unwrap();
        },
    ];
    for (number, way) in ways.into_iter().enumerate() {
        let (service, desk, _) = service();
        let given = exchange(&service, &desk, &external(&json!({})), "");
        let other = exchange(&service, &desk, &external(&json!({ "sub": "bob", "jti": "t-2", "sid": "s-2" })), "");
        assert!(service.present(given.token(), "/read").is_ok());
        way(&service);
        assert!(service.present(given.token(), "/read").is_err(), "{number}");
        assert_eq!(service.present(other.token(), "/read").is_ok(), number < 4, "{number}");
        assert_ne!(exchange(&service, &desk, &external(&json!({})), "").status, 200, "{number}");
    }
}

fn revoke(service: &Service, target: Target, issued_before: Option<Timestamp>) {
    let mut revocation = Revocation::new(target, Timestamp::MAX);
    revocation.issued_before = issued_before;
    let Outcome::Done(Ok(())) = service.revocations.revoke(&revocation, service.clock.now()) else {
        panic!("memory never waits")
    };
}

#[test]
fn t24_nobody_gets_a_token_in_a_tenant_that_is_switched_off() {
    let (service, desk, _) = service();
    let any = exchanger(&service, "any", &["read"], None);
    service.clock.advance(Duration::from_secs(1));
    let own = users(&service, |_| {});
    assert_eq!(exchange(&service, &any, &own, "").status, 200);
    super::wait(async {
        let store: &Arc<dyn auth_core::store::AccountStore> = service.accounts.store();
        store.change_tenant("acme", TenantChange::Disable).resolve().await
    })
    .unwrap();
    assert_eq!(exchange(&service, &any, &own, "").error(), (400, "invalid_request"));
    assert_eq!(exchange(&service, &desk, &external(&json!({})), "").status, 401);
}
