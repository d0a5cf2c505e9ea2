//! From a configuration to decisions: wiring, the data directory, demo accounts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use auth_core::gate::{Decision, Gate};
use auth_core::{RequestHead, SimulatedClock};
use gateway::cli::{Failure, Serve, Whose};
use gateway::config::{self, Demo};
use gateway::data_dir::{DataDir, Owner};
use gateway::demo::Document;
use gateway::profile::Profile;
use gateway::start::Ready;
use gateway::wiring::{self, Resources};

/// How the command line asks for the demo on a free port.
fn demo_in(folder: &Path) -> Serve {
    Serve { whose: whose(folder, None), listen: Some("127.0.0.1:0".parse().unwrap()) }
}

fn whose(folder: &Path, config: Option<PathBuf>) -> Whose {
    Whose { profile: None, config, data_dir: folder.join("data") }
}

fn document(folder: &Path) -> Document {
    serde_json::from_slice(&fs::read(folder.join("data/demo.json")).unwrap()).unwrap()
}

/// The status that the gate answers; 200 stands for a pass.
fn status(gate: &Gate, method: &str, path: &str, field: (&str, &str), peer: &str) -> u16 {
    let headers = [field];
    let mut head = RequestHead::new(method, path, &headers);
    head.peer = Some(peer.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    match runtime.block_on(gate.decide(&head, gate.now()).resolve()) {
        Decision::Admit(_) => 200,
        Decision::Refuse(refusal) => refusal.reply.status,
    }
}

fn obstacle(outcome: Result<Ready, Failure>) -> String {
    match outcome {
        Err(Failure::Obstacle(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_standard_profile_decides_as_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let ready = Ready::prepare(&demo_in(folder.path())).unwrap();
    let demo = document(folder.path());
    let bearer = format!("Bearer {}", demo.bearer.unwrap());
    let everything = format!("ApiKey {}", demo.api_keys[0].key);
    let (first, last) = (("authorization", everything.as_str()), ("x-api-key", demo.api_keys[1].key.as_str()));
    let (token, nothing) = (("authorization", bearer.as_str()), ("accept", "*/*"));
    let (here, inside) = ("127.0.0.1", "10.1.2.3");
    for (method, path, field, peer, expected) in [
        ("GET", "/v1/x", token, here, 200),
        ("POST", "/v1/x", token, here, 200),
        ("GET", "/v1/x", first, here, 200),
        ("DELETE", "/v1/x", first, here, 200),
        ("GET", "/admin/x", first, here, 200),
        ("GET", "/v1/x", last, here, 200),
        ("HEAD", "/v1/x", last, here, 200),
        ("POST", "/v1/x", last, here, 403),
        ("GET", "/admin/x", last, here, 403),
        ("GET", "/v1/x", nothing, here, 401),
        ("GET", "/internal/x", last, here, 403),
        ("GET", "/internal/x", last, inside, 200),
        ("GET", "/internal/x", nothing, inside, 401),
        ("POST", "/public/x", nothing, here, 200),
        ("GET", "/other", nothing, here, 401),
        ("GET", "/other", first, here, 403),
        ("GET", "/v1/../admin/x", last, here, 400),
        ("GET", "/V1/x", last, here, 400),
        ("GET", "/v1/x", ("authorization", "Bearer"), here, 400),
        ("GET", "/v1/x", ("authorization", "Bearer abc"), here, 401),
        ("GET", "/v1/x", ("x-api-key", "gw_test_00000000000000000000000000000000"), here, 401),
    ] {
        let found = status(&ready.wired.gate, method, path, field, peer);
        assert_eq!(found, expected, "{method} {path} {} from {peer}", field.0);
    }
}

#[test]
fn demo_json_is_private_complete_and_renewed() {
    let folder = tempfile::tempdir().unwrap();
    let first_start = Ready::prepare(&demo_in(folder.path())).unwrap();
    let first = document(folder.path());
    let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("data"), 0o700);
    for name in ["data/demo.json", "data/pepper", "data/signing-keys.json"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    assert_eq!(first.profile, "standard");
    assert_eq!(first.base_url, format!("http://{}", first_start.address()));
    assert!(first.users.is_empty() && first.clients.is_empty());
    assert_eq!(first.api_keys[0].permissions, ["read", "write", "admin"]);
    assert_eq!(first.api_keys[1].permissions, ["read"]);
    assert_ne!(first.api_keys[0].tenant, first.api_keys[1].tenant);
    for key in &first.api_keys {
        assert!(key.key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)), "alphabet");
    }
    let signing = first.jwt.as_ref().unwrap();
    assert!(signing.private_key_pem.as_ref().unwrap().starts_with("-----BEGIN PRIVATE KEY-----\n"));

    // both hold their port, so the second start cannot have the same one
    let second_start = Ready::prepare(&demo_in(folder.path())).unwrap();
    let second = document(folder.path());
    assert_eq!(second.base_url, format!("http://{}", second_start.address()));
    assert_ne!(second.base_url, first.base_url);
    assert_ne!(second.bearer, first.bearer);
    assert_eq!(second.jwt.unwrap().private_key_pem, first.jwt.unwrap().private_key_pem);
}

#[test]
fn the_bearer_of_the_demo_is_good_with_every_algorithm() {
    for (algorithm, has_secret) in [("HS256", true), ("ES256", false), ("EdDSA", false)] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("my.toml");
        let text = Profile::named("standard").unwrap().text;
        fs::write(&file, text.replace("# algorithm = \"ES256\"", &format!("algorithm = \"{algorithm}\""))).unwrap();
        let arguments = Serve { whose: whose(folder.path(), Some(file)), ..demo_in(folder.path()) };
        let ready = Ready::prepare(&arguments).unwrap();
        let demo = document(folder.path());
        assert_eq!(demo.profile, "custom");
        let signing = demo.jwt.unwrap();
        assert_eq!(signing.algorithm, algorithm);
        assert_eq!((signing.secret.is_some(), signing.private_key_pem.is_some()), (has_secret, !has_secret));
        let bearer = format!("Bearer {}", demo.bearer.unwrap());
        let forged = format!("{}A", &bearer[..bearer.len() - 4]);
        for (credential, expected) in [(bearer.as_str(), 200), (forged.as_str(), 401)] {
            let found = status(&ready.wired.gate, "GET", "/admin/x", ("authorization", credential), "127.0.0.1");
            assert_eq!(found, expected, "{algorithm}");
        }
    }
}

#[test]
fn two_folders_have_nothing_in_common() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let _ready = (Ready::prepare(&demo_in(one.path())).unwrap(), Ready::prepare(&demo_in(two.path())).unwrap());
    let (one, two) = (document(one.path()), document(two.path()));
    assert_ne!(one.api_keys[0].key, two.api_keys[0].key);
    assert_ne!(one.jwt.unwrap().private_key_pem, two.jwt.unwrap().private_key_pem);
}

#[test]
fn demo_accounts_are_made_on_loopback_alone() {
    let folder = tempfile::tempdir().unwrap();
    for (listen, fine) in [("127.0.0.1:0", true), ("127.0.0.2:0", true), ("0.0.0.0:0", false), ("[::]:0", false)] {
        let arguments = Serve { listen: Some(listen.parse().unwrap()), ..demo_in(folder.path()) };
        let outcome = Ready::prepare(&arguments);
        assert_eq!(outcome.is_ok(), fine, "{listen}");
        if let Err(failure) = outcome {
            assert!(matches!(failure, Failure::Configuration(_)));
            assert!(
                failure
                    .to_string()
                    .starts_with("standard.toml:9:11: demo.enabled: demo accounts are made on loopback alone"),
                "{failure}"
            );
        }
    }
}

#[test]
fn a_data_directory_serves_one_purpose() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let owner = |profile, demo| Owner { profile, demo };
    DataDir::open(&path, owner(Some("standard"), Demo::Enabled)).unwrap();
    DataDir::open(&path, owner(None, Demo::Enabled)).expect("a file may use a profile's demo");
    for (profile, demo, part) in [
        (Some("vantage"), Demo::Enabled, "belongs to the profile `standard`: choose another with --data-dir"),
        (None, Demo::Disabled, "holds demo accounts"),
    ] {
        let error = DataDir::open(&path, owner(profile, demo)).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let real = folder.path().join("real");
    DataDir::open(&real, owner(None, Demo::Disabled)).unwrap();
    let error = DataDir::open(&real, owner(None, Demo::Enabled)).unwrap_err().to_string();
    assert!(error.contains("is in real use"), "{error}");
    let error = DataDir::open(&real, owner(Some("standard"), Demo::Enabled)).unwrap_err().to_string();
    assert!(error.contains("belongs to a configuration file"), "{error}");
    let stranger = folder.path().join("stranger");
    fs::create_dir(&stranger).unwrap();
    fs::write(stranger.join("letter.txt"), "hello").unwrap();
    let error = DataDir::open(&stranger, owner(None, Demo::Disabled)).unwrap_err().to_string();
    assert!(error.contains("not a data directory"), "{error}");
}

#[test]
fn what_is_made_once_is_found_again_and_replaced_whole() {
    let folder = tempfile::tempdir().unwrap();
    let owner = Owner { profile: None, demo: Demo::Disabled };
    let data_dir = DataDir::open(&folder.path().join("data"), owner).unwrap();
    assert_eq!(data_dir.read_or_create("x", b"one".to_vec()).unwrap(), b"one");
    assert_eq!(data_dir.read_or_create("x", b"two".to_vec()).unwrap(), b"one");
    data_dir.replace("x", b"three").unwrap();
    assert_eq!(data_dir.read("x").unwrap().unwrap(), b"three");
    let mut names: Vec<_> = fs::read_dir(folder.path().join("data")).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["belongs-to", "x"], "no drafts are left");
}

#[test]
fn an_address_in_use_is_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    let first = Ready::prepare(&demo_in(folder.path())).unwrap();
    let again = Serve { listen: Some(first.address()), ..demo_in(folder.path()) };
    let why = obstacle(Ready::prepare(&again));
    assert!(why.starts_with(&format!("cannot listen on {}", first.address())) && !why.contains('\n'), "{why}");
}

#[test]
fn damaged_demo_files_are_told_without_quoting_them() {
    let folder = tempfile::tempdir().unwrap();
    drop(Ready::prepare(&demo_in(folder.path())).unwrap());
    fs::write(folder.path().join("data/demo.json"), "{\n\"profile\": \"hunter2\",\n\"api_keys\": \"hunter2\"}")
        .unwrap();
    let why = obstacle(Ready::prepare(&demo_in(folder.path())));
    assert!(why.contains("damaged at line 3") && !why.contains("hunter2"), "{why}");
}

/// The problems that wiring finds.
fn problems(text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("broken.pem"), "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
        .unwrap();
    fs::write(folder.path().join("short"), "short").unwrap();
    let config = config::load(text, "gateway.toml", folder.path()).expect("the language is kept");
    let resources = Resources::in_memory(&config).unwrap();
    let problems = wiring::wire(&config, resources).err().unwrap_or_default();
    problems.iter().map(ToString::to_string).collect()
}

const TOKENS: &str = "
[tokens]
issuer = \"g\"
audience = \"g\"
[[credentials]]
authorization = \"Bearer\"
kinds = \"jwt\"
";

#[test]
fn what_the_libraries_refuse_is_told_with_its_place() {
    let route = |path: &str, rest: &str| format!("[[routes]]\npath = \"{path}\"\nneeds = \"a\"\n{rest}\n{TOKENS}");
    let issuer = |keys: &str| format!("[[issuers]]\nissuer = \"i\"\naudience = \"a\"\n{keys}\n{TOKENS}");
    for (text, beginning, part) in [
        (
            "[errors.codes]\ntokn_expired = \"X\"\n".to_owned(),
            "2:1: errors.codes.tokn_expired",
            "did you mean `token_expired`?",
        ),
        ("[errors.messages]\nnonsense = \"X\"\n".to_owned(), "2:1: errors.messages.nonsense", "the causes are"),
        ("[errors]\nrealm = 'a\"b'\n".to_owned(), "2:9: errors.realm", "quotes"),
        (route("/a/{x", ""), "1:1: routes[0]", "/a/{x"),
        (route("/a//b", ""), "1:1: routes[0]", "/a//b"),
        (route("/a/{*rest}/b", ""), "1:1: routes[0]", "{*rest}"),
        (route("/a", "[[routes]]\npath = \"/A\"\nneeds = \"b\""), "4:1: routes[1]", "/A"),
        (issuer("jwks_file = \"none.json\""), "4:13: issuers[0].jwks_file", "cannot read"),
        (issuer("pem_file = \"broken.pem\""), "4:12: issuers[0].pem_file", "PEM"),
        (issuer("secret = { file = \"short\" }"), "4:10: issuers[0].secret", "32"),
        (issuer("pem_file = \"broken.pem\"\nalgorithms = \"none\""), "5:14: issuers[0].algorithms", "none"),
        (
            format!("{TOKENS}leeway = 1")
                .replace("leeway = 1", "[[issuers]]\nissuer = \"g\"\naudience = \"a\"\nsecret = { file = \"short\" }"),
            "8:1: issuers[0]",
            "is there already",
        ),
    ] {
        let problems = problems(&text);
        let wanted = format!("gateway.toml:{beginning}: ");
        assert!(
            problems.iter().any(|problem| problem.starts_with(&wanted) && problem.contains(part)),
            "{text}: {problems:#?}"
        );
        assert!(problems.iter().all(|problem| !problem.contains("short\"")), "{problems:#?}");
    }
    let keys = |rest: &str| format!("[[credentials]]\nheader = \"k\"\nkinds = \"api_key\"\n[api_keys]\n{rest}\n");
    for (text, beginning) in [
        (keys("prefix = \"9\""), "5:10: api_keys.prefix"),
        (keys("prefix = \"k\"\nenvironments = [\"a_b\"]\nenvironment = \"a_b\""), "6:16: api_keys.environments"),
        (keys("prefix = \"k\"\nlength = 5"), "6:10: api_keys.length"),
        (keys("prefix = \"k\"\ndisplay_length = 50"), "6:18: api_keys.display_length"),
        (
            keys("prefix = \"k\"\npeppers = [{ id = \"a\", secret = { file = \"short\" } }]"),
            "6:19: api_keys.peppers[0].id",
        ),
        (
            "[tokens]\nissuer = \"g\"\naudience = \"a\"\n[accounts]\n\
             peppers = [{ id = \"a\", secret = { file = \"short\" } }]\n\
             [[credentials]]\nauthorization = \"Bearer\"\nkinds = \"jwt\"\n"
                .to_owned(),
            "5:19: accounts.peppers[0].id",
        ),
    ] {
        let problems = problems(&text);
        assert!(
            problems.iter().any(|problem| problem.starts_with(&format!("gateway.toml:{beginning}: "))),
            "{problems:#?}"
        );
    }
}

#[test]
fn routes_that_contradict_each_other_are_told_with_the_place_of_the_later_one() {
    let route = |methods: &str, path: &str, access: &str| {
        format!("[[routes]]\npath = \"{path}\"\naccess = \"{access}\"\n{methods}\n")
    };
    for (first, second, part) in [
        (route("methods = \"GET\"", "/a/b", "public"), route("methods = \"GET\"", "/a/b", "denied"), "a rule already"),
        (route("", "/b", "public"), route("", "/b", "public"), "a rule already"),
        (route("", "/{a}/x", "public"), route("", "/{b}/x", "denied"), "a rule already"),
        (route("", "/c", "public"), route("", "/C/", "denied"), "letter case"),
    ] {
        // a route that no message is about, and whose path ends like theirs
        let text = format!("{first}{second}{}", route("", "/z/b", "public"));
        let found = problems(&text);
        assert!(
            matches!(found.as_slice(), [one] if one.starts_with("gateway.toml:5:1: routes[1]: ") && one.contains(part)),
            "{found:#?}"
        );
    }
}

#[test]
fn the_clock_and_the_store_are_whoever_wires_to_choose() {
    let text = "[[routes]]\npath = \"/x\"\naccess = \"public\"\n";
    let config = config::load(text, "gateway.toml", Path::new("")).unwrap();
    let clock = Arc::new(SimulatedClock::at_unix_seconds(1_700_000_000));
    let resources = Resources { clock, ..Resources::in_memory(&config).unwrap() };
    let wired = wiring::wire(&config, resources).unwrap();
    assert_eq!(wired.gate.now().wall.unix_seconds(), 1_700_000_000);
}
