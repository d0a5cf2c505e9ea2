//! Other proxies ask what the gate says: the questions of nginx, Traefik and Caddy as they send them, and Debian's nginx
//! with the configuration of `examples/nginx`.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::Stdio;

use serde_json::json;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use super::process::soon;
use super::tokens::ISSUER;
use super::{Answer, Connection, Gateway, Upstream, on_both, token};

fn config(trusted: &str) -> String {
    format!(
        "{ISSUER}\n[server]\ntrusted_proxies = [\"{trusted}\"]\n[forward_auth]\npath = \"/forward-auth\"\n\
         [assertions]\nissuer = \"https://gate.example\"\n[upstream.assertion]\naudience = \"service\"\n\
         [[routes]]\npath = \"/limited/{{*rest}}\"\naccess = \"authenticated\"\n\
         [limits]\ndefault_plan = \"all\"\n[[plans]]\nname = \"all\"\n\
         limits = [{{ name = \"few\", quota = \"2/hour\", routes = [\"/limited/{{*rest}}\"] }}]\n"
    )
}

#[test]
fn the_configuration_of_the_example_is_sound() {
    let text = include_str!("../../../examples/nginx/gateway.toml");
    let config = gateway::config::load(text, "gateway.toml", std::path::Path::new("")).unwrap();
    assert!(gateway::wiring::problems(&config).unwrap().is_empty());
}

/// What Traefik and Caddy send of `method target`, with these fields of the client's.
fn forwarded(method: &str, target: &str, more: &str) -> String {
    format!(
        "GET /forward-auth HTTP/1.1\nHost: gate.internal\nX-Forwarded-For: 192.0.2.7\nX-Forwarded-Host: api.example\n\
         X-Forwarded-Method: {method}\nX-Forwarded-Proto: https\nX-Forwarded-Uri: {target}\n{more}\n"
    )
}

/// What nginx sends as it is configured.
fn original(method: &str, target: &str, more: &str) -> String {
    format!(
        "GET /forward-auth HTTP/1.1\nHost: api.example\nX-Forwarded-For: 192.0.2.7\nX-Original-Method: {method}\n\
         X-Original-URI: {target}\n{more}\n"
    )
}

fn bearer(claims: serde_json::Value) -> String {
    format!("Authorization: Bearer {}\n", token(claims))
}

#[tokio::test]
async fn what_the_gate_says_of_the_original_request_is_answered() {
    on_both(&config("127.0.0.1/32"), async |gateway| {
        for question in [forwarded, original] {
            let asked = async |method: &str, target: &str, more: &str| {
                gateway.connect().await.ask(&question(method, target, more)).await
            };
            let good = bearer(json!({"tenant": "acme"}));
            let passed = asked("GET", "/v1/x?page=2", &good).await;
            assert_eq!(passed.status(), 204, "{passed:?}");
            assert_eq!(passed.field("x-auth-subject"), Some("user-1"));
            assert_eq!(passed.field("x-auth-tenant"), Some("acme"));
            assert!(passed.field("x-auth-assertion").is_some());
            let open = asked("GET", "/public/x", "x-auth-subject: admin\n").await;
            assert_eq!((open.status(), open.field("x-auth-subject")), (204, None));

            let nobody = asked("GET", "/v1/x", "").await;
            assert_eq!(nobody.status(), 401);
            assert!(nobody.list("www-authenticate").starts_with("Bearer"), "{nobody:?}");
            assert_eq!(nobody.json()["status"], 401);
            let reader = bearer(json!({"scope": "read"}));
            assert_eq!(asked("GET", "/v1/x", &reader).await.status(), 204);
            assert_eq!(asked("POST", "/v1/x", &reader).await.status(), 403, "the method is the original one");
            for tricky in ["/public//../v1/x", "/public/%2e%2e/v1/x", "/public/..%2fv1/x", "//v1/x", "/V1/x"] {
                let refused = asked("GET", tricky, &good).await;
                assert!([400, 403].contains(&refused.status()), "{tricky}: {refused:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn questions_in_doubt_are_refused() {
    on_both(&config("127.0.0.1/32"), async |gateway| {
        let good = bearer(json!({}));
        let whole = original("GET", "/v1/x", &good);
        let asked = async |question: &str| gateway.connect().await.ask(question).await.status();
        assert_eq!(asked(&whole).await, 204);
        for missing in ["X-Original-Method: GET\n", "X-Original-URI: /v1/x\n", "X-Forwarded-For: 192.0.2.7\n"] {
            assert_eq!(asked(&whole.replace(missing, "")).await, 400, "{missing}");
        }
        for more in [
            "X-Original-URI: /public/x\n",
            "X-Original-Method: GET\n",
            "X-Forwarded-Uri: /public/x\n",
            "X-Forwarded-Method: GET\n",
            "Forwarded: for=198.51.100.1\n",
        ] {
            assert_eq!(asked(&original("GET", "/v1/x", &format!("{good}{more}"))).await, 400, "{more}");
        }
        for target in ["https://api.example/v1/x", "v1/x", "*", "/v1/x#y", "/v1/ x"] {
            assert_eq!(asked(&original("GET", target, &good)).await, 400, "{target}");
        }
        // as a path of the gateway's own it is nobody's
        assert_eq!(asked(&original("GET", "/forward-auth", &good)).await, 403);
    })
    .await;
}

#[tokio::test]
async fn only_trusted_proxies_may_ask() {
    on_both(&config("192.0.2.0/24"), async |gateway| {
        for question in [forwarded, original] {
            let answer = gateway.connect().await.ask(&question("GET", "/public/x", &bearer(json!({})))).await;
            assert_eq!(answer.status(), 403, "{answer:?}");
            assert!(answer.field("x-auth-subject").is_none());
        }
    })
    .await;
}

/// Debian's nginx with the configuration of the example.
struct Nginx {
    address: SocketAddr,
    _child: Child,
    _dir: tempfile::TempDir,
}

impl Nginx {
    async fn start(gateway: &Gateway, upstream: &Upstream) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let text = include_str!("../../../examples/nginx/nginx.conf")
            .replace("127.0.0.1:8080", &gateway.address.to_string())
            .replace("127.0.0.1:9000", &upstream.authority())
            .replace("127.0.0.1:8000", &address.to_string());
        std::fs::write(dir.path().join("nginx.conf"), text).unwrap();
        let child = Command::new("nginx")
            .args(["-e", "stderr", "-g", "daemon off; master_process off;", "-c", "nginx.conf", "-p"])
            .arg(dir.path())
            .env("PATH", format!("{}:/usr/sbin:/usr/local/sbin", std::env::var("PATH").unwrap_or_default()))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("nginx is there: ./check.sh --install-tools");
        soon("nginx", async {
            while TcpStream::connect(address).await.is_err() {
                tokio::task::yield_now().await;
            }
        })
        .await;
        Self { address, _child: child, _dir: dir }
    }

    async fn refused(&self, request: &str) -> Answer {
        Connection::open(self.address).await.ask(request).await
    }
}

/// Sends a request that must reach the upstream; answers what arrived there, and what the client got.
async fn passed(nginx: &Nginx, upstream: &Upstream, request: &str) -> (Answer, Answer) {
    let mut client = Connection::open(nginx.address).await;
    client.say(request).await;
    let mut behind = upstream.accept().await;
    let arrived = behind.request().await;
    behind.say("HTTP/1.1 200 OK\nContent-Length: 2\n\nok").await;
    (arrived, client.answer_to("GET").await)
}

#[tokio::test]
async fn nginx_passes_on_whom_the_gate_lets_pass() {
    let upstream = Upstream::start().await;
    on_both(&config("127.0.0.1/32"), async |gateway| {
        let nginx = Nginx::start(&gateway, &upstream).await;
        let forged: String = ["X-Auth-Subject", "X_Auth_Subject", "x.auth.subject", "X-Auth-Roles", "X-Auth-Assertion"]
            .map(|name| format!("{name}: admin\n"))
            .concat();
        let good = bearer(json!({"tenant": "acme"}));
        let second = "X-Forwarded-Uri: /public/x\nX-Original-URI: /public/x\nX-Forwarded-For: 6.6.6.6\n";
        let request = format!("GET /v1/a%20b?page=2 HTTP/1.1\nHost: api.example\n{good}{forged}{second}\n");
        let (arrived, answer) = passed(&nginx, &upstream, &request).await;
        assert_eq!((answer.status(), answer.text()), (200, "ok".to_owned()));
        assert_eq!(arrived.target(), ("GET", "/v1/a%20b?page=2"));
        assert_eq!(arrived.field("x-auth-subject"), Some("user-1"));
        assert_eq!(arrived.field("x-auth-tenant"), Some("acme"));
        assert_eq!(arrived.field("x-auth-permissions"), Some("read write"));
        assert_eq!(arrived.field("x-forwarded-for"), Some("127.0.0.1"));
        assert_eq!(arrived.field("x-auth-assertion").map(|token| token.split('.').count()), Some(3));
        assert!(arrived.field("authorization").is_none());
        assert!(!format!("{arrived:?}").contains("admin"), "{arrived:?}");

        let open = format!("GET /public/x HTTP/1.1\nHost: api.example\n{forged}\n");
        let (arrived, _) = passed(&nginx, &upstream, &open).await;
        assert!(!format!("{arrived:?}").to_ascii_lowercase().contains("auth"), "{arrived:?}");
    })
    .await;
}

/// What the gateway says of a caller, as the example names it for the upstream.
fn told_by_nginx() -> BTreeSet<String> {
    let text = include_str!("../../../examples/nginx/nginx.conf");
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("proxy_set_header X-Auth-"));
    lines.map(|rest| format!("x-auth-{}", rest.split(' ').next().unwrap().to_ascii_lowercase())).collect()
}

#[tokio::test]
async fn s12_whatever_a_client_invents_does_not_reach_the_upstream_behind_nginx() {
    let upstream = Upstream::start().await;
    on_both(&config("127.0.0.1/32"), async |gateway| {
        // the example names everything that the gateway can say: its own echo shows what that is
        let everything = bearer(json!({ "tenant": "acme", "plan": "all", "roles": ["admin"], "jti": "t-1" }));
        let echo = gateway.connect().await.ask(&format!("GET /v1/x HTTP/1.1\nHost: a\n{everything}\n")).await.json();
        let echoed = echo["headers"].as_object().unwrap().keys().filter(|name| name.starts_with("x-auth-")).cloned();
        let names: BTreeSet<String> = echoed.collect();
        assert_eq!(names, told_by_nginx());

        let nginx = Nginx::start(&gateway, &upstream).await;
        let invented = ["x-auth-user", "x-auth-admin", "x-auth-subject-id", "x-auth", "x-user", "remote-user"];
        for name in names.iter().map(String::as_str).chain(invented) {
            let mixed: String = name
                .char_indices()
                .map(|(at, char)| if at % 2 == 0 { char.to_ascii_uppercase() } else { char })
                .collect();
            let spellings = [
                name.to_owned(),
                name.to_ascii_uppercase(),
                mixed,
                name.replace('-', "_"),
                name.replacen('-', "_", 1),
                name.replace('-', "_").to_ascii_uppercase(),
                name.replace('-', "."),
                format!("{name}-"),
                format!("{name}_"),
            ];
            let forged = spellings.map(|spelling| format!("{spelling}: invented\n")).concat();
            for (path, credential) in [("/public/x", ""), ("/v1/x", everything.as_str())] {
                let request =
                    format!("GET {path} HTTP/1.1\nHost: a\nAccept: text/plain\nUser-Agent: me\n{credential}{forged}\n");
                let (arrived, answer) = passed(&nginx, &upstream, &request).await;
                assert_eq!(answer.status(), 200, "{name}: {answer:?}");
                assert!(!format!("{arrived:?}").contains("invented"), "{name} {path}: {arrived:?}");
                let mut known = names.clone();
                if credential.is_empty() {
                    known.clear();
                }
                for field in ["host", "connection", "accept", "user-agent", "x-request-id", "x-forwarded-for"] {
                    known.insert(field.to_owned());
                }
                let came: BTreeSet<String> = arrived.fields.iter().map(|(name, _)| name.clone()).collect();
                assert_eq!(came, known, "{name} {path}");
            }
        }
        // what has a line goes on, content included
        let post =
            format!("POST /v1/x HTTP/1.1\nHost: a\n{everything}Content-Type: text/plain\nContent-Length: 5\n\nhello");
        let (arrived, answer) = passed(&nginx, &upstream, &post).await;
        assert_eq!((answer.status(), arrived.text()), (200, "hello".to_owned()));
        assert_eq!(arrived.field("content-type"), Some("text/plain"));
    })
    .await;
}

#[tokio::test]
async fn nginx_tells_clients_what_the_gate_says() {
    let upstream = Upstream::start().await;
    on_both(&config("127.0.0.1/32"), async |mut gateway| {
        let nginx = Nginx::start(&gateway, &upstream).await;
        let good = bearer(json!({}));
        let asked = async |method: &str, target: &str, more: &str| {
            nginx.refused(&format!("{method} {target} HTTP/1.1\nHost: api.example\n{more}\n")).await
        };
        let nobody = asked("GET", "/v1/x", "").await;
        assert_eq!((nobody.status(), &nobody.json()["status"]), (401, &json!(401)), "{nobody:?}");
        assert_eq!(nobody.field("content-type"), Some("application/problem+json"));
        let direct = gateway.connect().await.ask("GET /v1/x HTTP/1.1\nHost: a\n\n").await;
        assert_eq!(nobody.list("www-authenticate"), direct.list("www-authenticate"));

        let reader = bearer(json!({"scope": "read"}));
        let post = asked("POST", "/v1/x", &format!("{reader}Content-Length: 0\n")).await;
        assert_eq!((post.status(), &post.json()["status"]), (403, &json!(403)), "{post:?}");
        assert!(post.list("www-authenticate").contains("insufficient_scope"), "{post:?}");
        let tricks =
            ["/public//../v1/x", "/public/%2e%2e/v1/x", "/public/..%2fv1/x", "//v1/x", "/public/../v1/x", "/v1%2Fx"];
        for tricky in tricks {
            let refused = asked("GET", tricky, &good).await;
            assert_eq!(refused.status(), 400, "{tricky}: {refused:?}");
        }
        let other_case = asked("GET", "/V1/x", &good).await;
        assert!([400, 403].contains(&other_case.status()), "{other_case:?}");

        for _ in 0..2 {
            let request = format!("GET /limited/x HTTP/1.1\nHost: a\n{good}\n");
            let (_, answer) = passed(&nginx, &upstream, &request).await;
            assert_eq!((answer.status(), answer.field("x-ratelimit-limit")), (200, Some("2")));
        }
        let limited = asked("GET", "/limited/x", &good).await;
        assert_eq!((limited.status(), &limited.json()["status"]), (429, &json!(429)), "{limited:?}");
        assert!(limited.field("retry-after").is_some() && limited.field("x-ratelimit-remaining") == Some("0"));

        gateway.terminate();
        gateway.ends().await;
        assert_eq!(asked("GET", "/public/x", "").await.status(), 503, "nobody can be asked, so nobody passes");
        assert!(upstream.is_alone().await, "nothing that was refused reached the upstream");
    })
    .await;
}
