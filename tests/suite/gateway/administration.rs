//! Administration of users, tenants and keys: over HTTP, and by the command line beside a gateway that serves.

use std::path::Path;

use serde_json::{Value, json};

use super::process::{soon, tool};
use super::{Answer, Connection, Gateway, on_both};

const CONFIG: &str = r#"
[[credentials]]
authorization = "Bearer"
kinds = ["jwt"]
[[credentials]]
header = "X-API-Key"
kinds = ["api_key"]
[tokens]
issuer = "gw"
audience = "api"
algorithm = "ES256"
lifetime = "10m"
[api_keys]
prefix = "acme"
[accounts]
refresh = { prefix = "rt" }
[revocations]
[admin]
prefix = "/admin-api"
needs = "administrate"
[endpoints.login]
path = "/login"
[endpoints.refresh]
path = "/refresh"
[endpoints.logout]
path = "/logout"
[endpoints.public_keys]
path = "/jwks.json"
[errors]
shape = "flat"
[[routes]]
path = "/v1/{*rest}"
methods = ["GET", "HEAD"]
needs = "read"
[[routes]]
path = "/v1/{*rest}"
needs = "write"
"#;

const PASSWORD: &str = "correct horse battery";

/// What the command line answers in JSON.
fn command(gateway: &Gateway, arguments: &[&str]) -> Value {
    let mut command = tool(gateway.binary, dir(gateway), arguments);
    let output = command.arg("--json").env("PASSWORD", PASSWORD).output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {log}");
    assert!(!log.contains(PASSWORD), "{log}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn dir(gateway: &Gateway) -> &Path {
    gateway.dir.path()
}

async fn send(client: &mut Connection, method: &str, path: &str, field: &str, content: Option<Value>) -> Answer {
    let content = content.map(|content| content.to_string()).unwrap_or_default();
    let length = content.len();
    let head = format!("{method} {path} HTTP/1.1\nHost: a\n{field}\nContent-Type: application/json\nContent-Length: ");
    client.ask(&format!("{head}{length}\n\n{content}")).await
}

/// Content of that type, to make a user.
async fn send_as(client: &mut Connection, path: &str, field: &str, media_type: &str) -> Answer {
    let content = r#"{"email": "y@example.com"}"#;
    let head = format!("POST {path} HTTP/1.1\nHost: a\n{field}\nContent-Type: {media_type}\nContent-Length: ");
    client.ask(&format!("{head}{}\n\n{content}", content.len())).await
}

async fn log_in(client: &mut Connection, email: &str, password: &str) -> Answer {
    let content = json!({ "email": email, "password": password });
    send(client, "POST", "/login", "X-None: x", Some(content)).await
}

fn bearer(answer: &Answer) -> String {
    assert_eq!(answer.status(), 200, "{}", answer.text());
    format!("Authorization: Bearer {}", answer.json()["access_token"].as_str().unwrap())
}

fn key_of(made: &Value) -> String {
    format!("X-API-Key: {}", made["key"].as_str().unwrap())
}

async fn status(client: &mut Connection, method: &str, field: &str) -> u16 {
    client.ask(&format!("{method} /v1/x HTTP/1.1\nHost: a\n{field}\nContent-Length: 0\n\n")).await.status()
}

/// Asks until the answer is that, which it must be soon.
async fn turns(client: &mut Connection, field: &str, to: u16) {
    soon("the other answer", async {
        while status(client, "GET", field).await != to {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// An administrator at work.
struct Desk {
    client: Connection,
    field: String,
}

impl Desk {
    async fn of(gateway: &Gateway) -> Self {
        let create = ["users", "create", "--email", "root@example.com", "--permission", "administrate"];
        command(gateway, &[&create[..], &["--password-env", "PASSWORD"]].concat());
        let mut client = gateway.connect().await;
        let field = bearer(&log_in(&mut client, "root@example.com", PASSWORD).await);
        Self { client, field }
    }

    async fn ask(&mut self, method: &str, path: &str, content: Option<Value>) -> Answer {
        send(&mut self.client, method, &format!("/admin-api/{path}"), &self.field, content).await
    }

    /// What is answered to something that is done.
    async fn does(&mut self, method: &str, path: &str, content: Option<Value>) -> Value {
        let answer = self.ask(method, path, content).await;
        assert!(matches!(answer.status(), 200 | 201), "{method} {path}: {}", answer.text());
        assert_eq!(answer.field("cache-control"), Some("no-store"));
        answer.json()
    }
}

#[tokio::test]
async fn what_administrators_do_over_http_is_in_force_when_it_is_answered() {
    on_both(CONFIG, async |gateway| {
        let mut desk = Desk::of(&gateway).await;
        let mut client = gateway.connect().await;
        assert_eq!(desk.does("POST", "tenants", Some(json!({ "id": "t1", "plan": "free" }))).await["status"], "active");
        let wanted = json!({
            "email": "Ada@example.com", "tenant": "t1", "permissions": ["read", "write"], "password": PASSWORD,
        });
        let ada = desk.does("POST", "users", Some(wanted.clone())).await;
        assert_eq!((&ada["email"], &ada["password"]), (&json!("Ada@example.com"), &Value::Null));
        let id = ada["id"].as_str().unwrap();
        let wanted_key = json!({
            "name": "ci", "owner": id, "tenant": "t1", "plan": "free", "permissions": ["read", "write"],
        });
        let made = desk.does("POST", "keys", Some(wanted_key.clone())).await;
        let (key, other) = (key_of(&made), key_of(&desk.does("POST", "keys", Some(wanted_key)).await));
        let tokens = log_in(&mut client, "ada@example.com", PASSWORD).await;
        let (token, refresh) = (bearer(&tokens), json!({ "refresh_token": tokens.json()["refresh_token"] }));
        for field in [&key, &other, &token] {
            assert_eq!(status(&mut client, "POST", field).await, 200);
        }

        // a tenant that is switched off takes its tokens and keys along, and the keys and refresh tokens come back
        for _ in 0..2 {
            assert_eq!(desk.does("POST", "tenants/t1/disable", None).await["status"], "disabled");
        }
        for field in [&key, &token] {
            assert_eq!(status(&mut client, "GET", field).await, 401);
        }
        assert_eq!(send(&mut client, "POST", "/refresh", "X-None: x", Some(refresh.clone())).await.status(), 401);
        assert_eq!(log_in(&mut client, "ada@example.com", PASSWORD).await.status(), 401);
        let enabling = desk.ask("POST", &format!("keys/{}/enable", made["id"].as_str().unwrap()), None).await;
        assert_eq!(enabling.status(), 409, "a key does not come back without its tenant");
        desk.does("POST", "tenants/t1/enable", None).await;
        assert_eq!(status(&mut client, "GET", &key).await, 200);
        assert_eq!(status(&mut client, "GET", &token).await, 401, "what was issued before stays refused");
        assert_eq!(send(&mut client, "POST", "/refresh", "X-None: x", Some(refresh)).await.status(), 200);

        // a user takes sessions and keys along; a key that was off by itself stays off
        let other_id = desk.does("GET", &format!("keys?owner={id}"), None).await["keys"][1]["id"].clone();
        desk.does("POST", &format!("keys/{}/disable", other_id.as_str().unwrap()), None).await;
        let token = bearer(&log_in(&mut client, "ada@example.com", PASSWORD).await);
        desk.does("POST", &format!("users/{id}/disable"), None).await;
        for field in [&key, &other, &token] {
            assert_eq!(status(&mut client, "GET", field).await, 401);
        }
        assert_eq!(log_in(&mut client, "ada@example.com", PASSWORD).await.status(), 401);
        desk.does("POST", &format!("users/{id}/enable"), None).await;
        assert_eq!((status(&mut client, "GET", &key).await, status(&mut client, "GET", &other).await), (200, 401));
        assert_eq!(status(&mut client, "GET", &token).await, 401, "sessions that were ended stay ended");

        // what a user loses, the keys lose; another plan goes to those that had the one before
        desk.does("PUT", &format!("users/{id}/permissions"), Some(json!({ "permissions": ["read"] }))).await;
        assert_eq!((status(&mut client, "GET", &key).await, status(&mut client, "POST", &key).await), (200, 403));
        desk.does("PUT", &format!("users/{id}/plan"), Some(json!({ "plan": "pro" }))).await;
        let shown = desk.does("GET", &format!("keys/{}", made["id"].as_str().unwrap()), None).await;
        assert_eq!((&shown["plan"], &shown["permissions"]), (&json!("pro"), &json!(["read"])));

        let reset = desk.does("POST", &format!("users/{id}/reset-password"), None).await;
        let fresh = reset["password"].as_str().unwrap();
        let token = bearer(&log_in(&mut client, "ada@example.com", fresh).await);
        assert_eq!(log_in(&mut client, "ada@example.com", PASSWORD).await.status(), 401);
        desk.does("POST", &format!("users/{id}/end-sessions"), None).await;
        assert_eq!(status(&mut client, "GET", &token).await, 401);
        let rotated = desk.does("POST", &format!("keys/{}/rotate", made["id"].as_str().unwrap()), None).await;
        assert_eq!(rotated["rotated_from"], made["id"]);
        desk.does("DELETE", &format!("keys/{}", made["id"].as_str().unwrap()), None).await;
        assert_eq!(status(&mut client, "GET", &key).await, 401);
        assert_eq!(status(&mut client, "GET", &key_of(&rotated)).await, 200);
    })
    .await;
}

fn many_networks(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("10.0.{number}.0/24")).collect()
}

#[tokio::test]
async fn administration_is_for_those_who_may_and_says_what_is_wrong() {
    on_both(CONFIG, async |gateway| {
        let mut desk = Desk::of(&gateway).await;
        let mut client = gateway.connect().await;
        for number in 1..=3 {
            let wanted = json!({ "email": format!("u{number}@example.com"), "permissions": ["read", "admin"] });
            desk.does("POST", "users", Some(wanted)).await;
        }
        let page = desk.does("GET", "users?limit=2", None).await;
        let next = page["next"].as_str().unwrap();
        assert_eq!((page["users"].as_array().unwrap().len(), &page["users"][1]["id"]), (2, &json!(next)));
        let last = desk.does("GET", &format!("users?limit=2&after={next}"), None).await;
        assert_eq!((&last["users"][1]["email"], &last["next"]), (&json!("u3@example.com"), &Value::Null));
        let found = desk.does("POST", "users/find", Some(json!({ "email": "U3@EXAMPLE.COM" }))).await;
        assert_eq!(found["id"], last["users"][1]["id"]);

        let path = format!("users/{}/permissions", found["id"].as_str().unwrap());
        let weak = json!({ "email": "x@example.com", "password": "short" });
        for (method, path, content, expected) in [
            ("GET", "users/user_none", None, 404),
            ("GET", "nonsense", None, 404),
            ("DELETE", "users/user_none", None, 404),
            ("POST", "tenants/none/disable", None, 404),
            ("POST", "users", Some(json!({ "email": "u1@example.com" })), 409),
            ("POST", "users", Some(json!({})), 400),
            ("POST", "users", Some(weak), 400),
            ("PUT", &path, Some(json!({})), 400),
            ("PUT", &path, Some(json!({ "permissions": "read" })), 400),
            ("PUT", &path.replace("permissions", "plan"), Some(json!({})), 400),
            ("PUT", &path.replace("permissions", "networks"), Some(json!({ "networks": ["10.0.0.1/8"] })), 400),
            ("POST", "tenants", Some(json!({ "id": "a/b" })), 400),
            ("GET", "users?limit=0", None, 400),
            ("GET", "users?page=2", None, 400),
            ("GET", "users?owner=ada", None, 400),
            ("GET", "tenants?tenant=acme", None, 400),
            ("PUT", &path.replace("permissions", "plan"), Some(json!({ "plan": "" })), 400),
            ("PUT", &path.replace("permissions", "plan"), Some(json!({ "plan": "a\r\nx-auth-subject: root" })), 400),
            ("POST", "users", Some(json!({ "email": "x@example.com", "type": "\u{7}" })), 400),
            ("POST", "keys", Some(json!({ "name": "k", "owner": "o", "permissions": [], "tenant": "a\nb" })), 400),
            ("POST", "keys", Some(json!({ "name": "k", "owner": "o", "permissions": ["a b"] })), 400),
            (
                "POST",
                "keys",
                Some(json!({ "name": "k", "owner": "o", "permissions": [],
                             "expires_at": "2099-01-01T00:00:00Z", "expires_in": 60 })),
                400,
            ),
            ("POST", "keys/key_none/rotate", Some(json!({ "overlap": 7_776_001 })), 400),
            ("POST", "keys/key_none/rotate", None, 404),
            ("POST", "users", Some(json!({ "email": "x@example.com", "networks": many_networks(33) })), 400),
        ] {
            let answer = desk.ask(method, path, content).await;
            assert_eq!(answer.status(), expected, "{method} {path}: {}", answer.text());
            assert!(answer.json()["error"].is_string() || answer.json()["error"].is_object(), "{}", answer.text());
        }
        // by another site's form, a type is what a browser cannot claim
        let without = send_as(&mut client, "/admin-api/users", &desk.field, "text/plain").await;
        assert_eq!(without.status(), 415);
        // nobody else: not a stranger, not a user with other permissions, not under another spelling
        assert_eq!(send(&mut client, "GET", "/admin-api/users", "X-None: x", None).await.status(), 401);
        let fresh = command(&gateway, &["users", "reset-password", "u1@example.com"]);
        let user = bearer(&log_in(&mut client, "u1@example.com", fresh["password"].as_str().unwrap()).await);
        for (method, path) in [("GET", "users"), ("POST", "users"), ("GET", "nonsense")] {
            assert_eq!(send(&mut client, method, &format!("/admin-api/{path}"), &user, None).await.status(), 403);
        }
        assert_eq!(send(&mut client, "GET", "/admin-api/%75sers", &desk.field, None).await.status(), 404);
        assert_eq!(send(&mut client, "GET", "/Admin-API/users", &desk.field, None).await.status(), 400);
    })
    .await;
}

#[tokio::test]
async fn s15_every_login_and_every_change_is_told_once_without_names_or_secrets() {
    on_both(CONFIG, async |mut gateway| {
        let mut desk = Desk::of(&gateway).await;
        let root = gateway.logs("what=\"login\"").await;
        assert!(root.contains("auth::account") && root.contains("session=\"ses_"), "{root}");
        assert!(root.contains("account=\"user_") && root.contains("client=127.0.0.1"), "{root}");
        let wanted = json!({ "email": "ada@example.com", "password": PASSWORD, "permissions": ["read"] });
        let id = desk.does("POST", "users", Some(wanted)).await["id"].as_str().unwrap().to_owned();
        let mut client = gateway.connect().await;
        log_in(&mut client, "ada@example.com", "a wrong one").await;
        log_in(&mut client, PASSWORD, "typed into the wrong field").await;
        let tokens = log_in(&mut client, "ada@example.com", PASSWORD).await;
        let field = bearer(&tokens);
        let refresh = json!({ "refresh_token": tokens.json()["refresh_token"] });
        assert_eq!(send(&mut client, "POST", "/refresh", "X-None: x", Some(refresh)).await.status(), 200);
        assert_eq!(send(&mut client, "POST", "/logout", &field, None).await.status(), 204);
        desk.does("POST", &format!("users/{id}/disable"), None).await;
        log_in(&mut client, "ada@example.com", PASSWORD).await;

        let mut told = Vec::new();
        while told.len() < 8 {
            let line = gateway.next_line().await;
            assert!(!line.contains(PASSWORD) && !line.contains("wrong one") && !line.contains("ada@"), "{line}");
            if line.contains("auth::account") {
                told.push(line);
            }
        }
        let account = format!("account=\"{id}\"");
        for (line, (what, cause, of_account)) in told.iter().zip([
            ("user_create", None, true),
            ("login_failed", Some("invalid_credentials"), true),
            ("login_failed", Some("unknown_account"), false),
            ("login", None, true),
            ("refresh", None, true),
            ("logout", None, true),
            ("user_disable", None, true),
            ("login_failed", Some("disabled"), true),
        ]) {
            assert!(line.contains(&format!("what=\"{what}\"")), "{what}: {line}");
            assert_eq!(line.contains(&account), of_account, "{line}");
            assert_eq!(line.contains("cause="), cause.is_some(), "{line}");
            assert!(cause.is_none_or(|cause| line.contains(&format!("cause=\"{cause}\""))), "{line}");
            assert!(line.contains("client=127.0.0.1"), "{line}");
            assert_eq!(line.contains("by=\"user_"), what.starts_with("user_"), "{line}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_the_command_line_changes_is_followed_by_a_gateway_that_serves() {
    on_both(CONFIG, async |gateway| {
        let mut client = gateway.connect().await;
        command(&gateway, &["tenants", "create", "t1"]);
        let create = ["users", "create", "--email", "ada@example.com", "--tenant", "t1", "--permission", "read"];
        let ada = command(&gateway, &[&create[..], &["--password-env", "PASSWORD"]].concat());
        let owner = ada["id"].as_str().unwrap();
        let create = ["keys", "create", "--name", "ci", "--owner", owner, "--tenant", "t1", "--permission", "read"];
        let key = key_of(&command(&gateway, &create));
        let token = bearer(&log_in(&mut client, "ada@example.com", PASSWORD).await);
        assert_eq!((status(&mut client, "GET", &key).await, status(&mut client, "GET", &token).await), (200, 200));

        command(&gateway, &["users", "disable", "ADA@example.com"]);
        turns(&mut client, &key, 401).await;
        turns(&mut client, &token, 401).await;
        command(&gateway, &["users", "enable", owner]);
        turns(&mut client, &key, 200).await;
        let token = bearer(&log_in(&mut client, "ada@example.com", PASSWORD).await);
        command(&gateway, &["tenants", "disable", "t1"]);
        turns(&mut client, &key, 401).await;
        turns(&mut client, &token, 401).await;
        command(&gateway, &["tenants", "enable", "t1"]);
        turns(&mut client, &key, 200).await;
    })
    .await;
}

#[tokio::test]
async fn k11_a_signing_key_that_is_replaced_while_it_is_used_verifies_on() {
    on_both(CONFIG, async |mut gateway| {
        let mut client = gateway.connect().await;
        let create = ["users", "create", "--user-name", "ada", "--email", "a@example.com", "--permission", "read"];
        command(&gateway, &[&create[..], &["--password-env", "PASSWORD"]].concat());
        let old = bearer(&log_in(&mut client, "a@example.com", PASSWORD).await);
        let keys = command(&gateway, &["signing-keys", "rotate"]);
        assert_eq!(keys, command(&gateway, &["signing-keys", "list"]));
        gateway.logs("the new configuration is in force").await;
        let published = client.ask("GET /jwks.json HTTP/1.1\nHost: a\n\n").await.json();
        for at in 0..2 {
            assert_eq!(published["keys"][at]["kid"], keys[at]["id"]);
        }
        let new = bearer(&log_in(&mut client, "a@example.com", PASSWORD).await);
        for token in [&old, &new] {
            assert_eq!(status(&mut client, "GET", token).await, 200);
        }
        let head = |field: &str| field.split(['.', ' ']).nth(2).unwrap().to_owned();
        assert_ne!(head(&old), head(&new), "the new key signs");
    })
    .await;
}
