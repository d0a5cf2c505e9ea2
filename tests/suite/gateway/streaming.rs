//! Bodies pass through as they come, in both directions, and are never held.

use super::tokens::ISSUER;
use super::{Upstream, on_both};

fn config(upstream: &Upstream) -> String {
    format!("{ISSUER}\n[upstream]\nurl = \"{}\"\n", upstream.url())
}

#[tokio::test]
async fn bodies_stream_in_both_directions() {
    let upstream = Upstream::start().await;
    on_both(&config(&upstream), async |gateway| {
        let mut client = gateway.connect().await;
        client.say("POST /public/x HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\none\n").await;
        let mut behind = upstream.accept().await;
        let head = behind.head().await;
        assert_eq!(head.field("transfer-encoding"), Some("chunked"));
        assert_eq!(behind.chunk().await, b"one", "the first part arrives before the second is sent");
        client.say("3\ntwo\n").await;
        assert_eq!(behind.chunk().await, b"two");

        behind.say("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n4\nfour\n").await;
        let head = client.head().await;
        assert_eq!(head.status(), 200, "the answer begins before the request ends");
        assert_eq!(client.chunk().await, b"four");
        client.say("0\nX-Auth-Subject: admin\n\n").await;
        assert_eq!(behind.chunk().await, b"", "trailers end at the gateway");
        behind.say("4\nfive\n0\nX-Trailer: 1\n\n").await;
        assert_eq!(client.chunk().await, b"five");
        assert_eq!(client.chunk().await, b"");
    })
    .await;
}

#[tokio::test]
async fn large_bodies_pass_without_being_held() {
    const LENGTH: usize = 100 << 20;
    let piece = vec![b'x'; 1 << 20];
    let upstream = Upstream::start().await;
    on_both(&config(&upstream), async |gateway| {
        let mut client = gateway.connect().await;
        client.say("GET /public/x HTTP/1.1\nHost: a\n\n").await;
        let mut behind = upstream.accept().await;
        behind.request().await;
        behind.say("HTTP/1.1 200 OK\nContent-Length: 0\n\n").await;
        client.answer_to("GET").await;
        let before = gateway.peak_memory();

        client.say(&format!("POST /public/x HTTP/1.1\nHost: a\nContent-Length: {LENGTH}\n\n")).await;
        let sending = async {
            for _ in 0..LENGTH / piece.len() {
                client.send(&piece).await;
            }
        };
        let receiving = async {
            let head = behind.head().await;
            assert_eq!(head.field("content-length"), Some(LENGTH.to_string().as_str()));
            for _ in 0..LENGTH / piece.len() {
                behind.exactly(piece.len()).await;
            }
        };
        tokio::join!(sending, receiving);
        let answering = async {
            behind.say(&format!("HTTP/1.1 200 OK\nContent-Length: {LENGTH}\n\n")).await;
            for _ in 0..LENGTH / piece.len() {
                behind.send(&piece).await;
            }
        };
        let reading = async {
            assert_eq!(client.head().await.status(), 200);
            for _ in 0..LENGTH / piece.len() {
                client.exactly(piece.len()).await;
            }
        };
        tokio::join!(answering, reading);
        let grown = gateway.peak_memory() - before;
        assert!(grown < LENGTH / 4, "{grown} bytes were held");
    })
    .await;
}
