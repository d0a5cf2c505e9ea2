//! What reaches the upstream, and what comes back.

use serde_json::json;

use super::tokens::ISSUER;
use super::{Upstream, on_both, token};

fn config(upstream: &Upstream, more: &str) -> String {
    format!("{ISSUER}\n[upstream]\nurl = \"{}\"\n{more}\n", upstream.url())
}

const SPELLINGS: [&str; 10] = [
    "X-Auth-Subject",
    "x_auth_subject",
    "X_Auth-Subject",
    "x.auth.subject",
    "x--auth-subject",
    "_x_auth_subject",
    "X~Auth~Subject",
    "x-auth-permissions",
    "X_AUTH_ROLES",
    "x-auth-made-up",
];

#[tokio::test]
async fn s12_nobody_but_the_gateway_says_who_the_caller_is() {
    on_both(ISSUER, async |gateway| {
        let forged: String = SPELLINGS.map(|name| format!("{name}: admin\n")).concat();
        let bearer = token(json!({"sub": "Zoë", "tenant": "acme", "jti": "t-1"}));
        let mut client = gateway.connect().await;
        let answer = client
            .ask(&format!("GET /v1/x HTTP/1.1\nHost: api.example\nAuthorization: Bearer {bearer}\n{forged}\n"))
            .await;
        assert_eq!(answer.status(), 200, "{answer:?}");
        assert_eq!(answer.echoed("x-auth-subject"), ["Zo%C3%AB"]);
        assert_eq!(answer.echoed("x-auth-issuer"), ["https://idp.example"]);
        assert_eq!(answer.echoed("x-auth-permissions"), ["read write"]);
        assert_eq!(answer.echoed("x-auth-method"), ["jwt"]);
        assert!(!answer.text().contains("admin"), "{}", answer.text());
        assert!(!answer.text().contains(&bearer), "{}", answer.text());

        let open = client.ask(&format!("GET /public/x HTTP/1.1\nHost: api.example\n{forged}\n")).await;
        assert_eq!(open.status(), 200);
        assert!(!open.text().contains("admin"), "{}", open.text());
        assert!(!open.text().contains("x-auth-"), "{}", open.text());
    })
    .await;
}

#[tokio::test]
async fn the_connection_list_removes_what_the_client_sent_and_nothing_of_ours() {
    on_both(ISSUER, async |gateway| {
        let bearer = token(json!({}));
        let answer = gateway
            .connect()
            .await
            .ask(&format!(
                "GET /v1/x HTTP/1.1\nHost: api.example\nAuthorization: Bearer {bearer}\nX-Mine: 1\nX-Kept: 2\nTE: trailers\n\
                 Keep-Alive: timeout=5\nProxy-Connection: keep-alive\nUpgrade: h2c\nHTTP2-Settings: AAMAAABk\n\
                 Connection: X-Mine, x-auth-subject, X-Forwarded-For, Upgrade, HTTP2-Settings\n\
                 Connection: x-auth-issuer, via, host\n\n"
            ))
            .await;
        assert_eq!(answer.echoed("x-auth-subject"), ["user-1"]);
        assert_eq!(answer.echoed("x-auth-issuer"), ["https://idp.example"]);
        assert_eq!(answer.echoed("x-forwarded-for"), ["127.0.0.1"]);
        assert_eq!(answer.echoed("x-forwarded-host"), ["api.example"]);
        assert_eq!(answer.echoed("via"), ["1.1 gateway"]);
        assert_eq!(answer.echoed("x-kept"), ["2"]);
        for gone in ["x-mine", "te", "keep-alive", "proxy-connection", "upgrade", "http2-settings", "connection"] {
            assert!(answer.echoed(gone).is_empty(), "{gone} in {}", answer.text());
        }
    })
    .await;
}

#[tokio::test]
async fn the_callers_credential_ends_at_the_gateway() {
    on_both(ISSUER, async |gateway| {
        let bearer = token(json!({}));
        let mut client = gateway.connect().await;
        for credential in [
            format!("Authorization: Bearer {bearer}"),
            format!("X-Token: {bearer}"),
            format!("Cookie: a=1; session={bearer}; b=2"),
        ] {
            let answer = client.ask(&format!("GET /v1/x HTTP/1.1\nHost: api.example\n{credential}\n\n")).await;
            assert_eq!(answer.status(), 200, "{answer:?}");
            assert!(!answer.text().contains(&bearer), "{}", answer.text());
        }
        let open = client
            .ask(&format!(
                "GET /public/x HTTP/1.1\nHost: a\nAuthorization: Basic c2VjcmV0\nX_Token: {bearer}\nCookie: b=2\n\n"
            ))
            .await;
        assert!(!open.text().contains("c2VjcmV0") && !open.text().contains(&bearer), "{}", open.text());
        assert_eq!(open.echoed("cookie"), ["b=2"]);
    })
    .await;
}

#[tokio::test]
async fn the_callers_credential_travels_on_where_the_upstream_may_have_it() {
    let upstream = Upstream::start().await;
    on_both(&config(&upstream, "pass_credentials = true"), async |gateway| {
        let bearer = token(json!({}));
        let mut client = gateway.connect().await;
        client.say(&format!("GET /v1/x HTTP/1.1\nHost: a\nAuthorization: Bearer {bearer}\n\n")).await;
        let mut behind = upstream.accept().await;
        let request = behind.request().await;
        assert_eq!(request.field("authorization"), Some(format!("Bearer {bearer}").as_str()));
        assert_eq!(request.field("x-auth-subject"), Some("user-1"));
        // without an answer it would be sent once more, on a connection that the next gateway's test would find
        behind.say("HTTP/1.1 200 OK\nContent-Length: 0\n\n").await;
        assert_eq!(client.answer_to("GET").await.status(), 200);
    })
    .await;
}

#[tokio::test]
async fn s12_forwarded_fields_count_from_trusted_proxies_alone() {
    let forged = "Forwarded: for=10.1.1.1\nX-Forwarded-For: 10.1.1.1\nX_Forwarded_For: 10.1.1.2\nX-Forwarded-Proto: https\n\
                  X-Real-IP: 10.1.1.3\nX-Forwarded-User: admin\nX-Original-URL: /admin\n";
    let request = format!("GET /public/x HTTP/1.1\nHost: api.example:8080\n{forged}\n");
    on_both(ISSUER, async |gateway| {
        let answer = gateway.connect().await.ask(&request).await;
        assert_eq!(answer.echoed("x-forwarded-for"), ["127.0.0.1"]);
        assert_eq!(answer.echoed("forwarded"), ["for=127.0.0.1;host=\"api.example:8080\";proto=http"]);
        assert_eq!(answer.echoed("x-forwarded-proto"), ["http"]);
        assert!(!answer.text().contains("10.1.1") && !answer.text().contains("admin"), "{}", answer.text());
    })
    .await;
    on_both(&format!("{ISSUER}\n[server]\ntrusted_proxies = [\"127.0.0.0/8\"]\n"), async |gateway| {
        let answer = gateway.connect().await.ask(&request).await;
        assert_eq!(answer.echoed("x-forwarded-for"), ["10.1.1.1, 127.0.0.1"]);
        assert_eq!(answer.echoed("x-forwarded-proto"), ["https"]);
        assert!(!answer.text().contains("10.1.1.2") && !answer.text().contains("10.1.1.3"), "{}", answer.text());
        assert!(!answer.text().contains("admin"), "{}", answer.text());
    })
    .await;
}

#[tokio::test]
async fn path_query_and_body_arrive_as_they_were_sent() {
    let upstream = Upstream::start().await;
    let base = format!("{ISSUER}\n[upstream]\nurl = \"{}/base/\"\n", upstream.url());
    on_both(&base, async |gateway| {
        let mut client = gateway.connect().await;
        client
            .say("POST /public/a%20b/%C3%A9?x=%2F&y=%00&&z HTTP/1.1\nHost: api.example\nContent-Length: 5\nExpect: 100-continue\n\nhello")
            .await;
        let mut behind = upstream.accept().await;
        let request = behind.request().await;
        assert_eq!(request.target(), ("POST", "/base/public/a%20b/%C3%A9?x=%2F&y=%00&&z"));
        assert_eq!(request.text(), "hello");
        assert_eq!(request.field("content-length"), Some("5"));
        assert_eq!(request.field("host"), Some(upstream.authority().as_str()));
        assert_eq!(request.field("x-forwarded-host"), Some("api.example"));
        assert_eq!(request.field("expect"), None);
        behind.say("HTTP/1.1 201 Made\nContent-Length: 2\nLocation: /x\n\nok").await;
        assert!(client.until("\r\n\r\n").await.starts_with("HTTP/1.1 100"));
        let answer = client.answer_to("POST").await;
        assert_eq!((answer.status(), answer.text().as_str(), answer.field("location")), (201, "ok", Some("/x")));

        // the same connections serve the next exchange, and an empty body is announced as such
        client.say("POST /public/x HTTP/1.1\nHost: api.example\nContent-Length: 0\n\n").await;
        let request = behind.request().await;
        assert_eq!(request.field("content-length"), Some("0"));
        behind.say("HTTP/1.1 204 No Content\n\n").await;
        let answer = client.answer_to("POST").await;
        assert_eq!((answer.status(), answer.field("content-length")), (204, None));
        client.say("GET /public/x HTTP/1.1\nHost: api.example\n\n").await;
        let request = behind.request().await;
        assert_eq!((request.field("content-length"), request.field("transfer-encoding")), (None, None));
        behind.say("HTTP/1.1 304 Not Modified\nETag: \"1\"\n\n").await;
        assert_eq!(client.answer_to("GET").await.status(), 304);
    })
    .await;
}

#[tokio::test]
async fn what_the_upstream_answers_comes_back_without_fields_of_its_connection() {
    let upstream = Upstream::start().await;
    on_both(&config(&upstream, ""), async |gateway| {
        let mut client = gateway.connect().await;
        client.say("GET /public/x HTTP/1.1\nHost: a\n\n").await;
        let mut behind = upstream.accept().await;
        behind.request().await;
        behind
            .say(
                "HTTP/1.1 401 Unauthorized\nConnection: X-Hop, close\nX-Hop: 1\nKeep-Alive: timeout=5\nProxy-Authenticate: Basic\n\
                 WWW-Authenticate: Basic realm=\"up\"\nX-Auth-Subject: somebody\nX_Auth_Roles: admin\nSet-Cookie: a=1\nSet-Cookie: b=2\n\
                 Content-Length: 2\n\nno",
            )
            .await;
        let answer = client.answer_to("GET").await;
        assert_eq!((answer.status(), answer.text().as_str()), (401, "no"));
        assert_eq!(answer.field("www-authenticate"), Some("Basic realm=\"up\""));
        assert_eq!(answer.fields.iter().filter(|(name, _)| name == "set-cookie").count(), 2);
        for gone in ["x-hop", "keep-alive", "proxy-authenticate", "x-auth-subject", "x_auth_roles", "connection"] {
            assert_eq!(answer.field(gone), None);
        }
        // HEAD: the length is told, the body is not
        client.say("HEAD /public/x HTTP/1.1\nHost: a\n\n").await;
        let mut behind = upstream.accept().await;
        assert_eq!(behind.request().await.target().0, "HEAD");
        behind.say("HTTP/1.1 200 OK\nContent-Length: 1234\n\n").await;
        let answer = client.answer_to("HEAD").await;
        assert_eq!((answer.status(), answer.field("content-length")), (200, Some("1234")));
    })
    .await;
}

#[tokio::test]
async fn routes_lead_to_the_upstreams_they_name() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let text = format!(
        "{ISSUER}\n[upstream]\nurl = \"{}\"\n[[upstreams]]\nname = \"second\"\nurl = \"{}\"\n\
         [[routes]]\npath = \"/second/{{*rest}}\"\naccess = \"public\"\nupstream = \"second\"\n",
        first.url(),
        second.url()
    );
    on_both(&text, async |gateway| {
        let mut client = gateway.connect().await;
        for (path, upstream) in [("/public/x", &first), ("/second/x", &second)] {
            client.say(&format!("GET {path} HTTP/1.1\nHost: a\n\n")).await;
            let mut behind = upstream.accept().await;
            assert_eq!(behind.request().await.target(), ("GET", path));
            behind.say("HTTP/1.1 200 OK\nConnection: close\nContent-Length: 0\n\n").await;
            assert_eq!(client.answer_to("GET").await.status(), 200);
        }
    })
    .await;
}

#[tokio::test]
async fn upstreams_are_told_the_address_that_clients_know_the_gateway_by() {
    for (more, host, scheme) in
        [("", "api.example", "https"), ("trusted_proxies = [\"127.0.0.0/8\"]", "told.example", "http")]
    {
        let config = format!("{ISSUER}\n[server]\npublic_url = \"https://api.example/\"\n{more}\n");
        on_both(&config, async |gateway| {
            let mut client = gateway.connect().await;
            let told = "X-Forwarded-Host: told.example\nX-Forwarded-Proto: http\n";
            let answer = client.ask(&format!("GET /public/x HTTP/1.1\nHost: 10.0.0.9\n{told}\n")).await;
            assert_eq!(answer.status(), 200, "{answer:?}");
            assert_eq!(answer.echoed("x-forwarded-host"), [host]);
            assert_eq!(answer.echoed("x-forwarded-proto"), [scheme]);
            if more.is_empty() {
                assert_eq!(answer.echoed("forwarded"), ["for=127.0.0.1;host=\"api.example\";proto=https"]);
            }
        })
        .await;
    }
}
