//! Starting, being full, stopping.

use super::process::{BINARIES, command_at, soon};
use super::tokens::ISSUER;
use super::{Gateway, Upstream, on_both};

const REQUEST: &str = "GET /public/x HTTP/1.1\nHost: a\n\n";

#[tokio::test]
async fn what_is_in_flight_is_finished_before_the_process_ends() {
    let upstream = Upstream::start().await;
    // a long grace period leaves a busy machine enough time for the farewell
    let text = format!("{ISSUER}\n[server]\nshutdown_grace = \"8m\"\n[upstream]\nurl = \"{}\"\n", upstream.url());
    on_both(&text, async |mut gateway| {
        let mut idle = gateway.connect().await;
        idle.say(REQUEST).await;
        let mut behind = upstream.accept().await;
        behind.request().await;
        behind.say("HTTP/1.1 200 OK\nContent-Length: 0\nConnection: close\n\n").await;
        assert_eq!(idle.answer_to("GET").await.status(), 200);

        let mut busy = gateway.connect().await;
        busy.say(REQUEST).await;
        let mut behind = upstream.accept().await;
        behind.request().await;
        gateway.terminate();
        gateway.refuses_connections().await;
        // whoever is about to speak is still served, once
        idle.say(REQUEST).await;
        let mut again = upstream.accept().await;
        again.request().await;
        again.say("HTTP/1.1 200 OK\nContent-Length: 0\n\n").await;
        let answer = idle.answer_to("GET").await;
        assert_eq!((answer.status(), answer.field("connection")), (200, Some("close")));
        assert_eq!(idle.rest().await, b"");
        behind.say("HTTP/1.1 200 OK\nContent-Length: 4\n\nhe").await;
        assert_eq!(busy.head().await.status(), 200);
        behind.say("ld").await;
        assert_eq!(busy.exactly(4).await, b"held");
        assert!(gateway.ends().await.success());
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_said_nothing_does_not_hold_up_the_end() {
    on_both(&format!("{ISSUER}\n[server]\nshutdown_grace = \"30m\"\n"), async |mut gateway| {
        let mut silent = gateway.connect().await;
        // connections are accepted in order, so after this one the silent one is in
        let mut spoken = gateway.connect().await;
        assert_eq!(spoken.ask("GET /public/x HTTP/1.1\nHost: a\nConnection: close\n\n").await.status(), 200);
        assert_eq!(spoken.rest().await, b"");
        drop(spoken);
        gateway.terminate();
        assert_eq!(silent.rest().await, b"");
        assert!(gateway.ends().await.success());
    })
    .await;
}

#[tokio::test]
async fn an_address_in_use_is_one_clear_line() {
    for binary in BINARIES {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let dir = tempfile::tempdir().unwrap();
        let mut command = command_at(binary, ISSUER, dir.path(), &address);
        let output = soon("the end", command.output()).await.unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert_eq!(message.trim_end().lines().count(), 1, "{message}");
        assert!(message.contains(&address), "{message}");
        assert!(output.stdout.is_empty());
    }
}

#[tokio::test]
async fn a_head_that_does_not_end_loses_its_connection() {
    on_both(&format!("{ISSUER}\n[server]\nheader_read_timeout = \"500ms\"\n"), async |gateway| {
        for begun in ["", "GET /public/x HT", "GET /public/x HTTP/1.1\r\nHost: a\r\n"] {
            let mut client = gateway.connect().await;
            client.send(begun.as_bytes()).await;
            let seen = String::from_utf8(client.rest().await).unwrap();
            assert!(seen.is_empty() || seen.starts_with("HTTP/1.1 408"), "{begun:?}: {seen}");
        }
    })
    .await;
}

#[tokio::test]
async fn beyond_the_most_connections_the_next_one_waits_for_a_seat() {
    for binary in BINARIES {
        // each of actix's workers has a share of its own, so there are as many seats as workers at least
        let seats = std::thread::available_parallelism().unwrap().get();
        let config = format!("{ISSUER}\n[server]\nmax_connections = {seats}\n");
        let gateway = Gateway::start(binary, &config).await;
        let mut seated = Vec::new();
        for _ in 0..seats {
            let mut client = gateway.connect().await;
            assert_eq!(client.ask(REQUEST).await.status(), 200);
            seated.push(client);
        }
        let mut waiting = gateway.connect().await;
        waiting.say(REQUEST).await;
        // the others are served while it waits
        for client in &mut seated {
            assert_eq!(client.ask(REQUEST).await.status(), 200);
        }
        assert!(!waiting.has_something().await, "{binary}: served without a seat");
        seated.clear();
        assert_eq!(waiting.answer_to("GET").await.status(), 200);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_store_that_does_not_answer_makes_the_gateway_not_ready_until_it_does() {
    let keys = "[[credentials]]\nheader = \"x-api-key\"\nkinds = [\"api_key\"]\n[api_keys]\nprefix = \"gw\"\n";
    for binary in BINARIES {
        let mut gateway = Gateway::start(binary, &format!("{ISSUER}{keys}")).await;
        let database = gateway.dir.path().join("data/gateway.sqlite3");
        let away = gateway.dir.path().join("away");
        std::fs::rename(&database, &away).unwrap();
        gateway.logs("does not answer").await;
        let mut client = gateway.connect().await;
        let answer = client.ask("GET /readyz HTTP/1.1\nHost: a\n\n").await;
        assert_eq!((answer.status(), &*answer.text()), (503, r#"{"status":"out","out":["api keys"]}"#));
        assert_eq!(client.ask("GET /healthz HTTP/1.1\nHost: a\n\n").await.status(), 200);
        std::fs::rename(&away, &database).unwrap();
        gateway.logs("answers again").await;
        let answer = client.ask("GET /readyz HTTP/1.1\nHost: a\n\n").await;
        assert_eq!((answer.status(), &*answer.text()), (200, r#"{"status":"ready"}"#));
    }
}

#[tokio::test]
async fn health_needs_no_credential() {
    on_both(ISSUER, async |gateway| {
        let mut client = gateway.connect().await;
        for path in ["/healthz", "/readyz"] {
            let answer = client.ask(&format!("GET {path} HTTP/1.1\nHost: a\n\n")).await;
            assert_eq!((answer.status(), answer.field("content-type")), (200, Some("application/json")));
            assert_eq!(client.ask(&format!("HEAD {path} HTTP/1.1\nHost: a\n\n")).await.status(), 200);
            assert_eq!(
                client.ask(&format!("POST {path} HTTP/1.1\nHost: a\nContent-Length: 0\n\n")).await.status(),
                401
            );
        }
        assert_eq!(
            client.ask("GET /readyz/ HTTP/1.1\nHost: a\n\n").await.status(),
            400,
            "another spelling is no other path"
        );
    })
    .await;
}
