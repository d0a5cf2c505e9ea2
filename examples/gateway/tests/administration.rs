//! Users, tenants, keys and signing keys by the command line.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

const CONFIG: &str = "[[credentials]]\nauthorization = \"Bearer\"\nkinds = [\"jwt\"]\n\
    [[credentials]]\nheader = \"X-API-Key\"\nkinds = [\"api_key\"]\n\
    [tokens]\nissuer = \"gw\"\naudience = \"api\"\nalgorithm = \"ES256\"\n\
    [api_keys]\nprefix = \"acme\"\n[accounts]\n[revocations]\n\
    [[routes]]\npath = \"/x\"\nneeds = \"read\"\n";

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("my.toml"), CONFIG).unwrap();
        Self(folder)
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_gateway"))
            .args(arguments)
            .args(["--config", "my.toml", "--data-dir", "data"])
            .current_dir(self.folder())
            .env("SHORT", "short")
            .env_remove("RUST_LOG")
            .output()
            .unwrap()
    }

    #[track_caller]
    fn answer(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.answer(&[arguments, &["--json"]].concat())).unwrap()
    }

    #[track_caller]
    fn failure(&self, arguments: &[&str], status: i32) -> String {
        let output = self.run(arguments);
        let why = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {why}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        why
    }

    fn key_status(&self, id: &Value) -> Value {
        self.json(&["keys", "show", id.as_str().unwrap()])["status"].clone()
    }
}

#[test]
fn a_user_is_made_changed_and_switched_off_and_on() {
    let place = Place::new();
    let made =
        place.run(&["users", "create", "--email", "Ada@example.com", "--user-name", "ada", "--permission", "read"]);
    let (password, log) = (String::from_utf8(made.stdout).unwrap(), String::from_utf8(made.stderr).unwrap());
    assert!(password.trim().len() >= 16 && password.lines().count() == 1, "{password}");
    assert!(log.contains("auth::account") && log.contains("user_create") && !log.contains(password.trim()), "{log}");
    let ada = place.json(&["users", "show", "ADA"]);
    assert_eq!(
        (&ada["email"], &ada["status"], &ada["plan"]),
        (&json!("Ada@example.com"), &json!("active"), &Value::Null)
    );
    let id = ada["id"].as_str().unwrap();
    for name in ["ada@example.com", id] {
        assert_eq!(place.json(&["users", "show", name]), ada);
    }
    assert_eq!(place.json(&["users", "set-plan", id, "pro"])["plan"], "pro");
    assert_eq!(place.json(&["users", "set-plan", id, "--none"])["plan"], Value::Null);
    assert_eq!(
        place.json(&["users", "set-networks", id, "--network", "10.0.0.0/8"])["networks"],
        json!(["10.0.0.0/8"])
    );
    assert_eq!(place.json(&["users", "set-networks", id, "--any"])["networks"], Value::Null);
    fs::write(place.folder().join("word"), "a password of a file\n").unwrap();
    let reset = place.json(&["users", "reset-password", id, "--password-file", "word"]);
    assert_eq!(reset["password"], Value::Null, "who gave it knows it");
    assert!(place.json(&["users", "reset-password", id])["password"].is_string());
    place.answer(&["users", "end-sessions", id]);
    for _ in 0..2 {
        assert_eq!(place.json(&["users", "disable", id])["status"], "disabled");
    }
    assert_eq!(place.json(&["users", "enable", "ada"])["status"], "active");
    assert_eq!(place.json(&["users", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(place.json(&["users", "list", "--tenant", "none"]), json!([]));
    let table = place.answer(&["users", "list"]);
    assert!(table.starts_with("ID ") && table.lines().count() == 2, "{table}");
    assert!(place.answer(&["users", "show", id]).contains("email           Ada@example.com\n"));
}

#[test]
fn keys_go_with_their_owner_and_its_tenant_and_come_back_unless_they_were_off_by_themselves() {
    let place = Place::new();
    place.answer(&["tenants", "create", "t1", "--plan", "free"]);
    let create = ["users", "create", "--email", "a@example.com", "--tenant", "t1", "--permission", "read,write"];
    let user = place.json(&[&create[..], &["--no-password"]].concat());
    let owner = user["id"].as_str().unwrap();
    let key = |owner: &str, more: &[&str]| {
        let create = ["keys", "create", "--name", "n", "--owner", owner, "--tenant", "t1", "--plan", "free"];
        place.json(&[&create[..], more].concat())["id"].clone()
    };
    let [one, two] = ["read,write", "read"].map(|permissions| key(owner, &["--permission", permissions]));
    let strange = key("somebody", &["--permission", "read"]);
    place.answer(&["keys", "disable", two.as_str().unwrap()]);
    let statuses = || [&one, &two, &strange].map(|id| place.key_status(id));
    place.answer(&["tenants", "disable", "t1"]);
    assert_eq!(statuses(), ["suspended", "disabled", "suspended"]);
    // enabled one by one, neither comes back while the other is off
    place.answer(&["users", "disable", owner]);
    place.answer(&["users", "enable", owner]);
    assert_eq!(statuses(), ["suspended", "disabled", "suspended"]);
    place.answer(&["users", "disable", owner]);
    place.answer(&["tenants", "enable", "t1"]);
    assert_eq!(statuses(), ["suspended", "disabled", "active"]);
    assert!(place.failure(&["keys", "enable", one.as_str().unwrap()], 1).contains("switched off"));
    let create = ["keys", "create", "--name", "n", "--owner", owner];
    assert!(place.failure(&create, 1).contains("switched off"));
    place.answer(&["users", "enable", owner]);
    assert_eq!(statuses(), ["active", "disabled", "active"]);
    place.answer(&["keys", "enable", two.as_str().unwrap()]);
    assert_eq!(statuses(), ["active", "active", "active"]);

    place.answer(&["users", "set-permissions", owner, "--permission", "read"]);
    place.answer(&["tenants", "set-plan", "t1", "pro"]);
    let shown = place.json(&["keys", "show", one.as_str().unwrap()]);
    assert_eq!((&shown["permissions"], &shown["plan"]), (&json!(["read"]), &json!("pro")));
    let shown = place.json(&["keys", "show", strange.as_str().unwrap()]);
    assert_eq!(shown["plan"], "free", "the plan was not the tenant's to give");
    let id = one.as_str().unwrap();
    assert_eq!(place.json(&["keys", "set-permissions", id, "--none"])["permissions"], json!([]));
    assert_eq!(place.json(&["keys", "set-plan", id, "--none"])["plan"], Value::Null);
    assert_eq!(place.json(&["keys", "set-networks", id, "--network", "::1/128"])["networks"], json!(["::1/128"]));
    assert_eq!(place.json(&["tenants", "list"])[0]["plan"], "pro");
    assert_eq!(place.json(&["tenants", "show", "t1"])["status"], "active");
}

#[test]
fn what_is_asked_wrongly_is_two_and_what_stands_in_the_way_is_one() {
    let place = Place::new();
    assert!(place.failure(&["users", "list"], 1).contains("no data directory"));
    place.answer(&["users", "create", "--email", "a@example.com", "--no-password"]);
    place.answer(&["tenants", "create", "t1"]);
    for arguments in [
        &["users", "create"][..],
        &["users", "create", "--email", "b@example.com", "--password", "argument"],
        &["users", "create", "--email", "b@example.com", "--password-env", "SHORT"],
        &["users", "create", "--email", "b@example.com", "--password-env", "UNSET"],
        &["users", "create", "--email", " "],
        &["users", "create", "--email", "b@example.com", "--network", "10.0.0.1/8"],
        &["users", "set-plan", "a@example.com"],
        &["users", "set-plan", "a@example.com", "pro", "--none"],
        &["users", "set-permissions", "a@example.com"],
        &["tenants", "create", "a/b"],
        &["signing-keys"],
    ] {
        place.failure(arguments, 2);
    }
    for arguments in [
        &["users", "create", "--email", "A@example.com", "--no-password"][..],
        &["users", "disable", "nobody"],
        &["users", "create", "--email", "b@example.com", "--password-file", "none"],
        &["tenants", "create", "t1"],
        &["tenants", "disable", "t2"],
        &["keys", "show", "key_none"],
    ] {
        assert_eq!(place.failure(arguments, 1).lines().count(), 1, "{arguments:?}");
    }
}

#[test]
fn k11_signing_keys_are_rotated_with_overlap() {
    let place = Place::new();
    place.answer(&["tenants", "create", "t1"]);
    let first = place.json(&["signing-keys", "list"]);
    assert_eq!((first.as_array().unwrap().len(), &first[0]["status"]), (1, &json!("signs")));
    let both = place.json(&["signing-keys", "rotate"]);
    assert_eq!((&both[1]["id"], &both[1]["status"]), (&first[0]["id"], &json!("verifies")));
    assert_ne!(both[0]["id"], first[0]["id"]);
    assert_eq!(place.json(&["signing-keys", "list"]), both);
    assert!(!both.to_string().contains("PRIVATE"));
}
