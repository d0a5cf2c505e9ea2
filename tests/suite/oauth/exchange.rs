//! Tokens for tokens (RFC 8693): rights only shrink.

use std::time::Duration;

use auth_core::client::{ClientChange, Grant};
use auth_core::issue::{FreshClient, NewAccessToken, NewClient};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Answer, Service, service, text, wait};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(super) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

pub(super) fn exchanger(service: &Service, id: &str, permissions: &[&str], tenant: Option<&str>) -> FreshClient {
    let mut wanted = NewClient::new(id);
    wanted.id = Some(id.into());
    wanted.permissions = permissions.iter().copied().collect();
    wanted.tenant = tenant.map(Into::into);
    wanted.grants = Grant::ALL.into_iter().collect();
    service.client(wanted)
}

pub(super) fn exchange(service: &Service, client: &FreshClient, token: &str, more: &str) -> Answer {
    let content = format!("grant_type={GRANT}&subject_token={token}&subject_token_type={ACCESS_TOKEN}{more}");
    service.basic(&client.record.id, text(client), &content)
}

/// A token about a user.
pub(super) fn users(service: &Service, change: impl FnOnce(&mut NewAccessToken)) -> String {
    let mut wanted = NewAccessToken::new("user_ada", "login");
    wanted.permissions = ["read", "write"].into_iter().collect();
    wanted.tenant = Some("acme".into());
    wanted.session = Some("ses_1".into());
    change(&mut wanted);
    let minted = service.clients.issuer().mint(&wanted, auth_core::Clock::now(&*service.clock)).unwrap();
    minted.token.expose_text().unwrap().to_owned()
}

pub(super) fn claims(token: &str) -> Value {
    use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

#[test]
fn t19_what_is_missing_is_an_invalid_request() {
    let service = service();
    let client = exchanger(&service, "desk", &["read"], None);
    let token = users(&service, |_| {});
    let ask = |content: &str| {
        service.basic("desk", text(&client), &format!("grant_type={GRANT}{content}")).error().1.to_owned()
    };
    for content in [
        String::new(),
        format!("&subject_token={token}"),
        format!("&subject_token_type={ACCESS_TOKEN}"),
        format!("&subject_token={token}&subject_token_type=urn:ietf:params:oauth:token-type:saml2"),
        format!("&subject_token={token}&subject_token_type={ACCESS_TOKEN}&actor_token={token}"),
        format!("&subject_token={token}&subject_token_type={ACCESS_TOKEN}&actor_token_type={ACCESS_TOKEN}"),
        format!(
            "&subject_token={token}&subject_token_type={ACCESS_TOKEN}&requested_token_type=urn:ietf:params:oauth:token-type:id_token"
        ),
    ] {
        assert_eq!(ask(&content), "invalid_request", "{content}");
    }
}

#[test]
fn t20_the_kind_of_the_issued_token_is_told() {
    let service = service();
    let client = exchanger(&service, "desk", &["read"], None);
    let given = exchange(&service, &client, &users(&service, |_| {}), "");
    assert_eq!(given.body["issued_token_type"], ACCESS_TOKEN);
    assert_eq!(given.body["token_type"], "Bearer");
    let bearer = service.present(given.token(), "/read").unwrap();
    assert_eq!((&*bearer.subject, bearer.tenant.as_deref()), ("user_ada", Some("acme")));
    assert_eq!(bearer.session.as_deref(), Some("ses_1"), "it ends with the session");
    assert!(service.present(given.token(), "/write").is_err());
}

#[test]
fn t21_tokens_that_are_not_good_are_an_invalid_request() {
    let service = service();
    let client = exchanger(&service, "desk", &["read"], None);
    let good = users(&service, |_| {});
    let ended = users(&service, |wanted| wanted.lifetime = Some(Duration::from_secs(1)));
    service.clock.advance(Duration::from_mins(2));
    let leeway = users(&service, |wanted| wanted.lifetime = Some(Duration::from_secs(1)));
    service.clock.advance(Duration::from_secs(2));
    let signature = good.rfind('.').unwrap() + 1;
    let other = if good[signature..].starts_with('A') { 'B' } else { 'A' };
    let forged = format!("{}{other}{}", &good[..signature], &good[signature + 1..]);
    for token in ["unknown", &ended, &leeway, &forged] {
        assert_eq!(exchange(&service, &client, token, "").error(), (400, "invalid_request"), "{token}");
        let actor = format!("&actor_token={token}&actor_token_type={ACCESS_TOKEN}");
        assert_eq!(exchange(&service, &client, &good, &actor).error(), (400, "invalid_request"), "{token}");
    }
    let other = service.writer();
    let token = service.own(&other);
    wait(service.clients.change(&other.record.id, ClientChange::Disable)).unwrap();
    assert_eq!(exchange(&service, &client, token.token(), "").error(), (400, "invalid_request"), "taken back");
}

#[test]
fn t18_a_target_that_is_not_known_is_an_invalid_target() {
    let service = service();
    let client = exchanger(&service, "desk", &["read"], None);
    let token = users(&service, |_| {});
    for (more, status) in [
        ("&resource=https://reports.example", 200),
        ("&audience=api", 200),
        ("&resource=https://reports.example&audience=https://reports.example", 200),
        ("&resource=https://unknown.example", 400),
        ("&resource=https://reports.example/", 400),
        ("&resource=not an address", 400),
        ("&resource=https://reports.example&audience=api", 400),
    ] {
        for answer in [
            exchange(&service, &client, &token, more),
            service.basic("desk", text(&client), &format!("grant_type=client_credentials{more}")),
        ] {
            assert_eq!(answer.status, status, "{more}");
            if status == 400 {
                assert_eq!(answer.body["error"], "invalid_target");
            }
        }
    }
    let elsewhere = exchange(&service, &client, &token, "&resource=https://reports.example");
    assert_eq!(claims(elsewhere.token())["aud"], "https://reports.example");
    assert!(service.present(elsewhere.token(), "/read").is_err(), "it is for somebody else");
    assert_eq!(exchange(&service, &client, elsewhere.token(), "&audience=api").status, 400, "and does not come back");
}

#[test]
fn t22_who_acts_is_told_and_who_acted_before() {
    let service = service();
    let (desk, back) = (exchanger(&service, "desk", &["read"], None), exchanger(&service, "back", &["read"], None));
    let first = exchange(&service, &desk, &users(&service, |_| {}), "");
    assert_eq!(claims(first.token())["act"], json!({ "sub": "desk", "client_id": "desk" }));
    let second = exchange(&service, &back, first.token(), "");
    let expected = json!({ "sub": "back", "client_id": "back", "act": { "sub": "desk", "client_id": "desk" } });
    assert_eq!(claims(second.token())["act"], expected);
    assert_eq!(claims(second.token())["sub"], "user_ada");
    let actor = users(&service, |wanted| wanted.subject = "user_bob".into());
    let third = exchange(
        &service,
        &desk,
        &users(&service, |_| {}),
        &format!("&actor_token={actor}&actor_token_type={ACCESS_TOKEN}"),
    );
    assert_eq!(claims(third.token())["act"], json!({ "sub": "user_bob" }));
    // nobody acts in circles for ever
    let mut token = first.token().to_owned();
    let mut last = 200;
    for _ in 0..10 {
        let next = exchange(&service, &back, &token, "");
        last = next.status;
        if last != 200 {
            break;
        }
        token = next.token().to_owned();
    }
    assert_eq!(last, 400);
}

#[test]
fn t22_a_client_that_is_acted_for_is_no_user_of_its_name() {
    let service = service();
    let desk = exchanger(&service, "desk", &["read"], None);
    let mut wanted = NewClient::new("user_ada");
    wanted.id = Some("user_ada".into());
    wanted.permissions = ["read"].into_iter().collect();
    let client = service.client(wanted);
    let given = exchange(&service, &desk, service.own(&client).token(), "");
    assert_eq!(&*service.present(given.token(), "/read").unwrap().subject, "client:user_ada");
    wait(service.clients.change("user_ada", ClientChange::Disable)).unwrap();
    assert!(service.present(given.token(), "/read").is_err(), "it ends with the client it is about");
}

#[test]
fn t23_the_token_says_who_may_act() {
    let service = service();
    let (desk, back) = (exchanger(&service, "desk", &["read"], None), exchanger(&service, "back", &["read"], None));
    for (may_act, by_desk) in [
        (json!({ "sub": "desk" }), 200),
        (json!({ "sub": "client:desk", "iss": super::ISSUER }), 200),
        (json!({ "sub": "desk", "iss": "https://other.example" }), 400),
        (json!({}), 400),
        (json!("desk"), 400),
        (json!({ "sub": ["desk"] }), 400),
    ] {
        let token = users(&service, |wanted| wanted.may_act = Some(may_act.clone()));
        assert_eq!(exchange(&service, &desk, &token, "").status, by_desk, "{may_act}");
        assert_eq!(exchange(&service, &back, &token, "").error(), (400, "invalid_request"), "{may_act}");
    }
}

#[test]
fn t24_scope_tenant_and_time_shrink() {
    let service = service();
    let desk = exchanger(&service, "desk", &["admin"], Some("acme"));
    let token = users(&service, |wanted| wanted.lifetime = Some(Duration::from_mins(5)));
    let given = exchange(&service, &desk, &token, "");
    assert_eq!(
        claims(given.token())["permissions"],
        json!(["read", "write"]),
        "what the user has of what the client may"
    );
    assert_eq!(given.body["expires_in"], 300);
    assert_eq!(exchange(&service, &desk, &token, "&scope=read").body["scope"], "read");
    assert_eq!(exchange(&service, &desk, &token, "&scope=admin").error(), (400, "invalid_scope"));
    for tenant in [Some("other"), None] {
        let token = users(&service, |wanted| wanted.tenant = tenant.map(Into::into));
        assert_eq!(exchange(&service, &desk, &token, "").error(), (400, "invalid_request"));
    }
    let mut wanted = NewClient::new("plain");
    wanted.permissions = ["read"].into_iter().collect();
    let plain = service.client(wanted);
    assert_eq!(exchange(&service, &plain, &token, "").error(), (400, "unauthorized_client"));
}

/// One step of a chain: who exchanges, what it asks for, and how long after the last.
#[derive(Clone, Debug)]
struct Step {
    permissions: Vec<&'static str>,
    tenant: Option<&'static str>,
    scope: Option<&'static str>,
    after: u64,
}

const NAMES: [&str; 4] = ["read", "write", "admin", "other"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let names = proptest::sample::subsequence(NAMES.to_vec(), 0..=4);
    let tenant = proptest::sample::select(vec![None, Some("acme"), Some("other")]);
    let scope =
        proptest::sample::select(vec![None, None, Some("read"), Some("write"), Some("admin"), Some("read+other")]);
    let step = (names, tenant, scope, 0..900_u64).prop_map(|(permissions, tenant, scope, after)| Step {
        permissions,
        tenant,
        scope,
        after,
    });
    proptest::collection::vec(step, 1..7)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever clients take part in it, and whatever they ask for.
    #[test]
    fn t24_no_chain_of_exchanges_gains_a_permission_a_tenant_or_time(
        held in proptest::sample::subsequence(NAMES.to_vec(), 0..=4),
        chain in steps(),
    ) {
        let service = super::service_with(|parts| parts.quotas.client = "1000/s".parse().unwrap());
        let model = auth_core::policy::PermissionModel::default().implies("admin", ["read", "write"]);
        let mut token = users(&service, |wanted| wanted.permissions = held.iter().copied().collect());
        for (number, step) in chain.iter().enumerate() {
            service.clock.advance(Duration::from_secs(step.after));
            let client = exchanger(&service, &format!("client-{number}"), &step.permissions, step.tenant);
            let more = step.scope.map(|scope| format!("&scope={scope}")).unwrap_or_default();
            let answer = exchange(&service, &client, &token, &more);
            if answer.status != 200 {
                continue;
            }
            let (before, after) = (claims(&token), claims(answer.token()));
            let names = |said: &Value| -> auth_core::Names {
                said["permissions"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
            };
            let own: auth_core::Names = step.permissions.iter().copied().collect();
            for name in names(&after).iter() {
                prop_assert!(model.grants(&names(&before), name), "{name} was gained");
                prop_assert!(model.grants(&own, name), "the client may not {name}");
            }
            prop_assert_eq!(&after["tenant"], &before["tenant"]);
            prop_assert!(step.tenant.is_none() || after["tenant"] == json!(step.tenant));
            prop_assert!(after["exp"].as_i64() <= before["exp"].as_i64());
            prop_assert_eq!((&after["sub"], &after["aud"]), (&before["sub"], &before["aud"]));
            token = answer.token().to_owned();
        }
    }
}
