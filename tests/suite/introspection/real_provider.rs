//! Opaque access tokens of npm's `oidc-provider` (`tests/node/provider.mjs`), at both gateways.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::gateway::{Answer, BINARIES, Connection, Gateway};
use crate::profiles::Provider;

const API: &str = "https://api.example/";
const APP: (&str, &str) = ("app", "of/the+app");

fn config(issuer: &str, more: &str) -> String {
    format!(
        "[[introspection]]\nissuer = \"{issuer}\"\nurl = \"{issuer}/token/introspection\"\naudience = \"{API}\"\n\
         client_id = \"resource:server\"\nclient_secret = {{ file = \"rs-secret\" }}\n{more}\n\
         [[credentials]]\nauthorization = \"Bearer\"\nkinds = [\"introspected\"]\n\
         [[routes]]\npath = \"/v1/{{*rest}}\"\nmethods = [\"GET\"]\nneeds = \"read\"\n\
         [[routes]]\npath = \"/v1/{{*rest}}\"\nneeds = \"write\"\n"
    )
}

async fn start(binary: &'static str, config: &str) -> Gateway {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("rs-secret"), "of the/resource+server\n").unwrap();
    Gateway::start_in(binary, config, dir).await
}

/// Posts a form to the provider as the client that tokens are made for.
async fn post(issuer: &str, path: &str, form: &[(&str, &str)]) -> Answer {
    let address: SocketAddr = issuer.strip_prefix("http://").unwrap().parse().unwrap();
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = STANDARD.encode(format!("{}:{}", encoded(APP.0), encoded(APP.1)));
    let content = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = format!(
        "POST {path} HTTP/1.1\nHost: {address}\nAuthorization: Basic {basic}\nConnection: close\n\
         Content-Type: application/x-www-form-urlencoded\nContent-Length: {}\n\n{content}",
        content.len()
    );
    Connection::open(address).await.ask(&request).await
}

async fn token(issuer: &str, resource: &str, scope: &str) -> String {
    let form = [("grant_type", "client_credentials"), ("resource", resource), ("scope", scope)];
    let answer = post(issuer, "/token", &form).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert!(!token.contains('.'), "it is opaque");
    token
}

async fn ask(gateway: &Gateway, method: &str, token: &str) -> Answer {
    let length = if method == "POST" { "Content-Length: 0\n" } else { "" };
    let request = format!("{method} /v1/x HTTP/1.1\nHost: a\n{length}Authorization: Bearer {token}\n\n");
    gateway.connect().await.ask(&request).await
}

#[tokio::test]
async fn t36_tokens_of_a_real_server_pass_as_far_as_they_go_and_nobody_else_s() {
    let provider = Provider::start(None).await;
    let issuer = provider.issuer.as_str();
    for binary in BINARIES {
        let gateway = start(binary, &config(issuer, "")).await;
        let (reader, elsewhere) =
            (token(issuer, API, "read").await, token(issuer, "https://other.example/", "read").await);
        for _ in 0..2 {
            let passed = ask(&gateway, "GET", &reader).await;
            assert_eq!(passed.status(), 200, "{binary}: {passed:?}");
            assert_eq!(passed.echoed("x-auth-subject"), ["client:app"]);
            assert_eq!(passed.echoed("x-auth-method"), ["opaque_token"]);
            let refused = ask(&gateway, "POST", &reader).await;
            assert_eq!(refused.status(), 403, "{binary}: {refused:?}");
            assert!(refused.list("www-authenticate").contains("insufficient_scope"), "{refused:?}");
            for bad in [&elsewhere, "unknown", &format!("{reader}x")] {
                let refused = ask(&gateway, "GET", bad).await;
                assert_eq!(refused.status(), 401, "{binary}: {refused:?}");
                assert!(refused.list("www-authenticate").contains("invalid_token"), "{refused:?}");
            }
        }
        let writer = token(issuer, API, "read write").await;
        assert_eq!(ask(&gateway, "POST", &writer).await.status(), 200, "{binary}");
    }
}

#[tokio::test]
async fn t37_a_token_that_a_real_server_took_back_is_refused() {
    let provider = Provider::start(None).await;
    let issuer = provider.issuer.as_str();
    for binary in BINARIES {
        let gateway = start(binary, &config(issuer, "believed_for = \"0s\"")).await;
        let token = token(issuer, API, "read").await;
        for _ in 0..2 {
            assert_eq!(ask(&gateway, "GET", &token).await.status(), 200, "{binary}");
        }
        let revoked = post(issuer, "/token/revocation", &[("token", &token)]).await;
        assert_eq!(revoked.status(), 200, "{revoked:?}");
        let refused = ask(&gateway, "GET", &token).await;
        assert_eq!(refused.status(), 401, "{binary}: {refused:?}");
    }
}

#[tokio::test]
async fn t38_a_server_that_refuses_the_gateway_s_own_credentials_is_503_and_says_so_in_the_log() {
    let provider = Provider::start(None).await;
    let issuer = provider.issuer.as_str();
    for binary in BINARIES {
        let mut gateway = start(binary, &config(issuer, "")).await;
        let token = token(issuer, API, "read").await;
        // with the next configuration the secret is another one
        let (good, bad) = ("of the/resource+server", "of another");
        for (secret, status) in [(good, 200), (bad, 503), (good, 200)] {
            std::fs::write(gateway.dir.path().join("rs-secret"), secret).unwrap();
            gateway.hang_up();
            gateway.logs("the new configuration is in force").await;
            let answer = ask(&gateway, "GET", &token).await;
            assert_eq!(answer.status(), status, "{binary}: {answer:?}");
            if status == 503 {
                assert_eq!(answer.field("retry-after"), Some("5"));
                let line = gateway.logs("refuses the credentials of this service (status 401)").await;
                assert!(!line.contains(&token) && !line.contains(bad), "{line}");
            }
        }
    }
}
