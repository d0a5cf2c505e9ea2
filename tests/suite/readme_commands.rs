//! The commands of README.md, one for each profile, do what it says that they do: with both gateways, in a shell.

use std::fs;
use std::path::Path;

use regex_lite::Regex;
use tokio::process::Command;

use crate::gateway::{BINARIES, Gateway, plain_command, soon};

/// Stands between what two commands print.
const MARK: &str = "\u{1e}";

/// How a gateway is started by hand, and what is typed beside it.
struct Shown {
    arguments: Vec<String>,
    typed: Vec<Typed>,
}

/// A command and what it prints; nothing where that is not shown.
struct Typed {
    command: String,
    prints: String,
}

#[tokio::test]
async fn every_command_that_starts_a_profile_leads_to_what_is_shown() {
    let shown = shown();
    let profiles: Vec<&str> = shown.iter().filter_map(|shown| shown.arguments.get(1)).map(String::as_str).collect();
    assert_eq!(profiles, ["vantage", "musicgen", "marketing", "vagaro", "alianza"]);
    for binary in BINARIES {
        for shown in &shown {
            let gateway = started(binary, &shown.arguments).await;
            let outputs = typed(&gateway, shown.typed.iter().map(|typed| typed.command.as_str())).await;
            assert!(shown.typed.iter().any(|typed| !typed.prints.is_empty()), "{:?} shows nothing", shown.arguments);
            for (typed, output) in shown.typed.iter().zip(outputs) {
                assert_eq!(comparable(&output), comparable(&typed.prints), "{binary}: {}", typed.command);
            }
        }
    }
}

#[tokio::test]
async fn the_demo_is_started_by_one_command_and_its_secrets_are_found_as_it_is_said() {
    let readme = readme();
    let (_, after) = readme.split_once("```sh\ncargo run -p gateway &\n").expect("the demo is started");
    let (lines, _) = after.split_once("\n```").expect("the block ends");
    for binary in BINARIES {
        let gateway = started(binary, &[]).await;
        let demo = fs::read_to_string(gateway.dir.path().join("gateway-data/demo.json")).unwrap();
        let demo: serde_json::Value = serde_json::from_str(&demo).unwrap();
        let commands = lines.lines().chain(["printf %s \"$KEY\"", "printf %s \"$READER\"", "printf %s \"$TOKEN\""]);
        let outputs = typed(&gateway, commands).await;
        let keys = demo["api_keys"].as_array().unwrap();
        let expected = [&keys[0]["key"], &keys[keys.len() - 1]["key"], &demo["bearer"]].map(|secret| secret.as_str());
        let told: Vec<Option<&str>> = outputs.iter().map(|output| Some(output.as_str())).collect();
        assert_eq!(told[told.len() - 3..], expected, "{binary}");
    }
}

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap()
}

/// Every block that starts a profile, with the session behind it.
fn shown() -> Vec<Shown> {
    let readme = readme();
    let blocks = readme.split("```sh\ncargo run -p gateway -- --profile ").skip(1);
    blocks
        .map(|block| {
            let (line, after) = block.split_once("\n```\n\n```console\n").expect("a session follows the command");
            let (session, _) = after.split_once("\n```").expect("the session ends");
            let arguments = ["--profile"].into_iter().chain(line.split_whitespace()).map(str::to_owned).collect();
            Shown {
                arguments,
                typed: session.split("$ ").map(read).filter(|typed| !typed.command.is_empty()).collect(),
            }
        })
        .collect()
}

/// A command, which may go on behind a backslash at the end of a line, and what it prints.
fn read(text: &str) -> Typed {
    let mut lines = text.lines();
    let mut command = String::new();
    for line in lines.by_ref() {
        command += line;
        if !line.ends_with('\\') {
            break;
        }
        command.push('\n');
    }
    Typed { command, prints: lines.collect::<Vec<_>>().join("\n").trim().to_owned() }
}

/// In a folder of its own, at a free port.
async fn started(binary: &'static str, arguments: &[String]) -> Gateway {
    let dir = tempfile::tempdir().unwrap();
    let mut command = plain_command(binary, dir.path());
    command.args(arguments).args(["--listen", "127.0.0.1:0"]);
    Gateway::spawn(binary, command, dir).await
}

/// What these commands print, typed one after the other into one shell.
async fn typed<'c>(gateway: &Gateway, commands: impl Iterator<Item = &'c str>) -> Vec<String> {
    let here = gateway.address.to_string();
    let script: String =
        commands.map(|command| format!("{command}\nprintf '{MARK}'\n").replace("localhost:8080", &here)).collect();
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", &script]).current_dir(gateway.dir.path()).env("NO_PROXY", "127.0.0.1").kill_on_drop(true);
    let output = soon("the end of the shell", shell.output()).await.unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {log}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim_end_matches(MARK).split(MARK).map(|output| output.trim().to_owned()).collect()
}

/// Without what is made up at every start: ids, and times.
fn comparable(text: &str) -> String {
    let changing = Regex::new(r"(user_?|org_|key_)[0-9A-Za-z]{16}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z").unwrap();
    changing.replace_all(text, "…").into_owned()
}
