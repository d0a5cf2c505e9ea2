//! The two gateways answer alike: same status, same fields, same bytes.

use serde_json::json;

use super::process::BINARIES;
use super::tokens::ISSUER;
use super::{Answer, Gateway, token};

/// What may differ: the time, and fields of the connection and of framing.
const INCIDENTAL: [&str; 4] = ["date", "connection", "transfer-encoding", "keep-alive"];

#[tokio::test]
async fn both_gateways_give_the_same_answers() {
    let good = token(json!({}));
    let reader = token(json!({"scope": "read"}));
    let expired = token(json!({"exp": 1}));
    let requests: Vec<String> = [
        "GET /public/x HTTP/1.1\nHost: a\n\n".to_owned(),
        "HEAD /public/x HTTP/1.1\nHost: a\n\n".to_owned(),
        "POST /public/x HTTP/1.1\nHost: a\nContent-Length: 3\n\nabc".to_owned(),
        "POST /public/x HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n".to_owned(),
        "DELETE /public/x HTTP/1.1\nHost: a\nContent-Length: 0\n\n".to_owned(),
        "MADE-UP /public/x HTTP/1.1\nHost: a\n\n".to_owned(),
        "OPTIONS * HTTP/1.1\nHost: a\n\n".to_owned(),
        "GET /public/x HTTP/1.0\n\n".to_owned(),
        "GET /public/%2e%2e/v1/x HTTP/1.1\nHost: a\n\n".to_owned(),
        "GET //v1/x HTTP/1.1\nHost: a\n\n".to_owned(),
        "GET /Public/x HTTP/1.1\nHost: a\n\n".to_owned(),
        "GET /nowhere HTTP/1.1\nHost: a\n\n".to_owned(),
        "HEAD /v1/x HTTP/1.1\nHost: a\n\n".to_owned(),
        "GET /v1/x HTTP/1.1\nHost: a\n\n".to_owned(),
        "GET /v1/x HTTP/1.1\nHost: a\nX-Request-Id: mine-1\n\n".to_owned(),
        "GET /v1/x HTTP/1.1\nHost: a\nX-Http-Method-Override: DELETE\n\n".to_owned(),
        "GET /v1/x HTTP/1.1\nHost: a\nAuthorization: Bearer\n\n".to_owned(),
        "GET /v1/x HTTP/1.1\nHost: a\nAuthorization: Bearer x.y.z\n\n".to_owned(),
        format!("GET /v1/x HTTP/1.1\nHost: a\nAuthorization: Bearer {expired}\n\n"),
        format!("GET /v1/x HTTP/1.1\nHost: a\nAuthorization: Bearer {good}\n\n"),
        format!("GET /v1/x HTTP/1.1\nHost: a\nAuthorization: Bearer {good}\nX-Token: {good}\n\n"),
        format!("PUT /v1/x HTTP/1.1\nHost: a\nAuthorization: Bearer {reader}\nContent-Length: 2\n\nhi"),
        format!("GET /nowhere HTTP/1.1\nHost: a\nAuthorization: Bearer {good}\n\n"),
        "GET /shared/x HTTP/1.1\nHost: a\nOrigin: https://app.example\n\n".to_owned(),
        "GET /healthz HTTP/1.1\nHost: a\n\n".to_owned(),
        "HEAD /readyz HTTP/1.1\nHost: a\n\n".to_owned(),
        "POST /public/x HTTP/1.1\nHost: a\nContent-Length: 1\nTransfer-Encoding: chunked\n\n0\n\n".to_owned(),
        "HEAD /public/x#y HTTP/1.1\nHost: a\n\n".to_owned(),
    ]
    .into();
    let mut seen: Vec<Vec<_>> = Vec::new();
    for binary in BINARIES {
        let gateway = Gateway::start(binary, ISSUER).await;
        let mut answers = Vec::new();
        for request in &requests {
            answers.push(comparable(&gateway.connect().await.ask(request).await));
        }
        seen.push(answers);
    }
    for (index, request) in requests.iter().enumerate() {
        assert_eq!(seen[0][index], seen[1][index], "{request}");
    }
}

fn comparable(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let id = answer.field("x-request-id").unwrap_or("none").to_owned();
    let is_ours = id.starts_with("req_");
    let named = |text: &str| if is_ours { text.replace(&id, "ID") } else { text.to_owned() };
    let mut fields: Vec<_> = answer
        .fields
        .iter()
        .filter(|(name, _)| !INCIDENTAL.contains(&name.as_str()))
        // what is left of a budget depends on the moment
        .map(|(name, value)| {
            let moves = matches!(name.as_str(), "x-ratelimit-remaining" | "x-ratelimit-reset" | "ratelimit");
            (name.clone(), if moves { String::new() } else { named(value) })
        })
        .collect();
    fields.sort();
    (answer.status(), fields, named(&answer.text()))
}
