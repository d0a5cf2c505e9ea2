//! Pages of other origins.

use super::tokens::ISSUER;
use super::{Upstream, on_both};

const ORIGIN: &str = "Origin: https://app.example";

#[tokio::test]
async fn preflights_are_answered_by_the_gateway_on_routes_that_opt_in() {
    let upstream = Upstream::start().await;
    on_both(&format!("{ISSUER}\n[upstream]\nurl = \"{}\"\n", upstream.url()), async |gateway| {
        let mut client = gateway.connect().await;
        let preflight = |path: &str, origin: &str| {
            format!(
                "OPTIONS {path} HTTP/1.1\nHost: a\n{origin}\nAccess-Control-Request-Method: PUT\n\
                 Access-Control-Request-Headers: authorization\n\n"
            )
        };
        let answer = client.ask(&preflight("/shared/x", ORIGIN)).await;
        assert_eq!(answer.status(), 204, "{answer:?}");
        assert_eq!(answer.field("access-control-allow-origin"), Some("https://app.example"));
        assert!(answer.field("access-control-allow-methods").unwrap().contains("PUT"));
        assert!(answer.field("access-control-allow-headers").unwrap().contains("authorization"));
        let vary: Vec<_> =
            answer.fields.iter().filter(|(name, _)| name == "vary").map(|(_, value)| value.as_str()).collect();
        assert_eq!(vary.len(), 3, "{vary:?}");

        let stranger = client.ask(&preflight("/shared/x", "Origin: https://evil.example")).await;
        assert_eq!(stranger.status(), 204);
        assert_eq!(stranger.field("access-control-allow-origin"), None);
        assert_eq!(stranger.field("access-control-allow-methods"), None);

        // elsewhere it is a request like any other
        let closed = client.ask(&preflight("/v1/x", ORIGIN)).await;
        assert_eq!((closed.status(), closed.field("access-control-allow-origin")), (401, None));
        assert!(upstream.is_alone().await, "no preflight reaches an upstream");
    })
    .await;
}

#[tokio::test]
async fn refusals_can_be_read_by_pages_that_may() {
    on_both(ISSUER, async |gateway| {
        let mut client = gateway.connect().await;
        let answer = client.ask(&format!("GET /shared/x HTTP/1.1\nHost: a\n{ORIGIN}\n\n")).await;
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.field("access-control-allow-origin"), Some("https://app.example"));
        assert_eq!(answer.field("vary"), Some("origin"));
        let exposed = answer.field("access-control-expose-headers").unwrap();
        for field in ["www-authenticate", "retry-after", "x-request-id", "ratelimit", "x-ratelimit-remaining"] {
            assert!(exposed.split(", ").any(|name| name == field), "{exposed}");
        }
        let elsewhere = client.ask(&format!("GET /v1/x HTTP/1.1\nHost: a\n{ORIGIN}\n\n")).await;
        assert_eq!((elsewhere.status(), elsewhere.field("access-control-allow-origin")), (401, None));
    })
    .await;
}

#[tokio::test]
async fn the_upstreams_word_on_other_origins_is_replaced() {
    let upstream = Upstream::start().await;
    let text = ISSUER.replace("access = \"authenticated\"", "access = \"public\"");
    on_both(&format!("{text}\n[upstream]\nurl = \"{}\"\n", upstream.url()), async |gateway| {
        let mut client = gateway.connect().await;
        client.say("GET /shared/x HTTP/1.1\nHost: a\nOrigin: https://evil.example\n\n").await;
        let mut behind = upstream.accept().await;
        behind.request().await;
        behind
            .say("HTTP/1.1 200 OK\nAccess-Control-Allow-Origin: *\nAccess-Control-Allow-Credentials: true\nContent-Length: 0\n\n")
            .await;
        let answer = client.answer_to("GET").await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.field("access-control-allow-origin"), None);
        assert_eq!(answer.field("access-control-allow-credentials"), None);
    })
    .await;
}
