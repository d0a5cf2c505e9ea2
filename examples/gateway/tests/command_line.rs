//! The command line as a whole process: exit statuses, what goes where, and keys from their making to their end.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn gateway(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gateway"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("RUST_LOG")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[track_caller]
fn answer(folder: &Path, arguments: &[&str]) -> String {
    let output = gateway(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout).to_owned()
}

#[track_caller]
fn failure(folder: &Path, arguments: &[&str], status: i32) -> String {
    let output = gateway(folder, arguments);
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {}", text(&output.stderr));
    assert!(output.stdout.is_empty(), "{arguments:?}: {}", text(&output.stdout));
    text(&output.stderr).to_owned()
}

#[test]
fn a_profile_that_is_printed_checks_out() {
    let folder = tempfile::tempdir().unwrap();
    let profile = answer(folder.path(), &["profile", "standard"]);
    assert!(profile.contains("\n[demo]\nenabled = true\n"));
    fs::write(folder.path().join("my.toml"), profile).unwrap();
    assert_eq!(answer(folder.path(), &["check", "--config", "my.toml"]), "my.toml: good\n");
    assert!(!folder.path().join("gateway-data").exists(), "checking leaves nothing behind");
}

#[test]
fn every_problem_is_named_and_nothing_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let bad = r#"
[sever]
[demo]
enabled = true
[server]
listen = "0.0.0.0:0"
[tls]
cert_file = "none.pem"
key_file = "none.pem"
[errors]
shape = "problme"
realm = "\""
codes = { missing_tokn = "x" }
[tokens]
issuer = "a"
[[credentials]]
authorization = "Bearer"
kinds = ["jwt"]
[[credentials]]
header = "X Y"
kinds = ["jwt"]
[[issuers]]
issuer = "b"
audience = ["b"]
leeway = 5
jwks_file = "none.json"
[[routes]]
path = "/x/{*rest}/y"
needs = "read"
credentials = ["X Y"]
[[routes]]
path = "/y"
needs = "read"
methods = []
"#;
    fs::write(folder.path().join("bad.toml"), bad).unwrap();
    let checked = failure(folder.path(), &["check", "--config", "bad.toml"], 2);
    let places: Vec<&str> = checked.lines().map(|line| line.split(": ").next().unwrap()).collect();
    let lines =
        ["2:2", "4:11", "8:13", "9:12", "11:9", "12:9", "13:11", "14:1", "20:10", "25:10", "26:13", "27:1", "34:11"];
    assert_eq!(places, lines.map(|line| format!("bad.toml:{line}")), "{checked}");
    assert_eq!(failure(folder.path(), &["--config", "bad.toml"], 2), checked, "serving says the same");
    assert!(!folder.path().join("gateway-data").exists());
}

#[test]
fn certificates_are_part_of_what_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(folder.path().join("cert.pem"), pair.cert.pem()).unwrap();
    fs::write(folder.path().join("key.pem"), pair.signing_key.serialize_pem()).unwrap();
    let tls = |key: &str| format!("[tls]\ncert_file = \"cert.pem\"\nkey_file = \"{key}\"\n");
    fs::write(folder.path().join("my.toml"), tls("key.pem")).unwrap();
    answer(folder.path(), &["check", "--config", "my.toml"]);
    fs::write(folder.path().join("my.toml"), tls("cert.pem")).unwrap();
    assert!(failure(folder.path(), &["check", "--config", "my.toml"], 2).starts_with("my.toml:2:13: tls.cert_file: "));
    fs::write(folder.path().join("my.toml"), tls("none.pem")).unwrap();
    assert!(
        failure(folder.path(), &["check", "--config", "my.toml"], 2)
            .starts_with("my.toml:3:12: tls.key_file: cannot read")
    );
}

#[test]
fn what_is_asked_wrongly_is_two_and_what_stands_in_the_way_is_one() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["check", "--config", "none.toml"][..],
        &["--config", "none.toml"],
        &["--profile", "nonsense"],
        &["serve", "--profile", "nonsense"],
        &["profile", "nonsense"],
        &["profile"],
        &["--profile", "standard", "--config", "x.toml"],
        &["--listen", "localhost"],
        &["nonsense"],
        &["keys", "create", "--name", "n", "--owner", "o", "--environment", "moon"],
        &["keys", "create", "--name", "", "--owner", "o"],
        &["keys", "create", "--name", "n", "--owner", "o", "--network", "10.0.0.1/8"],
        &["keys", "create", "--name", "n", "--owner", "o", "--expires-in", "soon"],
        &["tokens", "create", "--subject", "s", "--idle-limit", "1s"],
        &["tokens", "list"],
        &["tokens", "revoke", "--id", "a", "--subject", "b"],
        &["revoke"],
        &["revoke", "--tenant", "a", "--everything"],
    ] {
        failure(folder.path(), arguments, 2);
    }
    let foreign = folder.path().join("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("letter.txt"), "hello").unwrap();
    for arguments in [
        &["--data-dir", "foreign", "--listen", "127.0.0.1:0"][..],
        &["keys", "list", "--data-dir", "none"],
        &["keys", "revoke", "key_none", "--data-dir", "none"],
        &["keys", "rotate", "key_none"],
        &["revoke", "--tenant", "a", "--data-dir", "none"],
    ] {
        let why = failure(folder.path(), arguments, 1);
        assert_eq!(why.lines().count(), 1, "{why}");
    }
    let version = answer(folder.path(), &["--version"]);
    assert!(version.starts_with("gateway "), "{version}");
}

#[test]
fn a_key_lives_from_create_over_rotate_to_revoke() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("my.toml"), real_use()).unwrap();
    let keys = |command: &str, rest: &[&str]| {
        let place = ["--config", "my.toml", "--data-dir", "data"];
        answer(folder, &[&["keys", command][..], rest, &place[..]].concat())
    };
    let options =
        ["--name", "ci", "--owner", "robot", "--tenant", "t1", "--permission", "read,write", "--expires-in", "30d"];
    let key = keys("create", &options);
    assert!(key.starts_with("acme_") && key.trim().len() == "acme_".len() + 32, "{key}");
    let list = |rest: &[&str]| serde_json::from_str::<Value>(&keys("list", &[&["--json"][..], rest].concat())).unwrap();
    let listed = list(&[]);
    assert_eq!(listed[0]["owner"], "robot");
    assert_eq!(listed[0]["permissions"], serde_json::json!(["read", "write"]));
    assert_eq!(listed[0]["status"], "active");
    assert!(key.starts_with(listed[0]["begins"].as_str().unwrap()));
    assert!(!listed.to_string().contains(key.trim()), "the key is not kept");
    let id = listed[0]["id"].as_str().unwrap();

    let successor: Value = serde_json::from_str(&keys("rotate", &[id, "--overlap", "1h", "--json"])).unwrap();
    assert_eq!(successor["rotated_from"], id);
    assert_ne!(successor["key"], key.trim());
    assert_eq!(list(&[])[0]["status"], "replaced");
    assert_eq!(list(&["--tenant", "t2"]), serde_json::json!([]));

    keys("revoke", &[successor["id"].as_str().unwrap()]);
    assert_eq!(list(&[])[1]["status"], "revoked");
    let table = keys("list", &[]);
    assert!(table.starts_with("ID ") && table.lines().count() == 3, "{table}");
    let again = ["keys", "rotate", id, "--config", "my.toml", "--data-dir", "data"];
    assert!(failure(folder, &again, 1).contains("replaced already"));
}

#[test]
fn misspelt_permissions_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("my.toml"), real_use()).unwrap();
    let create = |permission: &str| {
        let arguments =
            ["keys", "create", "--config", "my.toml", "--name", "n", "--owner", "o", "--permission", permission];
        text(&gateway(folder.path(), &arguments).stderr).to_owned()
    };
    assert!(create("raed").starts_with("warning: no route needs `raed`; the routes need read\n"));
    for known in ["read", "admin", "models:*"] {
        assert!(!create(known).contains("warning"), "{known}");
    }
}

fn real_use() -> &'static str {
    "[[credentials]]\nheader = \"X-API-Key\"\nkinds = [\"api_key\"]\n\
     [api_keys]\nprefix = \"acme\"\n\
     [permissions.implies]\nadmin = [\"read\"]\n\
     [[routes]]\npath = \"/x\"\nneeds = \"read\"\n"
}
