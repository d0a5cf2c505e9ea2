//! What an answer comes to.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::clock::Timestamp;
use crate::fetch::Fetched;
use crate::secret::Secret;

const ISSUER: &str = "https://as.example";
const NOW: i64 = 1_700_000_000;

fn server() -> IntrospectionServer {
    IntrospectionServer::new(ISSUER, ["api"], "https://as.example/introspect", "rs", Secret::from("a secret"))
}

fn any_audience() -> IntrospectionServer {
    let none: [&str; 0] = [];
    IntrospectionServer::new(ISSUER, none, "https://as.example/introspect", "rs", Secret::from("a secret"))
        .danger_accept_any_audience()
}

/// An answer that is believed.
fn good() -> Value {
    json!({ "active": true, "sub": "ada", "aud": "api", "exp": NOW + 60, "token_type": "Bearer", "scope": "read write" })
}

/// A good answer with some members changed, or left out where the change is null.
fn with(changes: &[(&str, Value)]) -> String {
    let mut answer = good();
    for (name, value) in changes {
        answer[*name] = value.clone();
    }
    let map = answer.as_object_mut().expect("an object");
    map.retain(|name, value| !(value.is_null() && changes.iter().any(|(changed, _)| changed == name)));
    answer.to_string()
}

fn fetched(body: impl Into<Vec<u8>>) -> Fetched {
    Fetched::new(200, body.into()).content_type("application/json")
}

fn read_by(server: IntrospectionServer, fetched: &Fetched) -> Result<Arc<Identity>, Rejection> {
    let asked = server.checked().expect("a good server");
    let now = Timestamp::from_unix_seconds(NOW);
    answer::read(fetched, &asked.claims, now)?.at(now)
}

fn read(body: &str) -> Result<Arc<Identity>, Rejection> {
    read_by(server(), &fetched(body))
}

fn fault(body: &str) -> Option<CredentialFault> {
    match read(body) {
        Err(Rejection::InvalidCredential(fault)) => Some(fault),
        _ => None,
    }
}

#[test]
fn an_active_token_becomes_the_identity_that_the_answer_describes() {
    let all = with(&[
        ("iss", json!(ISSUER)),
        ("tenant", json!("acme")),
        ("plan", json!("pro")),
        ("permissions", json!(["delete"])),
        ("roles", json!(["admin"])),
        ("jti", json!("t1")),
        ("sid", json!("s1")),
        ("iat", json!(NOW - 5)),
        ("client_id", json!("app")),
        ("username", json!("Ada")),
    ]);
    let identity = read(&all).expect("active");
    assert_eq!(identity.method, crate::Method::OpaqueToken);
    assert_eq!((&*identity.issuer, &*identity.subject), (ISSUER, "ada"));
    assert_eq!((identity.tenant.as_deref(), identity.plan.as_deref()), (Some("acme"), Some("pro")));
    assert!(["read", "write", "delete"].iter().all(|name| identity.permissions.contains(name)));
    assert!(identity.roles.contains("admin") && identity.scopes.contains("read"));
    assert_eq!((identity.credential_id.as_deref(), identity.session.as_deref()), (Some("t1"), Some("s1")));
    let at = |seconds| Some(Timestamp::from_unix_seconds(seconds));
    assert_eq!((identity.issued, identity.expires), (at(NOW - 5), at(NOW + 60)));
    assert_eq!(identity.claims.get("username").and_then(crate::Claim::as_str).as_deref(), Some("Ada"));
}

#[test]
fn t38_what_is_no_answer_is_an_outage_and_neither_good_nor_bad() {
    let body = good().to_string();
    let deep = format!("{{\"active\":true,\"x\":{}1{}}}", "[".repeat(40), "]".repeat(40));
    let bodies: Vec<Vec<u8>> = [
        "",
        " ",
        "true",
        "[]",
        "\"active\"",
        "<html>",
        "active=true",
        &body[..body.len() - 1],
        &format!("{body}x"),
        &format!("{body}{body}"),
        r#"{"active":true,"active":true}"#,
        r#"{"active":false,"\u0061ctive":true}"#,
        r#"{"active":true,"sub":"ada","aud":"api","x":{"a":1,"a":2}}"#,
        &deep,
        &with(&[("active", Value::Null)]),
        &body.replace("true", "null"),
        &body.replace("true", "\"true\""),
        &body.replace("true", "1"),
        &body.replace("true", "[true]"),
        &body.replace("true", "True"),
        &body.replace("active", "Active"),
        &with(&[("x", json!("y".repeat(64 * 1024)))]),
    ]
    .map(|text| text.as_bytes().to_vec())
    .into_iter()
    .chain([b"\xef\xbb\xbf{\"active\":true}".to_vec(), b"{\"active\":true,\"sub\":\"\xff\"}".to_vec()])
    .collect();
    for body in bodies {
        let text = String::from_utf8_lossy(&body).into_owned();
        let refused = read_by(server(), &fetched(body)).expect_err(&text);
        assert!(matches!(&refused, Rejection::Unavailable(_)), "{text}: {refused:?}");
    }
    for status in [100, 201, 204, 206, 301, 302, 304, 307, 400, 401, 403, 404, 429, 500, 502, 503, 504] {
        let refused =
            read_by(server(), &Fetched::new(status, good().to_string().into()).content_type("application/json"));
        assert!(matches!(refused, Err(Rejection::Unavailable(_))), "{status}");
    }
}

#[test]
fn t38_an_answer_of_another_media_type_is_an_outage() {
    let typed = |value: &str| read_by(server(), &Fetched::new(200, good().to_string().into()).content_type(value));
    for good in ["application/json", "Application/JSON", "application/json; charset=utf-8", "application/json ;x=y"] {
        assert!(typed(good).is_ok(), "{good}");
    }
    for bad in ["", "text/html", "text/json", "application/jsonp", "application/token-introspection+jwt"] {
        assert!(matches!(typed(bad), Err(Rejection::Unavailable(_))), "{bad}");
    }
    let untyped = read_by(server(), &Fetched::new(200, good().to_string().into()));
    assert!(matches!(untyped, Err(Rejection::Unavailable(_))));
}

#[test]
fn what_is_not_active_is_refused_whatever_else_is_said() {
    assert_eq!(fault(r#"{"active":false}"#), Some(CredentialFault::Unknown));
    assert_eq!(fault(&with(&[("active", json!(false))])), Some(CredentialFault::Unknown));
}

#[test]
fn claims_of_an_active_token_are_checked_like_those_of_signed_ones() {
    use CredentialFault::{Audience, Claims, Expired, Issuer, Kind, NotYetValid};
    for (change, expected) in [
        (("iss", json!("https://other.example")), Issuer),
        (("iss", json!("https://as.example/")), Issuer),
        (("iss", json!(["https://as.example"])), Issuer),
        (("aud", Value::Null), Audience),
        (("aud", json!("other")), Audience),
        (("aud", json!([])), Audience),
        (("aud", json!(["api", 1])), Claims),
        (("aud", json!({ "api": true })), Claims),
        (("exp", json!(NOW - 30)), Expired),
        (("exp", json!("1700000060")), Claims),
        (("exp", json!(-1)), Claims),
        (("nbf", json!(NOW + 31)), NotYetValid),
        (("iat", json!(NOW + 31)), NotYetValid),
        (("sub", Value::Null), Claims),
        (("sub", json!("")), Claims),
        (("sub", json!(7)), Claims),
        (("sub", json!("client:app")), Claims),
        (("tenant", json!(7)), Claims),
        (("jti", json!("a\nb")), Claims),
        (("token_type", json!("DPoP")), Kind),
        (("token_type", json!("refresh_token")), Kind),
        (("token_type", json!(["Bearer"])), Kind),
        (("cnf", json!({ "jkt": "x" })), Kind),
        (("cnf", json!({})), Kind),
        (("typ", json!("Refresh")), Kind),
        (("token_use", json!("id")), Kind),
        (("token_use", json!("refresh_token")), Kind),
        (("events", json!({})), Kind),
    ] {
        assert_eq!(fault(&with(std::slice::from_ref(&change))), Some(expected), "{change:?}");
    }
    for change in [
        ("aud", json!(["other", "api"])),
        ("exp", json!(NOW - 29)),
        ("exp", Value::Null),
        ("nbf", json!(NOW + 29)),
        ("token_type", json!("bearer")),
        ("token_type", Value::Null),
        ("iss", json!(ISSUER)),
        ("nonce", json!("copied")),
        ("typ", json!("Bearer")),
    ] {
        assert!(fault(&with(std::slice::from_ref(&change))).is_none(), "{change:?}");
        assert!(read(&with(std::slice::from_ref(&change))).is_ok(), "{change:?}");
    }
}

#[test]
fn j32_a_client_that_speaks_for_itself_is_no_user_and_nobody_without_a_name_is_taken_for_it() {
    let subject = |server, changes: &[(&str, Value)]| {
        read_by(server, &fetched(with(changes))).map(|identity| identity.subject.to_string())
    };
    let (app, none) = (("client_id", json!("app")), ("sub", Value::Null));
    assert_eq!(subject(server(), &[none.clone(), app.clone()]), Ok("client:app".to_owned()));
    assert_eq!(subject(server(), &[("sub", json!("app")), app.clone()]), Ok("client:app".to_owned()));
    assert_eq!(subject(server(), std::slice::from_ref(&app)), Ok("ada".to_owned()));
    let unmarked = server().danger_clients_share_names_with_users();
    assert_eq!(subject(unmarked, &[none.clone(), app.clone()]), Ok("app".to_owned()));
    // a person whose name is not told
    let person = [none, app, ("username", json!("ada"))];
    assert_eq!(subject(server(), &person), Err(Rejection::InvalidCredential(CredentialFault::Claims)));
}

#[test]
fn without_an_audience_an_answer_has_to_say_that_it_is_about_an_access_token() {
    let verdict = |changes: &[(&str, Value)]| read_by(any_audience(), &fetched(with(changes))).map(|_| ());
    let kind = Err(Rejection::InvalidCredential(CredentialFault::Kind));
    assert_eq!(verdict(&[("aud", json!("other"))]), Ok(()));
    assert_eq!(verdict(&[("aud", Value::Null)]), Ok(()));
    assert_eq!(verdict(&[("token_type", Value::Null)]), kind);
    assert_eq!(verdict(&[("token_type", Value::Null), ("token_use", json!("access_token"))]), Ok(()));
    assert_eq!(verdict(&[("token_use", json!("refresh_token"))]), kind);
}

#[test]
fn a_server_that_is_put_together_wrongly_is_a_mistake() {
    struct Nobody;
    impl Fetch for Nobody {
        fn fetch(&self, _: FetchRequest) -> crate::Pending<Result<Fetched, crate::fetch::FetchError>> {
            Box::pin(std::future::pending())
        }
    }
    let mistake = |server: IntrospectionServer| {
        assert!(!format!("{server:?}").contains("a secret"));
        IntrospectionVerifier::new(server, Arc::new(Nobody)).map(|_| ()).map_err(|error| error.to_string())
    };
    let none: [&str; 0] = [];
    let at = |url: &str| IntrospectionServer::new(ISSUER, ["api"], url, "rs", Secret::from("a secret"));
    assert_eq!(mistake(server()), Ok(()));
    assert_eq!(mistake(any_audience()), Ok(()));
    assert_eq!(mistake(at("http://127.0.0.1:1/introspect")), Ok(()));
    let spoiled = [
        ("endpoint", at("http://as.example/introspect")),
        ("endpoint", at("https://rs:secret@as.example/introspect")),
        ("audience", IntrospectionServer::new(ISSUER, none, "https://a/", "rs", Secret::from("a secret"))),
        ("audience", IntrospectionServer::new(ISSUER, [""], "https://a/", "rs", Secret::from("a secret"))),
        ("audiences", server().danger_accept_any_audience()),
        ("name", IntrospectionServer::new("", ["api"], "https://a/", "rs", Secret::from("a secret"))),
        ("id", IntrospectionServer::new(ISSUER, ["api"], "https://a/", "", Secret::from("a secret"))),
        ("secret", IntrospectionServer::new(ISSUER, ["api"], "https://a/", "rs", Secret::from(""))),
        ("five minutes", server().believed_for(Duration::from_millis(300_001))),
        ("five minutes", server().leeway(Duration::from_secs(301))),
        ("under way", server().max_requests(0)),
        ("prefix", server().prefix("a b")),
    ];
    for (named, server) in spoiled {
        let error = mistake(server).expect_err(named);
        assert!(error.contains(named), "{named}: {error}");
    }
}
