//! The session that README.md shows is the one that happens, with both gateways.

use std::fs;
use std::path::Path;

use gateway::demo::{DemoKey, Document};
use gateway::profile::Profile;
use regex_lite::Regex;

use crate::gateway::{Answer, Gateway, on_both};

#[tokio::test]
async fn the_session_of_the_readme_happens_as_it_is_told() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let (_, after) = readme.split_once("```console\n").expect("the session is there");
    let (session, _) = after.split_once("\n```").expect("the session ends");
    let steps: Vec<&str> = session.strip_prefix("$ ").expect("a command comes first").split("\n\n$ ").collect();
    assert!(steps.len() >= 5, "only {} steps", steps.len());

    let profile = Profile::named("standard").unwrap();
    on_both(profile.text, async |gateway: Gateway| {
        let document = fs::read(gateway.dir.path().join("data/demo.json")).unwrap();
        let document: Document = serde_json::from_slice(&document).unwrap();
        for step in &steps {
            let (command, told) = step.split_once('\n').expect("a command has an answer");
            let answer = ask(&gateway, &with_variables(command, &document)).await;
            if command.contains("%{http_code}") {
                assert_eq!(answer.status().to_string(), told, "{command}");
            } else {
                let shown = told.replacen("\n\n", "\r\n\r\n", 1);
                assert_eq!(comparable(&answer), comparable(&read(&shown)), "{command}");
            }
        }
    })
    .await;
}

/// Fills in what the shell would.
fn with_variables(command: &str, document: &Document) -> String {
    let key = |key: Option<&DemoKey>| key.expect("the demo has keys").key.clone();
    command
        .replace("$KEY", &key(document.api_keys.first()))
        .replace("$READER", &key(document.api_keys.last()))
        .replace("$TOKEN", document.bearer.as_deref().expect("the demo has a token"))
}

/// Sends what curl would.
async fn ask(gateway: &Gateway, command: &str) -> Answer {
    let quoted = Regex::new(r#""[^"]*"|\S+"#).unwrap();
    let mut words = quoted.find_iter(command).map(|word| word.as_str().trim_matches('"'));
    assert_eq!(words.next(), Some("curl"));
    let (mut fields, mut body, mut url) = (String::new(), None, None);
    while let Some(word) = words.next() {
        match word {
            "-i" | "-s" => {}
            "-o" | "-w" => drop(words.next()),
            "-H" => fields.extend([words.next().expect("-H has a value"), "\n"]),
            "-d" => body = words.next(),
            address => url = Some(address),
        }
    }
    let target = url.and_then(|url| url.strip_prefix("http://127.0.0.1:8080")).expect("the demo is asked");
    let method = if body.is_some() { "POST" } else { "GET" };
    let length = body.map_or_else(String::new, |body| format!("content-length: {}\n", body.len()));
    let body = body.unwrap_or_default();
    let head = format!("{method} {target} HTTP/1.1\nhost: {}\nuser-agent: curl/7.88.1\naccept: */*\n", gateway.address);
    gateway.connect().await.ask(&format!("{head}{fields}{length}\n{body}")).await
}

/// An answer as it stands in the README.
fn read(shown: &str) -> Answer {
    let (head, body) = shown.split_once("\r\n\r\n").expect("a head and a body");
    let mut lines = head.lines();
    let line = lines.next().expect("a status line").to_owned();
    let fields =
        lines.map(|line| line.split_once(": ").expect("a field")).map(|(name, value)| (name.into(), value.into()));
    Answer { line, fields: fields.collect(), body: body.into() }
}

/// What of an answer is the same every time. What is left of a budget depends on the moment. Whether the connection closes depends on how much of the request's body
/// had arrived when the answer was ready.
fn comparable(answer: &Answer) -> (String, Vec<(String, String)>, serde_json::Value) {
    let changing = Regex::new(r"req_[0-9a-f]{32}|key_[0-9A-Za-z]{16}|127\.0\.0\.1:[0-9]+").unwrap();
    let steady = |text: &str| changing.replace_all(text, "…").into_owned();
    let field = |(name, value): &(String, String)| match name.as_str() {
        "date" | "content-length" | "x-ratelimit-remaining" | "x-ratelimit-reset" | "ratelimit" => {
            (name.clone(), "…".to_owned())
        }
        _ => (name.clone(), steady(value)),
    };
    let of_the_answer = |(name, _): &&(String, String)| name != "connection";
    let mut fields: Vec<_> = answer.fields.iter().filter(of_the_answer).map(field).collect();
    fields.sort();
    let body = serde_json::from_str(&steady(&answer.text())).expect("the body is JSON");
    (answer.line.clone(), fields, body)
}
