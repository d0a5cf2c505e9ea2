//! Another configuration while the gateway serves: by signal, by a changed file, and not where it is wrong.

use serde_json::json;

use super::process::{BINARIES, profile_command, soon};
use super::tokens::{ISSUER, SECRET};
use super::upgrades::opened;
use super::{Connection, Gateway, Upstream, on_both, token};

const PUBLIC: &str = "GET /public/x HTTP/1.1\nHost: a\n\n";

const IN_FORCE: &str = "the new configuration is in force";
const REFUSED: &str = "the new configuration is refused";

fn to(upstream: &Upstream) -> String {
    format!("{ISSUER}\n[upstream]\nurl = \"{}\"\n", upstream.url())
}

async fn status(client: &mut Connection, path: &str, token: &str) -> u16 {
    client.ask(&format!("GET {path} HTTP/1.1\nHost: a\nAuthorization: Bearer {token}\n\n")).await.status()
}

#[tokio::test]
async fn s11_a_signal_puts_the_changed_file_in_force_and_what_is_in_flight_is_finished() {
    let (old, new) = (Upstream::start().await, Upstream::start().await);
    on_both(&to(&old), async |mut gateway| {
        let (mut busy, mut idle) = (gateway.connect().await, gateway.connect().await);
        let mut rotated = gateway.connect().await;
        let (mut socket, mut behind_socket) = opened(&gateway, &old).await;
        busy.say(PUBLIC).await;
        let mut behind_busy = old.accept().await;
        behind_busy.request().await;
        behind_busy.say("HTTP/1.1 200 OK\nContent-Length: 4\n\nhe").await;
        assert_eq!(busy.head().await.status(), 200);
        idle.say(PUBLIC).await;
        let mut behind = old.accept().await;
        behind.request().await;
        behind.say("HTTP/1.1 200 OK\nContent-Length: 0\nConnection: close\n\n").await;
        assert_eq!(idle.answer_to("GET").await.status(), 200);

        gateway.configure(&to(&new).replace("needs = \"read\"", "needs = \"admin\""));
        gateway.hang_up();
        gateway.logs(IN_FORCE).await;

        // a connection from before: the rule, and where it leads, are new
        assert_eq!(status(&mut idle, "/v1/x", &token(json!({}))).await, 403);
        idle.say(PUBLIC).await;
        let mut behind = new.accept().await;
        behind.request().await;
        behind.say("HTTP/1.1 200 OK\nContent-Length: 0\nConnection: close\n\n").await;
        assert_eq!(idle.answer_to("GET").await.status(), 200);
        // what began before goes on
        behind_busy.say("ld").await;
        assert_eq!(busy.exactly(4).await, b"held");
        socket.send(b"\x82\x01a").await;
        assert_eq!(behind_socket.exactly(3).await, b"\x82\x01a");
        behind_socket.send(b"\x82\x01b").await;
        assert_eq!(socket.exactly(3).await, b"\x82\x01b");

        // a key that was replaced acts with the next signal, though the file of the configuration is the same
        let other = SECRET.replace("tests alone", "tests again");
        std::fs::write(gateway.dir.path().join("secret"), &other).unwrap();
        gateway.hang_up();
        gateway.logs(IN_FORCE).await;
        assert_eq!(status(&mut rotated, "/v1/x", &token(json!({ "scope": "admin" }))).await, 401);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_configuration_is_refused_with_every_problem_and_the_old_one_stays() {
    on_both(ISSUER, async |mut gateway| {
        let mut client = gateway.connect().await;
        let good = token(json!({}));
        for (wrong, problems) in [
            ("needs = \"admin\"\ntypo = 1\ncost = \"dear\"", ["unknown key", "routes[0].cost"]),
            ("needs = \"admin\"\naccess = \"public\"\n[[issuers]]\naudience = \"x\"", ["needs", "issuers[1].issuer"]),
        ] {
            gateway.configure(&ISSUER.replacen("needs = \"read\"", wrong, 1));
            gateway.hang_up();
            let mut log = String::new();
            while !log.contains(REFUSED) {
                log += &gateway.next_line().await;
            }
            for problem in problems {
                assert!(log.contains(problem), "{problem} is not in {log}");
            }
            assert!(!log.contains(SECRET), "{log}");
            assert_eq!(status(&mut client, "/v1/x", &good).await, 200);
        }
        std::fs::remove_file(gateway.dir.path().join("gateway.toml")).unwrap();
        gateway.hang_up();
        gateway.logs("cannot be read").await;
        gateway.logs(REFUSED).await;
        assert_eq!(status(&mut client, "/v1/x", &good).await, 200);
        // it is followed all the same
        gateway.configure(&ISSUER.replacen("needs = \"read\"", "needs = \"admin\"", 1));
        gateway.logs(IN_FORCE).await;
        assert_eq!(status(&mut client, "/v1/x", &good).await, 403);
    })
    .await;
}

#[tokio::test]
async fn s11_files_that_change_are_taken_up_without_a_signal() {
    on_both(ISSUER, async |mut gateway| {
        let mut client = gateway.connect().await;
        let good = token(json!({}));
        assert_eq!(status(&mut client, "/v1/x", &good).await, 200);
        gateway.configure(&ISSUER.replacen("needs = \"read\"", "needs = \"admin\"", 1));
        gateway.logs(IN_FORCE).await;
        assert_eq!(status(&mut client, "/v1/x", &good).await, 403);
        // the file of a secret is part of the configuration
        std::fs::write(gateway.dir.path().join("secret"), "quite another secret of thirty-two bytes").unwrap();
        gateway.logs(IN_FORCE).await;
        assert_eq!(status(&mut client, "/v1/x", &good).await, 401);
        std::fs::write(gateway.dir.path().join("secret"), "short").unwrap();
        gateway.logs(REFUSED).await;
        assert_eq!(status(&mut client, "/v1/x", &good).await, 401);
    })
    .await;
}

const LIMITS: &str = "
[limits]
default_plan = \"free\"
[[plans]]
name = \"free\"
limits = [{ name = \"all\", quota = \"3/hour\", per = [\"principal\"] }]
";

#[tokio::test]
async fn budgets_go_on_and_another_plan_acts_at_once() {
    on_both(&format!("{ISSUER}{LIMITS}"), async |mut gateway| {
        let mut client = gateway.connect().await;
        let (bob, eve) = (token(json!({})), token(json!({ "sub": "eve" })));
        assert_eq!(status(&mut client, "/v1/x", &bob).await, 200);
        gateway.configure(&format!("{ISSUER}{LIMITS}\n[errors]\nshape = \"flat\"\n"));
        gateway.hang_up();
        gateway.logs(IN_FORCE).await;
        assert_eq!(status(&mut client, "/v1/x", &bob).await, 200);
        assert_eq!(status(&mut client, "/v1/x", &bob).await, 200);
        let request = format!("GET /v1/x HTTP/1.1\nHost: a\nAuthorization: Bearer {bob}\n\n");
        let refused = client.ask(&request).await;
        assert_eq!((refused.status(), refused.field("content-type")), (429, Some("application/json")));
        gateway.configure(&format!("{ISSUER}{}", LIMITS.replace("3/hour", "1/hour")));
        gateway.hang_up();
        gateway.logs(IN_FORCE).await;
        for caller in [&eve, &bob] {
            let both = [status(&mut client, "/v1/x", caller).await, status(&mut client, "/v1/x", caller).await];
            assert_eq!(both, [200, 429], "another rate is another budget");
        }
        gateway.configure(&format!("{ISSUER}{LIMITS}"));
        gateway.hang_up();
        gateway.logs(IN_FORCE).await;
        assert_eq!(status(&mut client, "/v1/x", &bob).await, 429, "and that of the old rate is as it was left");
    })
    .await;
}

#[tokio::test]
async fn what_cannot_change_is_named_and_the_rest_is_done() {
    on_both(ISSUER, async |mut gateway| {
        let server = "[server]\nlisten = \"127.0.0.1:1\"\nmax_header_size = \"1KiB\"\n[log]\nformat = \"json\"\n";
        gateway.configure(&format!("{server}{}", ISSUER.replacen("needs = \"read\"", "needs = \"admin\"", 1)));
        gateway.hang_up();
        let line = gateway.logs("take effect at the next start").await;
        for setting in ["server.max_header_size", "log.format"] {
            assert!(line.contains(setting), "{line}");
        }
        assert!(!line.contains("server.listen"), "the command line says otherwise: {line}");
        gateway.logs(IN_FORCE).await;
        let mut client = gateway.connect().await;
        let long = "x".repeat(2_000);
        let bearer = token(json!({}));
        let request = format!("GET /v1/x HTTP/1.1\nHost: a\nX-Long: {long}\nAuthorization: Bearer {bearer}\n\n");
        assert_eq!(client.ask(&request).await.status(), 403);
    })
    .await;
}

#[tokio::test]
async fn a_profile_has_no_file_to_follow_and_says_so() {
    for binary in BINARIES {
        let dir = tempfile::tempdir().unwrap();
        let mut gateway = Gateway::spawn(binary, profile_command(binary, dir.path(), "standard"), dir).await;
        gateway.hang_up();
        gateway.logs("there is no file to read again").await;
        assert_eq!(gateway.connect().await.ask("GET /healthz HTTP/1.1\nHost: a\n\n").await.status(), 200);
    }
}

/// What the gate says of a request and what the gateway says must be of one configuration: the shape of refusals, and
/// which origins may read them.
#[tokio::test]
async fn no_answer_is_a_mixture_of_two_configurations() {
    let one = ISSUER.replace("[cors]", "[errors]\nshape = \"flat\"\n[cors]");
    let two = ISSUER.replace("app.example", "other.example");
    on_both(&one, async |mut gateway| {
        let address = gateway.address;
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let asking = |_| {
            let stopped = stopped.clone();
            tokio::spawn(async move {
                let mut client = Connection::open(address).await;
                let mut seen = [0_u32; 2];
                while !*stopped.borrow() {
                    let answer = client.ask("GET /shared/x HTTP/1.1\nHost: a\nOrigin: https://app.example\n\n").await;
                    let shape = answer.field("content-type").unwrap();
                    match (shape, answer.field("access-control-allow-origin")) {
                        ("application/json", Some("https://app.example")) => seen[0] += 1,
                        ("application/problem+json", None) => seen[1] += 1,
                        mixture => panic!("{mixture:?}"),
                    }
                }
                seen
            })
        };
        let clients: Vec<_> = (0..4).map(asking).collect();
        for turn in 0..12 {
            gateway.configure(if turn % 2 == 0 { &two } else { &one });
            gateway.hang_up();
            gateway.logs(IN_FORCE).await;
        }
        stop.send_replace(true);
        for client in clients {
            let seen = soon("the end of a client", client).await.unwrap();
            assert!(!seen.contains(&0), "{seen:?}: not every configuration was seen");
        }
    })
    .await;
}
