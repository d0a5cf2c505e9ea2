//! Upgraded connections through the gateways.

use super::tokens::ISSUER;
use super::{Connection, Gateway, Upstream, on_both, token};
use serde_json::json;

fn config(upstream: &Upstream) -> String {
    format!("{ISSUER}\n[upstream]\nurl = \"{}\"\n", upstream.url())
}

fn handshake(path: &str, more: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\nHost: a\nConnection: keep-alive, Upgrade\nUpgrade: websocket\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\n{more}\n"
    )
}

const AGREED: &str = "HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: websocket\n\
                      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n\n";

/// A WebSocket that client and upstream have agreed on.
pub(super) async fn opened(gateway: &Gateway, upstream: &Upstream) -> (Connection, Connection) {
    let mut client = gateway.connect().await;
    client.say(&handshake("/public/ws", "")).await;
    let mut behind = upstream.accept().await;
    behind.request().await;
    behind.say(AGREED).await;
    assert_eq!(client.head().await.status(), 101);
    (client, behind)
}

#[tokio::test]
async fn bytes_go_both_ways_once_both_sides_agree() {
    let upstream = Upstream::start().await;
    on_both(&config(&upstream), async |gateway| {
        let mut client = gateway.connect().await;
        client.say(&handshake("/v1/ws", &format!("Authorization: Bearer {}\n", token(json!({}))))).await;
        // sent before the answer: nobody may take it for another request
        client.send(b"early").await;
        let mut behind = upstream.accept().await;
        // a GET without write permission would do; the route table decides as for any request
        let request = behind.request().await;
        assert_eq!(request.target(), ("GET", "/v1/ws"));
        assert_eq!(request.field("upgrade"), Some("websocket"));
        assert_eq!(request.field("connection"), Some("upgrade"));
        assert_eq!(request.field("sec-websocket-key"), Some("dGhlIHNhbXBsZSBub25jZQ=="));
        assert_eq!(request.field("x-auth-subject"), Some("user-1"));
        assert_eq!(request.field("authorization"), None);
        behind.say(AGREED).await;
        let answer = client.head().await;
        assert_eq!(answer.status(), 101);
        assert_eq!(answer.field("upgrade"), Some("websocket"));
        assert_eq!(answer.field("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert_eq!(behind.exactly(5).await, b"early");
        behind.send(b"\x82\x03abc\r\n\r\n").await;
        assert_eq!(client.exactly(9).await, b"\x82\x03abc\r\n\r\n");
        client.send(b"\x82\x83\n\n\n\nGET / HTTP/1.1\n\n").await;
        assert_eq!(behind.exactly(22).await, b"\x82\x83\n\n\n\nGET / HTTP/1.1\n\n");
        drop(behind);
        assert_eq!(client.rest().await, b"", "the end of one side is the end of the other");
    })
    .await;
}

#[tokio::test]
async fn the_end_of_the_client_reaches_the_upstream() {
    let upstream = Upstream::start().await;
    on_both(&config(&upstream), async |gateway| {
        let (client, mut behind) = opened(&gateway, &upstream).await;
        drop(client);
        assert_eq!(behind.rest().await, b"");
    })
    .await;
}

#[tokio::test]
async fn without_permission_there_is_no_websocket_and_no_second_request() {
    let upstream = Upstream::start().await;
    on_both(&config(&upstream), async |gateway| {
        let mut client = gateway.connect().await;
        client.say(&handshake("/v1/ws", "")).await;
        client.say("GET /public/smuggled HTTP/1.1\nHost: a\n\n").await;
        let answer = client.answer_to("GET").await;
        assert_eq!((answer.status(), answer.field("connection")), (401, Some("close")));
        assert_eq!(client.rest().await, b"");
        assert!(upstream.is_alone().await);
    })
    .await;
}

#[tokio::test]
async fn an_upstream_may_decline() {
    let upstream = Upstream::start().await;
    on_both(&config(&upstream), async |gateway| {
        let mut client = gateway.connect().await;
        client.say(&handshake("/public/ws", "")).await;
        let mut behind = upstream.accept().await;
        behind.request().await;
        behind.say("HTTP/1.1 426 Upgrade Required\nContent-Length: 2\n\nno").await;
        let answer = client.answer_to("GET").await;
        assert_eq!((answer.status(), answer.text().as_str()), (426, "no"));
        assert_eq!(client.rest().await, b"", "whatever follows has not been judged");
    })
    .await;
}

#[tokio::test]
async fn other_upgrades_are_not_offered_to_the_upstream() {
    let upstream = Upstream::start().await;
    on_both(&config(&upstream), async |gateway| {
        let mut client = gateway.connect().await;
        client.say("GET /public/x HTTP/1.1\nHost: a\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABk\n\n").await;
        let mut behind = upstream.accept().await;
        let request = behind.request().await;
        for field in ["upgrade", "connection", "http2-settings"] {
            assert_eq!(request.field(field), None);
        }
        behind.say("HTTP/1.1 200 OK\nContent-Length: 0\n\n").await;
        assert_eq!(client.answer_to("GET").await.status(), 200);
    })
    .await;
}

#[tokio::test]
async fn a_websocket_goes_on_within_the_grace_period() {
    let upstream = Upstream::start().await;
    let text = format!("{}\n[server]\nshutdown_grace = \"8m\"\n", config(&upstream));
    on_both(&text, async |mut gateway| {
        let (mut client, mut behind) = opened(&gateway, &upstream).await;
        gateway.terminate();
        gateway.refuses_connections().await;
        client.send(b"still").await;
        assert_eq!(behind.exactly(5).await, b"still");
        drop(client);
        assert_eq!(behind.rest().await, b"");
        assert!(gateway.ends().await.success());
    })
    .await;
}

#[tokio::test]
async fn a_websocket_does_not_outlive_the_grace_period() {
    let upstream = Upstream::start().await;
    let text = format!("{}\n[server]\nshutdown_grace = \"1s\"\n", config(&upstream));
    on_both(&text, async |mut gateway| {
        let (mut client, _behind) = opened(&gateway, &upstream).await;
        gateway.terminate();
        assert!(gateway.ends().await.success());
        assert_eq!(client.rest().await, b"");
    })
    .await;
}
