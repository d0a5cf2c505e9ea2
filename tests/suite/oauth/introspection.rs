//! What there is to know about a token (RFC 7662), and about the service (RFC 8414).

use std::sync::Arc;
use std::time::Duration;

use auth_core::api_key::{KeyHasher, Peppers};
use auth_core::client::ClientChange;
use auth_core::endpoint::{Endpoint, EndpointRequest, Endpoints, OAuthEndpoints};
use auth_core::issue::{AccessTokenIssuer, ClientParts, Clients, NewClient, SigningAlgorithm, SigningKeys};
use auth_core::store::{MemoryClientStore, MemoryLimitStore};
use auth_core::{Secret, SystemClock};
use serde_json::json;

use super::{ISSUER, service, text, wait};

#[test]
fn t34_whoever_asks_proves_who_they_are() {
    let service = service();
    let client = service.writer();
    let token = service.own(&client);
    let content = format!("token={}", token.token());
    let anonymous = service.ask_at("/introspect", |request| {
        request.media_type = Some(super::FORM.to_owned());
        request.content = content.clone().into_bytes();
    });
    assert_eq!(anonymous.error(), (401, "invalid_client"));
    assert!(anonymous.field("www-authenticate").is_some());
    assert_eq!(service.basic_at("/introspect", &client.record.id, "wrong", &content).status, 401);
}

#[test]
fn t35_what_is_not_for_the_caller_is_not_active_and_nothing_else() {
    let service = service();
    let (client, stranger) = (service.writer(), service.writer());
    let mut wanted = NewClient::new("resource server");
    wanted.permissions = ["introspect"].into_iter().collect();
    let server = service.client(wanted);
    let token = service.own(&client);
    let ask = |who: &auth_core::issue::FreshClient, token: &str| {
        let answer = service.basic_at("/introspect", &who.record.id, text(who), &format!("token={token}"));
        assert_eq!((answer.status, answer.field("cache-control")), (200, Some("no-store")));
        answer.body
    };
    for who in [&client, &server] {
        let told = ask(who, token.token());
        assert_eq!(told["active"], true);
        assert_eq!((&told["iss"], &told["sub"]), (&json!(ISSUER), &json!(&*client.record.id)));
        assert_eq!((&told["client_id"], &told["scope"]), (&json!(&*client.record.id), &json!("read write")));
        assert_eq!(told["exp"].as_i64().unwrap() - told["iat"].as_i64().unwrap(), 3600);
    }
    let nothing = json!({ "active": false });
    assert_eq!(ask(&stranger, token.token()), nothing);
    assert_eq!(ask(&server, "unknown"), nothing);
    assert_eq!(ask(&server, &token.token().replace('.', "")), nothing);
    wait(service.clients.change(&client.record.id, ClientChange::Permissions(["read"].into_iter().collect()))).unwrap();
    assert_eq!(ask(&server, token.token()), nothing, "it was taken back");
    service.clock.advance(Duration::from_secs(1));
    let token = service.own(&client);
    assert_eq!(ask(&server, token.token())["active"], true);
    service.clock.advance(Duration::from_hours(2));
    assert_eq!(ask(&server, token.token()), nothing);
}

#[test]
fn k9_the_metadata_says_what_there_really_is() {
    let service = service();
    let path = "/.well-known/oauth-authorization-server";
    let request = EndpointRequest::new("GET", auth_core::Clock::now(&*service.clock));
    let reply = wait(service.endpoints.answer(service.endpoints.find("GET", path).unwrap(), request)).unwrap();
    let told: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(reply.field("content-type"), Some("application/json"));
    assert_eq!((&told["issuer"], &told["response_types_supported"]), (&json!(ISSUER), &json!([])));
    assert_eq!(told["token_endpoint"], format!("{ISSUER}/token"));
    assert_eq!(told["introspection_endpoint"], format!("{ISSUER}/introspect"));
    assert!(told.get("jwks_uri").is_none(), "there is none here");
    // what is told is there
    let client = service.writer();
    for grant in told["grant_types_supported"].as_array().unwrap() {
        let content = format!("grant_type={}", grant.as_str().unwrap());
        let answer = service.basic(&client.record.id, text(&client), &content);
        assert_ne!(answer.body["error"], "unsupported_grant_type");
    }
}

#[test]
fn k3_an_issuer_that_is_no_address_has_no_metadata() {
    let build = |name: &str| {
        let keys = SigningKeys::generate(SigningAlgorithm::Es256).unwrap();
        let issuer = AccessTokenIssuer::new(name, "api", Duration::from_hours(1), keys);
        let peppers = Peppers::new(KeyHasher::new("a", &Secret::new(vec![7; 32])).unwrap());
        let (store, limits) = (Arc::new(MemoryClientStore::new()), Arc::new(MemoryLimitStore::new()));
        let parts = ClientParts::new(store, peppers, issuer, limits, Arc::new(SystemClock));
        let oauth = OAuthEndpoints::new(Clients::new(parts)).unwrap();
        Endpoints::builder().oauth(oauth).at(Endpoint::OAuthMetadata, "/metadata").build().is_ok()
    };
    for good in ["https://us.example", "https://us.example:8443/tenant", "http://127.0.0.1:8080", "http://localhost/a"]
    {
        assert!(build(good), "{good}");
    }
    for bad in ["us", "http://us.example", "https://us.example?a", "https://us.example#a", "http://localhost.example"] {
        assert!(!build(bad), "{bad}");
    }
}
