//! What people need to reset a password or to verify an address, from the endpoint to the webhook and back.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Answer, BINARIES, Connection, Gateway, Upstream};

const CONFIG: &str = r#"
[[credentials]]
authorization = "Bearer"
kinds = ["jwt"]
[tokens]
issuer = "gw"
audience = "api"
algorithm = "ES256"
lifetime = "10m"
[accounts]
refresh = { prefix = "rt" }
messages = { url = "HOOK/auth?tenant=1", secret = { file = "hook-secret" }, SETTINGS }
RULES
[revocations]
[endpoints.register]
path = "/register"
[endpoints.login]
path = "/login"
[endpoints.refresh]
path = "/refresh"
[endpoints.request_password_reset]
path = "/forgot"
[endpoints.reset_password]
path = "/reset"
[endpoints.request_email_verification]
path = "/ask"
[endpoints.verify_email]
path = "/verify"
[errors]
shape = "flat"
[[routes]]
path = "/v1/{*rest}"
access = "authenticated"
"#;

const KEY: [u8; 32] = [42; 32];
const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery";
const FRESH: &str = "another good password";

async fn start(binary: &'static str, hook: &Upstream, settings: &str, rules: &str) -> Gateway {
    let dir: TempDir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("hook-secret"), format!("whsec_{}\n", STANDARD.encode(KEY))).unwrap();
    let config = CONFIG.replace("HOOK", &hook.url()).replace("SETTINGS", settings).replace("RULES", rules);
    Gateway::start_in(binary, &config, dir).await
}

async fn post(client: &mut Connection, path: &str, content: &Value) -> Answer {
    let content = content.to_string();
    let length = content.len();
    let head = format!("POST {path} HTTP/1.1\nHost: a\nContent-Type: application/json\nContent-Length: {length}\n\n");
    client.ask(&format!("{head}{content}")).await
}

async fn log_in(client: &mut Connection, password: &str) -> Answer {
    post(client, "/login", &json!({ "email": EMAIL, "password": password })).await
}

async fn register(client: &mut Connection) {
    let answer = post(client, "/register", &json!({ "email": EMAIL, "password": PASSWORD })).await;
    assert_eq!(answer.status(), 201, "{}", answer.text());
}

/// The next post to the hook, which gets that answer.
async fn posted(hook: &Upstream, answer: &str) -> Answer {
    let mut connection = hook.accept().await;
    let post = connection.request().await;
    connection.say(&format!("HTTP/1.1 {answer}\nContent-Length: 0\n\n")).await;
    post
}

/// HMAC-SHA-256 as RFC 2104 writes it down, to check the gateway's with.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let pad =
        |with: u8| -> Vec<u8> { (0..64).map(|place| key.get(place).copied().unwrap_or_default() ^ with).collect() };
    let inner = digest(&SHA256, &[&pad(0x36)[..], text].concat());
    digest(&SHA256, &[&pad(0x5c)[..], inner.as_ref()].concat()).as_ref().to_vec()
}

/// Checks a post as Standard Webhooks has it, and answers its id and what it says.
fn checked(post: &Answer) -> (String, Value) {
    assert_eq!(post.target(), ("POST", "/auth?tenant=1"));
    assert_eq!(post.field("content-type"), Some("application/json"));
    let (id, at) = (post.field("webhook-id").unwrap(), post.field("webhook-timestamp").unwrap());
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!(since.abs_diff(at.parse::<u64>().unwrap()) < 300, "{at}");
    let signed = [id.as_bytes(), b".", at.as_bytes(), b".", &post.body].concat();
    let expected = format!("v1,{}", STANDARD.encode(hmac(&KEY, &signed)));
    assert_eq!(post.field("webhook-signature"), Some(expected.as_str()));
    (id.to_owned(), post.json())
}

fn ticket(message: &Value, kind: &str) -> Value {
    assert_eq!(message["type"], kind);
    assert_eq!(message["data"]["email"], EMAIL);
    message["data"]["ticket"].clone()
}

#[tokio::test]
async fn s7_from_registering_to_a_password_that_was_reset() {
    for binary in BINARIES {
        let hook = Upstream::start().await;
        let mut gateway = start(binary, &hook, "pause = \"10ms\"", "require_verified_email = true").await;
        let mut client = gateway.connect().await;
        register(&mut client).await;
        let refused = log_in(&mut client, PASSWORD).await;
        assert_eq!((refused.status(), &refused.json()["error"]), (401, &json!("email_not_verified")));
        assert_eq!(log_in(&mut client, "a guess").await.json()["error"], "invalid_credentials");

        let first = checked(&posted(&hook, "500 No").await);
        let second = checked(&posted(&hook, "500 No").await);
        let third = checked(&posted(&hook, "204 Yes").await);
        assert!(first == second && second == third, "the same message with the same id: {first:?} {third:?}");
        gateway.logs("message_delivered").await;
        let welcome = ticket(&third.1, "account.verify_email");

        let reset_with = |ticket: &Value, password: &str| json!({ "ticket": ticket, "new_password": password });
        let wrong = post(&mut client, "/reset", &reset_with(&welcome, FRESH)).await;
        assert_eq!((wrong.status(), &wrong.json()["error"]), (400, &json!("invalid_ticket")));
        assert_eq!(post(&mut client, "/verify", &json!({ "ticket": welcome })).await.status(), 204);
        let tokens = log_in(&mut client, PASSWORD).await.json();
        let bearer = format!("Authorization: Bearer {}", tokens["access_token"].as_str().unwrap());
        let ask = format!("GET /v1/x HTTP/1.1\nHost: a\n{bearer}\n\n");
        assert_eq!(client.ask(&ask).await.status(), 200);

        let mut answers = Vec::new();
        for email in [EMAIL, "nobody@example.com"] {
            let mut answer = post(&mut client, "/forgot", &json!({ "email": email })).await;
            answer.fields.retain(|(name, _)| !matches!(name.as_str(), "date" | "x-request-id"));
            answers.push(format!("{answer:?}"));
        }
        assert_eq!(answers[0], answers[1], "S4");
        assert!(answers[0].contains(" 202 "), "{}", answers[0]);
        let (id, message) = checked(&posted(&hook, "200 OK").await);
        assert_ne!(id, third.0);
        let reset = ticket(&message, "account.reset_password");
        assert_eq!(client.ask(&ask).await.status(), 200, "nothing has happened yet");
        let weak = post(&mut client, "/reset", &reset_with(&reset, "short")).await;
        assert!(weak.status() == 400 && weak.text().contains("new_password"), "{weak:?}");
        assert_eq!(post(&mut client, "/reset", &reset_with(&reset, FRESH)).await.status(), 204);
        assert_eq!(client.ask(&ask).await.status(), 401, "every session has ended");
        let refresh = json!({ "refresh_token": tokens["refresh_token"] });
        assert_eq!(post(&mut client, "/refresh", &refresh).await.status(), 401);
        assert_eq!(log_in(&mut client, PASSWORD).await.status(), 401);
        assert_eq!(log_in(&mut client, FRESH).await.status(), 200);
        let again = post(&mut client, "/reset", &reset_with(&reset, "a third good password")).await;
        assert_eq!((again.status(), &again.json()["error"]), (400, &json!("invalid_ticket")));
        assert_eq!(log_in(&mut client, FRESH).await.status(), 200);
    }
}

#[tokio::test]
async fn a_receiver_that_asks_for_time_gets_it() {
    for binary in BINARIES {
        let hook = Upstream::start().await;
        let gateway = start(binary, &hook, "pause = \"1ms\"", "").await;
        let mut client = gateway.connect().await;
        register(&mut client).await;
        let date = httpdate::fmt_http_date(std::time::SystemTime::now() + std::time::Duration::from_secs(4));
        let (first, began) = (posted(&hook, "429 Later\nRetry-After: 1").await, std::time::Instant::now());
        let second = posted(&hook, &format!("503 Later\nRetry-After: {date}")).await;
        assert!(began.elapsed() >= std::time::Duration::from_secs(1), "{binary}: {:?}", began.elapsed());
        let third = posted(&hook, "204 Yes").await;
        let by = httpdate::parse_http_date(&date).unwrap();
        assert!(std::time::SystemTime::now() >= by, "{binary}: it came before {date}");
        let ids: Vec<String> = [first, second, third].iter().map(|post| checked(post).0).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }
}

#[tokio::test]
async fn s20_a_receiver_that_hangs_or_sends_elsewhere_holds_nobody_up() {
    for binary in BINARIES {
        let hook = Upstream::start().await;
        let settings = "pause = \"1ms\", timeout = \"100ms\", attempts = 2";
        let mut gateway = start(binary, &hook, settings, "").await;
        let mut client = gateway.connect().await;
        register(&mut client).await;
        let (mut first, mut second) = (hook.accept().await, hook.accept().await);
        let (first, second) = (first.request().await, second.request().await);
        assert_eq!(checked(&first), checked(&second), "not answered in time, and so once more");
        let line = gateway.logs("message_lost").await;
        assert!(line.contains("did not answer in time") && !line.contains(EMAIL), "{line}");
        assert_eq!(log_in(&mut client, PASSWORD).await.status(), 200);

        // what is posted is for this receiver, wherever it points
        assert_eq!(post(&mut client, "/forgot", &json!({ "email": EMAIL })).await.status(), 202);
        posted(&hook, "307 Elsewhere\nLocation: /other").await;
        gateway.logs("it answered 307").await;
        assert!(hook.is_alone().await);
    }
}

#[tokio::test]
async fn what_waits_when_the_gateway_is_stopped_has_one_more_attempt() {
    for binary in BINARIES {
        let hook = Upstream::start().await;
        let mut gateway = start(binary, &hook, "pause = \"50s\"", "").await;
        let mut client = gateway.connect().await;
        register(&mut client).await;
        let first = checked(&posted(&hook, "503 Later").await);
        gateway.logs("message_not_accepted").await;
        drop(client);
        gateway.terminate();
        assert_eq!(checked(&posted(&hook, "200 OK").await), first);
        assert!(gateway.ends().await.success());
    }
}
