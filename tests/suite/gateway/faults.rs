//! Upstreams that fail, and clients that break off.

use super::tokens::ISSUER;
use super::{Answer, Gateway, Upstream, on_both};

const REQUEST: &str = "GET /public/x HTTP/1.1\nHost: a\n\n";

fn config(url: &str, more: &str) -> String {
    format!("{ISSUER}\n[upstream]\nurl = \"{url}\"\n{more}\n")
}

fn is_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status(), status, "{answer:?}");
    assert_eq!(answer.field("content-type"), Some("application/problem+json"));
    let problem = answer.json();
    assert_eq!((&problem["status"], &problem["code"]), (&status.into(), &code.into()));
    assert_eq!(problem["request_id"].as_str(), answer.field("x-request-id"));
}

#[tokio::test]
async fn an_upstream_that_is_down_is_502_and_its_return_is_noticed() {
    let gone = Upstream::start().await;
    let (url, authority) = (gone.url(), gone.authority());
    drop(gone);
    let down = config(&url, "");
    for binary in super::process::BINARIES {
        let gateway = Gateway::start(binary, &down).await;
        let mut client = gateway.connect().await;
        is_problem(&client.ask(REQUEST).await, 502, "bad_gateway");
        let back = Upstream::at(&authority).await;
        client.say(REQUEST).await;
        let mut behind = back.accept().await;
        behind.request().await;
        behind.say("HTTP/1.1 200 OK\nContent-Length: 0\n\n").await;
        assert_eq!(client.answer_to("GET").await.status(), 200);
    }
}

#[tokio::test]
async fn an_answer_that_breaks_together_with_its_head_is_502() {
    let upstream = Upstream::start().await;
    on_both(&config(&upstream.url(), ""), async |gateway| {
        let mut client = gateway.connect().await;
        client.say(REQUEST).await;
        let mut behind = upstream.accept().await;
        behind.request().await;
        behind.say("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nZZ\n").await;
        is_problem(&client.answer_to("GET").await, 502, "bad_gateway");
    })
    .await;
}

#[tokio::test]
async fn an_upstream_that_hangs_is_504_and_holds_nobody_else_up() {
    let upstream = Upstream::start().await;
    on_both(&config(&upstream.url(), "timeout = \"300ms\""), async |gateway| {
        let (mut slow, mut quick) = (gateway.connect().await, gateway.connect().await);
        slow.say(REQUEST).await;
        let mut hanging = upstream.accept().await;
        hanging.request().await;
        quick.say(REQUEST).await;
        let mut behind = upstream.accept().await;
        behind.request().await;
        behind.say("HTTP/1.1 200 OK\nContent-Length: 0\n\n").await;
        assert_eq!(quick.answer_to("GET").await.status(), 200);
        is_problem(&slow.answer_to("GET").await, 504, "gateway_timeout");
        assert!(hanging.rest().await.is_empty(), "the connection that hung is not used again");
    })
    .await;
}

#[tokio::test]
async fn silence_in_the_middle_of_an_answer_ends_the_connection() {
    let upstream = Upstream::start().await;
    on_both(&config(&upstream.url(), "timeout = \"300ms\""), async |gateway| {
        let mut client = gateway.connect().await;
        client.say(REQUEST).await;
        let mut behind = upstream.accept().await;
        behind.request().await;
        behind.say("HTTP/1.1 200 OK\nContent-Length: 10\n\nhalf").await;
        assert_eq!(client.head().await.status(), 200);
        assert_eq!(client.rest().await, b"half", "the answer is seen to be incomplete");
    })
    .await;
}

#[tokio::test]
async fn an_upstream_is_not_blamed_for_a_slow_client() {
    let upstream = Upstream::start().await;
    on_both(&config(&upstream.url(), "timeout = \"300ms\""), async |gateway| {
        let mut client = gateway.connect().await;
        client.say("POST /public/x HTTP/1.1\nHost: a\nContent-Length: 6\n\none").await;
        let mut behind = upstream.accept().await;
        behind.head().await;
        assert_eq!(behind.exactly(3).await, b"one");
        // Another exchange tells when the upstream's time is over.
        let mut clock = gateway.connect().await;
        clock.say(REQUEST).await;
        let mut hanging = upstream.accept().await;
        hanging.request().await;
        assert_eq!(clock.answer_to("GET").await.status(), 504);
        client.say("two").await;
        assert_eq!(behind.exactly(3).await, b"two");
        behind.say("HTTP/1.1 200 OK\nContent-Length: 0\n\n").await;
        assert_eq!(client.answer_to("POST").await.status(), 200);
    })
    .await;
}

#[tokio::test]
async fn answers_with_two_readings_are_502_and_their_connection_is_not_used_again() {
    let upstream = Upstream::start().await;
    on_both(&config(&upstream.url(), ""), async |gateway| {
        let mut client = gateway.connect().await;
        for bad in [
            "HTTP/1.1 200 OK\nContent-Length: 5\nTransfer-Encoding: chunked\n\n0\n\n",
            "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nContent-Length: 5\n\n0\n\n",
            "HTTP/1.1 200 OK\nContent-Length: 5\nContent-Length: 6\n\nhello",
            "HTTP/1.1 200 OK\nContent-Length: x\n\nhello",
            "HTTP/1.1 101 Switching Protocols\nConnection: upgrade\nUpgrade: websocket\n\n",
            "HTTP/1.1 200 OK\nX y: z\n\n",
            "<html>not HTTP at all</html>\n\n",
        ] {
            client.say(REQUEST).await;
            let mut behind = upstream.accept().await;
            behind.request().await;
            behind.say(bad).await;
            is_problem(&client.answer_to("GET").await, 502, "bad_gateway");
            assert!(behind.rest().await.is_empty(), "{bad}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_request_that_may_have_been_acted_on_is_not_sent_again() {
    let upstream = Upstream::start().await;
    on_both(&config(&upstream.url(), ""), async |gateway| {
        let mut client = gateway.connect().await;
        client.say("POST /public/x HTTP/1.1\nHost: a\nContent-Length: 2\n\nhi").await;
        let mut behind = upstream.accept().await;
        behind.request().await;
        drop(behind);
        is_problem(&client.answer_to("POST").await, 502, "bad_gateway");
        assert!(upstream.is_alone().await, "the request came twice");

        // A safe one may be: the upstream may have closed an idle connection before it saw the request.
        client.say(REQUEST).await;
        drop(upstream.accept().await);
        let mut behind = upstream.accept().await;
        behind.request().await;
        behind.say("HTTP/1.1 200 OK\nContent-Length: 0\n\n").await;
        assert_eq!(client.answer_to("GET").await.status(), 200);
    })
    .await;
}

#[tokio::test]
async fn a_client_that_breaks_off_takes_its_upstream_request_along_and_nobody_elses() {
    let upstream = Upstream::start().await;
    on_both(&config(&upstream.url(), ""), async |gateway| {
        let mut client = gateway.connect().await;
        client.say("POST /public/x HTTP/1.1\nHost: a\nContent-Length: 10\n\nhalf").await;
        let mut behind = upstream.accept().await;
        behind.head().await;
        drop(client);
        assert_eq!(behind.rest().await, b"half", "an incomplete body is not completed");
        let mut other = gateway.connect().await;
        other.say(REQUEST).await;
        let mut behind = upstream.accept().await;
        behind.request().await;
        behind.say("HTTP/1.1 200 OK\nContent-Length: 0\n\n").await;
        assert_eq!(other.answer_to("GET").await.status(), 200);
    })
    .await;
}

#[tokio::test]
async fn refusals_of_the_gateway_have_no_body_in_answer_to_head() {
    let gone = Upstream::start().await;
    let url = gone.url();
    drop(gone);
    on_both(&config(&url, ""), async |gateway| {
        let mut client = gateway.connect().await;
        let answer = client.ask("HEAD /public/x HTTP/1.1\nHost: a\n\n").await;
        assert_eq!(answer.status(), 502);
        assert!(answer.field("content-length").unwrap().parse::<u32>().unwrap() > 0);
        assert_eq!(client.ask("GET /healthz HTTP/1.1\nHost: a\n\n").await.status(), 200, "nothing lies in between");
    })
    .await;
}
