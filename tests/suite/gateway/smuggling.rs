//! Requests with two readings: refused before any server reads them, alike by both gateways.

use super::process::BINARIES;
use super::tokens::ISSUER;
use super::{Gateway, on_both};

/// What follows a refused request and must never be seen.
const SMUGGLED: &str = "GET /public/smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

/// Heads and bodies with two readings, or none. Line ends are spelled out.
const AMBIGUOUS: [(&str, &str); 44] = [
    (
        "length, then chunks",
        "POST /public/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunks, then length",
        "POST /public/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    ),
    (
        "no length but chunks",
        "POST /public/x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    ("two lengths", "POST /public/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
    ("one length twice", "POST /public/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    ("a list of lengths", "POST /public/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello"),
    ("a signed length", "POST /public/x HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello"),
    ("a negative length", "POST /public/x HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nhello"),
    ("a hexadecimal length", "POST /public/x HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello"),
    ("an empty length", "POST /public/x HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\nhello"),
    (
        "a length beyond 64 bits",
        "POST /public/x HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551621\r\n\r\nhello",
    ),
    ("an unknown coding", "POST /public/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    ("identity", "POST /public/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"),
    ("chunked twice", "POST /public/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    (
        "two codings",
        "POST /public/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    ),
    ("chunked not last", "POST /public/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
    ("a vertical tab", "POST /public/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
    ("chunks in HTTP/1.0", "POST /public/x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("a space before the colon", "POST /public/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    ("a space before a name", "POST /public/x HTTP/1.1\r\n Transfer-Encoding: chunked\r\nHost: a\r\n\r\n0\r\n\r\n"),
    ("a folded line", "POST /public/x HTTP/1.1\r\nHost: a\r\nX: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("a bare CR", "GET /public/x HTTP/1.1\r\nHost: a\r\nX: y\rTransfer-Encoding: chunked\r\n\r\n"),
    ("a bare LF", "GET /public/x HTTP/1.1\r\nHost: a\r\nX: y\nTransfer-Encoding: chunked\r\n\r\n"),
    ("bare LFs alone", "GET /public/x HTTP/1.1\nHost: a\n\n"),
    ("a NUL", "GET /public/x HTTP/1.1\r\nHost: a\r\nX: y\0z\r\n\r\n"),
    ("a line without a colon", "GET /public/x HTTP/1.1\r\nHost: a\r\nnothing\r\n\r\n"),
    ("no host", "GET /public/x HTTP/1.1\r\n\r\n"),
    ("two hosts", "GET /public/x HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    ("a list of hosts", "GET /public/x HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    ("a user in the host", "GET /public/x HTTP/1.1\r\nHost: b@a\r\n\r\n"),
    ("half an address", "GET /public/x HTTP/1.1\r\nHost: [::1\r\n\r\n"),
    ("no address in brackets", "GET /public/x HTTP/1.1\r\nHost: [zz]\r\n\r\n"),
    ("letters for a port", "GET /public/x HTTP/1.1\r\nHost: a:x\r\n\r\n"),
    ("a port beyond all ports", "GET /public/x HTTP/1.1\r\nHost: a:99999\r\n\r\n"),
    ("a port alone", "GET /public/x HTTP/1.1\r\nHost: :80\r\n\r\n"),
    ("an escape in the host", "GET /public/x HTTP/1.1\r\nHost: a%00\r\n\r\n"),
    ("another host in the target", "GET http://b/public/x HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("another scheme in the target", "GET ftp://a/public/x HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a fragment", "GET /public/x#y HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a tunnel", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n"),
    ("a space in the target", "GET /public/x y HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("two spaces", "GET  /public/x HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("another version", "GET /public/x HTTP/1.2\r\nHost: a\r\n\r\n"),
    (
        "a body beside a websocket",
        "GET /public/x HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello",
    ),
];

#[tokio::test]
async fn requests_with_two_readings_are_refused_and_the_connection_ends() {
    let mut answers = Vec::new();
    for binary in BINARIES {
        let gateway = Gateway::start(binary, ISSUER).await;
        let mut of_this = Vec::new();
        for (what, request) in AMBIGUOUS {
            let mut client = gateway.connect().await;
            client.send(format!("{request}{SMUGGLED}").as_bytes()).await;
            let answer = client.answer_to("GET").await;
            assert_eq!(answer.status(), 400, "{binary}: {what}: {answer:?}");
            assert_eq!(answer.field("connection"), Some("close"), "{binary}: {what}");
            assert_eq!(answer.field("content-type"), Some("application/problem+json"), "{binary}: {what}");
            assert_eq!(client.rest().await, b"", "{binary}: {what}: the connection ends");
            let mut problem = answer.json();
            problem["request_id"].take();
            of_this.push((what, problem));
        }
        answers.push(of_this);
    }
    assert_eq!(answers[0], answers[1], "both gateways say the same");
}

#[tokio::test]
async fn broken_chunks_end_the_request_and_the_connection() {
    for bad in [
        "5 \r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n",
        "5\r\nhelloo\r\n0\r\n\r\n",
        "5\nhello\n0\n\n",
        "fffffffffffffffff\r\n",
        "0\r\nx\r\n\r\n",
    ] {
        on_both(ISSUER, async |gateway| {
            let mut client = gateway.connect().await;
            let head = "POST /public/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n";
            client.send(format!("{head}{bad}{SMUGGLED}").as_bytes()).await;
            let seen = String::from_utf8(client.rest().await).unwrap();
            assert!(seen.starts_with("HTTP/1.1 400 "), "{bad:?}: {seen}");
            assert!(!seen.contains("smuggled"), "{bad:?}: {seen}");
            assert_eq!(seen.matches("HTTP/1.1").count(), 1, "{bad:?}: {seen}");
        })
        .await;
    }
}

#[tokio::test]
async fn good_requests_follow_each_other_and_a_refusal_waits_its_turn() {
    on_both(ISSUER, async |gateway| {
        let mut client = gateway.connect().await;
        client
            .send(
                b"POST /public/1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=\"y\"\r\none\r\n0\r\nX-Auth-Subject: a\r\n\r\n\
                  POST /public/2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\ntwo\
                  GET http://A/public/3 HTTP/1.1\r\nHost: a\r\n\r\n\
                  POST /public/4 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n44",
            )
            .await;
        for (path, body) in [("/public/1", "one"), ("/public/2", "two"), ("/public/3", "")] {
            let answer = client.answer_to("GET").await;
            assert_eq!(answer.status(), 200, "{answer:?}");
            assert_eq!((&answer.json()["path"], &answer.json()["body"]), (&path.into(), &body.into()));
            assert!(answer.echoed("x-auth-subject").is_empty());
        }
        assert_eq!(client.answer_to("GET").await.status(), 400);
        assert_eq!(client.rest().await, b"");
    })
    .await;
}

#[tokio::test]
async fn a_client_that_closes_its_side_still_gets_its_answer() {
    use tokio::io::AsyncWriteExt as _;

    on_both(ISSUER, async |gateway| {
        let mut client = gateway.connect().await;
        client.say("GET /public/x HTTP/1.1\nHost: a\n\n").await;
        client.stream.shutdown().await.unwrap();
        assert_eq!(client.answer_to("GET").await.status(), 200);
    })
    .await;
}

#[tokio::test]
async fn heads_beyond_the_limit_are_refused() {
    on_both(&format!("{ISSUER}\n[server]\nmax_header_size = \"8KiB\"\n"), async |gateway| {
        for (length, status) in [(7_000, 200), (9_000, 400), (100_000, 400)] {
            let mut client = gateway.connect().await;
            let answer = client.ask(&format!("GET /public/x HTTP/1.1\nHost: a\nX: {}\n\n", "x".repeat(length))).await;
            assert_eq!(answer.status(), status, "{length}");
        }
        let many = "x: y\n".repeat(120);
        let answer = gateway.connect().await.ask(&format!("GET /public/x HTTP/1.1\nHost: a\n{many}\n")).await;
        assert_eq!(answer.status(), 400);
    })
    .await;
}
