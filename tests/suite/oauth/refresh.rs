//! Tokens for accounts, by a partner's assertion and by refresh tokens (T13, T14, T29, T32).

use std::time::Duration;

use auth_core::client::{ClientChange, Grant};
use auth_core::issue::{FreshClient, Login, NewClient};
use auth_core::{Clock as _, Secret};
use serde_json::json;

use super::assertion::signed;
use super::{Answer, ISSUER, Service, service, text, wait};

const BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

pub(super) fn assertion(jti: &str) -> String {
    signed(&json!({
        "iss": "partner", "sub": "ada", "aud": ISSUER, "exp": 1_700_000_060, "iat": 1_700_000_000, "jti": jti,
    }))
}

pub(super) fn holder(service: &Service, id: &str, permissions: &[&str]) -> FreshClient {
    let mut wanted = NewClient::new(id);
    wanted.id = Some(id.into());
    wanted.permissions = permissions.iter().copied().collect();
    wanted.grants = [Grant::JwtBearer, Grant::RefreshToken].into_iter().collect();
    service.client(wanted)
}

pub(super) fn granted(service: &Service, client: &FreshClient, jti: &str, more: &str) -> Answer {
    let content = format!("grant_type={BEARER}&assertion={}{more}", assertion(jti));
    service.basic(&client.record.id, text(client), &content)
}

pub(super) fn refreshed(service: &Service, client: &FreshClient, token: &str, more: &str) -> Answer {
    let content = format!("grant_type=refresh_token&refresh_token={token}{more}");
    service.basic(&client.record.id, text(client), &content)
}

pub(super) fn refresh_token(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["refresh_token"].as_str().unwrap().to_owned()
}

#[test]
fn t25_an_assertion_gives_a_client_what_it_and_the_account_may() {
    let service = service();
    let client = holder(&service, "app", &["read", "other"]);
    let given = granted(&service, &client, "1", "");
    let bearer = service.present(given.token(), "/read").unwrap();
    assert_eq!((&*bearer.subject, bearer.tenant.as_deref()), (&*service.ada.id, Some("acme")));
    assert!(service.present(given.token(), "/write").is_err());
    assert_eq!(bearer.claims.get("client_id").and_then(auth_core::Claim::as_str).as_deref(), Some("app"));
    assert_eq!(granted(&service, &client, "1", "").error(), (400, "invalid_grant"), "it was used");
}

#[test]
fn t29_a_bad_assertion_is_an_invalid_grant() {
    let service = service();
    let client = holder(&service, "app", &["read"]);
    for bad in ["unknown", "a.b.c", &assertion("1").replace('.', "..")] {
        let content = format!("grant_type={BEARER}&assertion={bad}");
        assert_eq!(service.basic("app", text(&client), &content).error(), (400, "invalid_grant"), "{bad}");
    }
    assert_eq!(service.basic("app", text(&client), &format!("grant_type={BEARER}")).error(), (400, "invalid_request"));
    assert_eq!(granted(&service, &client, "1", "&scope=write").error(), (400, "invalid_scope"));
    assert_eq!(granted(&service, &client, "1", "&scope=read").status, 200, "a scope that was refused used nothing up");
}

#[test]
fn t13_a_refresh_narrows_and_never_widens() {
    let service = service();
    let client = holder(&service, "app", &["read", "write"]);
    let first = granted(&service, &client, "1", "&scope=read");
    let token = refresh_token(&first);
    assert_eq!(refreshed(&service, &client, &token, "&scope=write").error(), (400, "invalid_scope"));
    assert_eq!(refreshed(&service, &client, &token, "&scope=read+write").error(), (400, "invalid_scope"));
    let second = refreshed(&service, &client, &token, "");
    assert!(service.present(second.token(), "/read").is_ok());
    assert!(service.present(second.token(), "/write").is_err(), "it was granted for reading");

    let all = granted(&service, &client, "2", "");
    let narrowed = refreshed(&service, &client, &refresh_token(&all), "&scope=read");
    assert_eq!(narrowed.body["scope"], "read");
    assert!(service.present(narrowed.token(), "/write").is_err());
    let again = refreshed(&service, &client, &refresh_token(&narrowed), "");
    assert!(service.present(again.token(), "/write").is_ok(), "what was left out once is there the next time");
    // what the client lost, its sessions have lost
    wait(service.clients.change("app", ClientChange::Permissions(["read"].into_iter().collect()))).unwrap();
    let after = refreshed(&service, &client, &refresh_token(&again), "");
    assert!(service.present(after.token(), "/write").is_err());
}

#[test]
fn t14_a_refresh_token_works_for_its_client_alone() {
    let service = service();
    let (client, other) = (holder(&service, "app", &["read"]), holder(&service, "other", &["read"]));
    let token = refresh_token(&granted(&service, &client, "1", ""));
    assert_eq!(refreshed(&service, &other, &token, "").error(), (400, "invalid_grant"));
    let now = service.clock.now();
    assert!(wait(service.accounts.refresh(&token, None, now)).is_err(), "nor without a client");
    let next = refreshed(&service, &client, &token, "");
    assert_eq!(next.status, 200, "and nobody spent it: {}", next.body);
    // who logged in without a client is no client's
    let login = Login::new("ada", Secret::from("correct horse battery"));
    let own = wait(service.accounts.log_in(login, now)).unwrap();
    let own = own.refresh.unwrap();
    assert_eq!(refreshed(&service, &client, own.expose_text().unwrap(), "").error(), (400, "invalid_grant"));
    assert!(wait(service.accounts.refresh(own.expose_text().unwrap(), None, now)).is_ok());
}

#[test]
fn t15_a_spent_token_that_comes_again_ends_the_family() {
    let service = service();
    let client = holder(&service, "app", &["read"]);
    let first = granted(&service, &client, "1", "");
    let token = refresh_token(&first);
    let second = refreshed(&service, &client, &token, "");
    service.clock.advance(Duration::from_mins(1));
    assert_eq!(refreshed(&service, &client, &refresh_token(&second), "").status, 200);
    assert_eq!(refreshed(&service, &client, &token, "").error(), (400, "invalid_grant"));
    assert!(service.present(second.token(), "/read").is_err());
}

#[test]
fn t12_a_client_without_the_grant_gets_no_refresh_token() {
    let service = service();
    let mut wanted = NewClient::new("app");
    wanted.id = Some("app".into());
    wanted.permissions = ["read"].into_iter().collect();
    wanted.grants = [Grant::JwtBearer].into_iter().collect();
    let client = service.client(wanted);
    let given = granted(&service, &client, "1", "");
    assert_eq!(given.status, 200);
    assert!(given.body.get("refresh_token").is_none());
    assert_eq!(refreshed(&service, &client, "rt_x", "").error(), (400, "unauthorized_client"));
}

#[test]
fn t32_taking_a_refresh_token_back_ends_its_access_tokens() {
    let service = service();
    let (client, other) = (holder(&service, "app", &["read"]), holder(&service, "other", &["read"]));
    let given = granted(&service, &client, "1", "");
    let content = format!("token={}&token_type_hint=access_token", refresh_token(&given));
    let refused = service.basic_at("/revoke", "other", text(&other), &content);
    assert_eq!(refused.error(), (400, "unauthorized_client"));
    let told = service.basic_at("/introspect", "app", text(&client), &content);
    assert_eq!((&told.body["active"], &told.body["token_type"]), (&json!(true), &json!("refresh_token")));
    assert_eq!(service.basic_at("/introspect", "other", text(&other), &content).body, json!({ "active": false }));
    assert!(service.present(given.token(), "/read").is_ok());
    assert_eq!(service.basic_at("/revoke", "app", text(&client), &content).status, 200);
    assert!(service.present(given.token(), "/read").is_err());
    assert_eq!(refreshed(&service, &client, &refresh_token(&given), "").error(), (400, "invalid_grant"));
    assert_eq!(service.basic_at("/introspect", "app", text(&client), &content).body, json!({ "active": false }));
}
