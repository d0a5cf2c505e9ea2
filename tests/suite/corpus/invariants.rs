//! What holds for every answer, whatever a case expects: checked after each case, against each subject.

use serde_json::Value;

use super::answer::{Answer, Sent};
use super::challenges::{self, Challenge};

/// Every rule that the answer breaks, with the id of the standard.
pub(crate) fn broken(sent: &Sent, answer: &Answer) -> Vec<String> {
    if answer.status < 400 {
        return Vec::new();
    }
    let mut found = Vec::new();
    challenges_are_sound(answer, &mut found);
    body_is_sound(sent, answer, &mut found);
    if matches!(answer.status, 429 | 503) {
        let seconds = answer.lines("retry-after").first().and_then(|text| text.parse::<u64>().ok());
        if seconds.is_none_or(|seconds| seconds == 0) {
            found.push("retry-after: a client that may come back is not told when".to_owned());
        }
    }
    if answer.lines("x-request-id").len() != 1 {
        found.push("x-request-id: every refusal carries exactly one".to_owned());
    }
    found
}

fn challenges_are_sound(answer: &Answer, found: &mut Vec<String>) {
    let lines = answer.lines("www-authenticate");
    if answer.status == 401 && lines.is_empty() {
        found.push("B2: a 401 without a challenge".to_owned());
    }
    for line in lines {
        match challenges::parse(line) {
            Ok(parsed) => parsed.iter().for_each(|challenge| challenge_is_sound(answer, challenge, found)),
            Err(why) => found.push(format!("B19: {line:?} cannot be split: {why}")),
        }
    }
}

fn challenge_is_sound(answer: &Answer, challenge: &Challenge, found: &mut Vec<String>) {
    let mut wrong = |what: String| found.push(format!("{what} in {challenge:?}"));
    if challenge.parameters.is_empty() {
        wrong("B3: no parameter".to_owned());
    }
    for (name, value) in &challenge.parameters {
        if challenge.parameters.iter().filter(|(other, _)| other == name).count() > 1 {
            wrong(format!("B4: {name} is repeated"));
        }
        let plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
        if !value.bytes().all(plain) {
            wrong(format!("B5: {name} holds characters it may not hold"));
        }
    }
    if let Some(scope) = challenge.parameter("scope")
        && scope.split(' ').any(str::is_empty)
    {
        wrong("B6: scopes are not parted by single spaces".to_owned());
    }
    let error = challenge.parameter("error");
    let expected = match (answer.status, answer.cause.as_deref()) {
        (400, _) => Some("invalid_request"),
        (401, Some("missing_token")) => None,
        (401, _) => Some("invalid_token"),
        (403, Some("insufficient_permissions")) => Some("insufficient_scope"),
        _ => None,
    };
    if error.is_some() && error != expected {
        wrong(format!("B1, B7, B9, B21: error {error:?} where {expected:?} is right"));
    }
}

fn body_is_sound(sent: &Sent, answer: &Answer, found: &mut Vec<String>) {
    let media = answer.lines("content-type");
    let &[media @ ("application/problem+json" | "application/json")] = media.as_slice() else {
        found.push(format!("S18: content type {media:?}"));
        return;
    };
    if sent.method == "HEAD" {
        if !answer.body.is_empty() {
            found.push("RFC 9110 section 9.3.2: HEAD is answered with a body".to_owned());
        }
        return;
    }
    let Ok(body @ Value::Object(_)) = serde_json::from_slice(&answer.body) else {
        found.push(format!("S18: the body is no JSON object: {:?}", String::from_utf8_lossy(&answer.body)));
        return;
    };
    if media == "application/problem+json" {
        if body["status"] != answer.status {
            found.push(format!("L14: the body says {}, the status line {}", body["status"], answer.status));
        }
        let kind = body["type"].as_str().unwrap_or_default();
        if kind != "about:blank" && !kind.starts_with("https://") {
            found.push(format!("L14: type {kind:?} is neither about:blank nor an absolute URI"));
        }
        if body["request_id"].as_str() != answer.lines("x-request-id").first().copied() {
            found.push("the body and x-request-id name different requests".to_owned());
        }
    }
}
