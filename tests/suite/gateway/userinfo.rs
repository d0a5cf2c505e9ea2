//! OpenID Connect's userinfo, over both gateways (T39).

use serde_json::{Value, json};

use super::{Answer, BINARIES, Connection, Gateway};

const CONFIG: &str = r#"
[server]
public_url = "https://login.example"
[[credentials]]
authorization = "Bearer"
kinds = ["jwt"]
[tokens]
issuer = "https://login.example"
audience = "api"
algorithm = "ES256"
lifetime = "10m"
[accounts]
registration = { permissions = [SCOPES] }
[clients]
[revocations]
[endpoints.names]
name = "fullName"
email = "mail"
[endpoints.register]
path = "/register"
[endpoints.login]
path = "/login"
[endpoints.logout]
path = "/logout"
[endpoints.oauth_metadata]
path = "/.well-known/oauth-authorization-server"
USERINFO
"#;

const USERINFO: &str = "[endpoints.userinfo]\npath = \"/me\"";

async fn start(binary: &'static str, scopes: &str, userinfo: &str) -> Gateway {
    let config = CONFIG.replace("SCOPES", scopes).replace("USERINFO", userinfo);
    Gateway::start_in(binary, &config, tempfile::tempdir().unwrap()).await
}

async fn post(client: &mut Connection, path: &str, content: &Value) -> Answer {
    let content = content.to_string();
    let length = content.len();
    let head = format!("POST {path} HTTP/1.1\nHost: a\nContent-Type: application/json\nContent-Length: {length}\n\n");
    client.ask(&format!("{head}{content}")).await
}

/// Registers and logs somebody in, and answers their id and their token.
async fn somebody(client: &mut Connection) -> (String, String) {
    let person = json!({ "mail": "Ada@example.com", "fullName": "Ada", "password": "correct horse battery" });
    let made = post(client, "/register", &person).await;
    assert_eq!(made.status(), 201, "{made:?}");
    let login = post(client, "/login", &person).await;
    (made.json()["id"].as_str().unwrap().to_owned(), login.json()["access_token"].as_str().unwrap().to_owned())
}

async fn ask(client: &mut Connection, method: &str, authorization: &str) -> Answer {
    client.ask(&format!("{method} /me HTTP/1.1\nHost: a\nContent-Length: 0\n{authorization}\n")).await
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\n")
}

#[tokio::test]
async fn t39_userinfo_tells_what_the_scopes_name() {
    for binary in BINARIES {
        let gateway = start(binary, r#""openid", "profile", "email""#, USERINFO).await;
        let mut client = gateway.connect().await;
        let (id, token) = somebody(&mut client).await;
        for method in ["GET", "POST"] {
            let told = ask(&mut client, method, &bearer(&token)).await;
            assert_eq!((told.status(), told.field("content-type")), (200, Some("application/json")), "{told:?}");
            assert_eq!(told.field("cache-control"), Some("no-store"), "S19");
            // the names are those of the standard, whatever the API calls its own
            let expected = json!({ "sub": id, "name": "Ada", "email": "Ada@example.com", "email_verified": false });
            assert_eq!(told.json(), expected, "{binary} {method}");
        }
        let head = ask(&mut client, "HEAD", &bearer(&token)).await;
        assert_eq!((head.status(), head.body.is_empty()), (200, true), "{binary}");
        let other = ask(&mut client, "PUT", &bearer(&token)).await;
        assert_eq!(other.status(), 403, "{binary}: no rule");

        let metadata = "GET /.well-known/oauth-authorization-server HTTP/1.1\nHost: a\n\n";
        let told = client.ask(metadata).await.json();
        assert_eq!(told["userinfo_endpoint"], "https://login.example/me", "{binary}");
        let ending = format!("POST /logout HTTP/1.1\nHost: a\nContent-Length: 0\n{}\n", bearer(&token));
        assert_eq!(client.ask(&ending).await.status(), 204);
        assert_eq!(ask(&mut client, "GET", &bearer(&token)).await.status(), 401, "{binary}");

        let without = start(binary, "\"openid\"", "").await;
        let told = without.connect().await.ask(metadata).await.json();
        assert!(told.get("issuer").is_some() && told.get("userinfo_endpoint").is_none(), "{binary}: {told}");
    }
}

#[tokio::test]
async fn t39_userinfo_refuses_as_rfc_6750_says() {
    for binary in BINARIES {
        // somebody who may do a lot, and about whom no client may know anything
        let gateway = start(binary, r#""profile", "email", "openid:read""#, USERINFO).await;
        let mut client = gateway.connect().await;
        let (_, token) = somebody(&mut client).await;
        for method in ["GET", "POST"] {
            let refused = ask(&mut client, method, &bearer(&token)).await;
            let challenge = refused.field("www-authenticate").unwrap_or_default();
            let is_scope =
                challenge.starts_with("Bearer realm=") && challenge.contains(r#"error="insufficient_scope""#);
            assert!(refused.status() == 403 && is_scope, "{binary} {method}: {refused:?}");
            assert!(challenge.ends_with(r#", scope="openid""#), "{challenge}");

            let refused = ask(&mut client, method, "").await;
            let challenge = refused.field("www-authenticate").unwrap_or_default();
            assert!(challenge.starts_with("Bearer realm=") && !challenge.contains("error"), "B1: {challenge}");
            assert_eq!(refused.status(), 401, "{binary} {method}");
            let refused = ask(&mut client, method, &bearer("made.up.entirely")).await;
            let challenge = refused.field("www-authenticate").unwrap_or_default();
            assert!(refused.status() == 401 && challenge.contains(r#"error="invalid_token""#), "B7: {refused:?}");
        }
    }
}
