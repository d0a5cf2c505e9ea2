//! The configuration language: every problem is named with its place, all at once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::path::Path;
use std::time::Duration;

use auth_core::gate::DuringOutage;
use gateway::config::{self, Access, Config, Demo, Needs, Surroundings, Target};
use gateway::profile::{PROFILES, Profile};

/// Enough for routes that need a caller.
const CREDENTIALS: &str = r#"
[tokens]
issuer = "gateway"
audience = "gateway"
[[credentials]]
authorization = "Bearer"
kinds = ["jwt"]
"#;

fn environment(name: &str) -> Option<String> {
    (name == "SECRET").then(|| "hunter2-hunter2-hunter2-hunter2".to_owned())
}

fn load(text: &str) -> Result<Config, Vec<String>> {
    let surroundings = Surroundings { base_dir: Path::new("/etc/gateway"), environment: &environment };
    config::load_in(text, "gateway.toml", surroundings)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

/// Asserts that the text has this one problem, given by its beginning and a part of its message.
#[track_caller]
fn assert_problem(text: &str, beginning: &str, part: &str) {
    let problems = load(text).expect_err("the configuration is not good");
    assert!(
        matches!(problems.as_slice(), [one] if one.starts_with(&format!("gateway.toml:{beginning}: ")) && one.contains(part)),
        "{problems:#?}"
    );
}

#[test]
fn an_empty_file_is_an_echo_that_refuses_everything() {
    let config = load("").unwrap();
    assert_eq!(config.upstream.target, Target::Echo);
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.server.shutdown_grace, Duration::from_secs(8));
    assert_eq!(config.demo.value, Demo::Disabled);
    assert!(config.server.trusted_proxies.is_empty());
    assert!(config.routes.is_empty());
}

#[test]
fn the_fixed_names_are_read() {
    let text = r#"
[upstream]
url = "http://127.0.0.1:9000"
[server]
trusted_proxies = []
[[issuers]]
issuer = "https://idp.example"
audience = ["my-api"]
jwks_file = "jwks.json"
[[credentials]]
authorization = "Bearer"
kinds = ["jwt"]
"#;
    let config = load(text).unwrap();
    assert_eq!(config.issuers[0].audience, ["my-api"]);
    assert!(format!("{:?}", config.issuers[0].keys).contains("/etc/gateway/jwks.json"), "relative to the file");
    assert!(matches!(&config.upstream.target, Target::Url(url) if url.to_string() == "http://127.0.0.1:9000"));
}

/// A server that is asked, with something else instead of one of its lines.
fn introspection(line: &str, instead: &str) -> String {
    const WHOLE: &str = r#"
[[introspection]]
issuer = "https://as.example"
url = "https://as.example/introspect"
audience = "api"
client_id = "rs"
client_secret = { env = "SECRET" }
believed_for = "5m"
[[credentials]]
authorization = "Bearer"
kinds = ["introspected"]
"#;
    assert!(WHOLE.contains(line));
    WHOLE.replacen(line, instead, 1)
}

#[test]
fn servers_that_are_asked_are_read_strictly() {
    let config = load(&introspection("", "")).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    assert!(gateway::wiring::problems(&config).unwrap().is_empty());
    for (line, instead, place, part) in [
        ("believed_for", "believed_four", "8:1: introspection[0].believed_four", "did you mean `believed_for`?"),
        ("https://as.example/", "http://as.example/", "4:7: introspection[0].url", "must be an https URL"),
        ("audience = \"api\"", "", "2:1: introspection[0].audience", "is missing"),
        ("audience = \"api\"", "audience = []", "5:12: introspection[0].audience", "at least one"),
        ("client_id = \"rs\"", "", "2:1: introspection[0].client_id", "is missing"),
        ("client_secret = { env = \"SECRET\" }", "", "2:1: introspection[0].client_secret", "is missing"),
        (
            "{ env = \"SECRET\" }",
            "\"x\"",
            "7:17: introspection[0].client_secret",
            "must not stand in the configuration",
        ),
        (
            "client_id",
            "danger_accept_any_audience = true\nclient_id",
            "2:1: introspection[0]",
            "names audiences and takes any of them",
        ),
        ("client_id", "max_requests = 0\nclient_id", "6:16: introspection[0].max_requests", "must be 1 or more"),
        ("\"introspected\"", "\"opaque\", \"introspected\"", "11:10: credentials[0].kinds[0]", "write [opaque_tokens]"),
        ("[[introspection]]", "[introspection]", "2:1: introspection", "an array of tables"),
    ] {
        assert_problem(&introspection(line, instead), place, part);
    }
    let jwt = "[tokens]\nissuer = \"gateway\"\naudience = \"gateway\"\n";
    let unused = introspection("\"introspected\"", "\"jwt\"");
    assert_problem(&format!("{unused}{jwt}"), "2:1: introspection[0]", "nothing takes these");
    assert_problem(
        &format!("{CREDENTIALS}\n[[credentials]]\nheader = \"X-Key\"\nkinds = [\"introspected\"]"),
        "11:10: credentials[1].kinds[0]",
        "write [[introspection]]",
    );
}

#[test]
fn servers_that_are_asked_have_to_be_told_apart() {
    let second = |more: &str| {
        let section = introspection("", "");
        let server = section.split("[[credentials]]").next().unwrap().replace("believed_for = \"5m\"", more);
        format!("{section}{server}")
    };
    let problems = |text: &str| -> Vec<String> {
        let config = load(text).unwrap();
        gateway::wiring::problems(&config).unwrap().iter().map(ToString::to_string).collect()
    };
    assert!(problems(&second("prefix = \"as_\"")).is_empty());
    for (text, part) in [
        (second(""), "another server has no `prefix` either"),
        (introspection("5m", "301s"), "more than five minutes"),
        (introspection("client_id", "prefix = \"a b\"\nclient_id"), "a character that no token has"),
        (
            format!(
                "{}[tokens]\nissuer = \"https://as.example\"\naudience = \"x\"\n",
                introspection("[\"i", "[\"jwt\", \"i")
            ),
            "the gateway itself is this issuer",
        ),
    ] {
        let found = problems(&text);
        assert!(
            matches!(found.as_slice(), [one] if one.contains(part) && one.contains(": introspection[")),
            "{found:?}"
        );
    }
}

#[test]
fn every_problem_is_reported_at_once_in_the_order_of_the_file() {
    let text = r#"
[server]
listen = "localhost:8080"
max_conections = 5
shutdown_grace = 8

[upstream]
url = "ftp://127.0.0.1"

[api_keys]
peppers = [{ id = "a", secret = "correct horse battery staple" }]

[[routes]]
path = "v1"

[sever]
listen = "127.0.0.1:1"
"#;
    let problems = load(text).unwrap_err();
    let expected = [
        "gateway.toml:3:10: server.listen: `localhost:8080` is not an address with a port",
        "gateway.toml:4:1: server.max_conections: unknown key: did you mean `max_connections`?",
        "gateway.toml:5:18: server.shutdown_grace: needs a duration such as \"250ms\"",
        "gateway.toml:8:7: upstream.url: `ftp` is not supported",
        "gateway.toml:10:1: api_keys.prefix: is missing",
        "gateway.toml:11:33: api_keys.peppers[0].secret: a secret must not stand in the configuration: write { env = \"NAME\" }",
        "gateway.toml:13:1: routes[0]: does not say who may pass",
        "gateway.toml:14:8: routes[0].path: must begin with `/`",
        "gateway.toml:16:2: sever: unknown key: did you mean `server`?",
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    for (problem, beginning) in problems.iter().zip(expected) {
        assert!(problem.starts_with(beginning), "{problem}\nshould begin with\n{beginning}");
    }
}

#[test]
fn broken_syntax_hides_no_other_problem_and_invents_none() {
    let problems = load("[server]\nlisten = \nbogus = 1\n[[routes]]\npath = \"/a\nneeds = \"read\"\n").unwrap_err();
    assert!(problems.iter().any(|problem| problem.starts_with("gateway.toml:2:")), "{problems:#?}");
    assert!(
        problems.iter().any(|problem| problem.starts_with("gateway.toml:3:1: server.bogus: unknown key")),
        "{problems:#?}"
    );
    assert!(problems.iter().any(|problem| problem.starts_with("gateway.toml:5:")), "{problems:#?}");
    assert!(!problems.iter().any(|problem| problem.contains("missing")), "{problems:#?}");
    for text in ["[server]\nlisten = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"\n", "[server]\n[server]\n"] {
        let problems = load(text).unwrap_err();
        assert!(matches!(problems.as_slice(), [one] if one.contains("duplicate key")), "{problems:#?}");
    }
}

#[test]
fn columns_count_characters() {
    assert_problem("# ä\n[server]\n\"größe\" = \"ä\"\n", "3:1: server.\"größe\"", "unknown key");
    assert_problem("errors = { realm = \"ä\", shape = \"x\" }", "1:33: errors.shape", "write one of");
}

#[test]
fn routes_say_exactly_once_who_may_pass() {
    let route = |rest: &str| format!("[[routes]]\npath = \"/t/{{tenant}}/x\"\n{rest}\n{CREDENTIALS}");
    for (rest, access) in [
        ("access = \"public\"", Access::Public),
        ("access = \"optional\"", Access::Optional),
        ("access = \"authenticated\"", Access::Authenticated),
        ("access = \"denied\"", Access::Denied),
        ("needs = \"public\"", Access::Needs(Needs::Permission("public".to_owned()))),
        (
            "needs = { any = [\"a\", { all = [{ role = \"ops\" }, { scope = \"s\" }] }] }",
            Access::Needs(Needs::Any(vec![
                Needs::Permission("a".to_owned()),
                Needs::All(vec![Needs::Role("ops".to_owned()), Needs::Scope("s".to_owned())]),
            ])),
        ),
    ] {
        assert_eq!(load(&route(rest)).unwrap().routes[0].access, access);
    }
    for (rest, beginning, part) in [
        ("", "1:1: routes[0]", "does not say who may pass"),
        ("access = \"public\"\nneeds = \"read\"", "1:1: routes[0]", "contradict"),
        ("access = \"pubic\"", "3:10: routes[0].access", "did you mean \"public\"?"),
        ("needs = [\"a\", \"b\"]", "3:9: routes[0].needs", "{ any = [...] } or { all = [...] }"),
        ("needs = \"a b\"", "3:9: routes[0].needs", "white space"),
        ("needs = {}", "3:9: routes[0].needs", "names no requirement"),
        ("needs = { any = [] }", "3:17: routes[0].needs.any", "at least one"),
        ("needs = { any = [\"a\", 1] }", "3:23: routes[0].needs.any[1]", "needs a permission in quotes"),
        ("needs = { any = [\"a\"], role = \"b\" }", "3:9: routes[0].needs", "names several requirements"),
        ("needs = { rule = \"b\" }", "3:11: routes[0].needs.rule", "did you mean `role`?"),
        ("needs = \"read\"\ntenant = \"id\"", "4:10: routes[0].tenant", "no parameter `{id}`"),
        ("access = \"public\"\ntenant = \"tenant\"", "1:1: routes[0]", "looks at no credential"),
        ("needs = \"read\"\nmethods = [\"get\"]", "4:12: routes[0].methods[0]", "write \"GET\""),
        ("needs = \"read\"\nupstream = \"other\"", "4:12: routes[0].upstream", "there are no [[upstreams]]"),
        ("needs = \"read\"\ncredentials = [\"Baerer\"]", "4:16: routes[0].credentials[0]", "did you mean \"Bearer\"?"),
        ("needs = \"read\"\nnetworks = [\"10.0.0.1/8\"]", "4:13: routes[0].networks[0]", "10.0.0.0/8"),
    ] {
        let problems = load(&route(rest)).unwrap_err();
        let wanted = format!("gateway.toml:{beginning}: ");
        assert!(
            problems.iter().any(|problem| problem.starts_with(&wanted) && problem.contains(part)),
            "{rest}: {problems:#?}"
        );
    }
    assert_problem(
        "[[routes]]\npath = \"/healthz\"\naccess = \"public\"\n",
        "2:8: routes[0].path",
        "by the gateway itself",
    );
    assert_problem("[[routes]]\npath = \"/x\"\nneeds = \"read\"\n", "1:1: routes[0]", "no credentials are taken");
}

#[test]
fn parts_that_do_not_fit_together_are_named() {
    for (text, beginning, part) in [
        (
            "[[credentials]]\ncookie = \"s\"\nkinds = [\"jwt\"]\n",
            "3:10: credentials[0].kinds[0]",
            "nobody issues tokens",
        ),
        ("[[credentials]]\ncookie = \"s\"\nkinds = \"api_key\"\n", "3:9: credentials[0].kinds", "write [api_keys]"),
        ("[api_keys]\nprefix = \"gw\"\n", "1:1: api_keys", "nothing takes these"),
        ("[tokens]\nissuer = \"g\"\naudience = \"g\"\n", "1:1: tokens", "nothing takes these"),
        ("[cors]\norigins = [\"*\"]\ncredentials = true\n", "1:1: cors", "listed one by one"),
        ("[cors]\norigins = [\"https://a.example/\"]\n", "2:12: cors.origins[0]", "is not an origin"),
        ("[[upstreams]]\nname = \"a\"\n", "1:1: upstreams[0].url", "is missing"),
        ("[upstream]\nurl = \"http://a\"\nca_file = \"ca.pem\"\n", "3:11: upstream.ca_file", "write an https URL"),
        (
            "[upstream]\nurl = \"https://a\"\nca_file = \"ca.pem\"\n",
            "3:11: upstream.ca_file",
            "cannot read /etc/gateway",
        ),
    ] {
        assert_problem(text, beginning, part);
    }
    let twice = "[[upstreams]]\nname = \"a\"\nurl = \"http://a\"\n[[upstreams]]\nname = \"a\"\nurl = \"http://b\"\n";
    assert_problem(twice, "5:8: upstreams[1].name", "has this name already");
    let same = format!("{CREDENTIALS}[[credentials]]\nauthorization = \"Bearer\"\nkinds = [\"jwt\"]\n");
    assert_problem(&same, "8:1: credentials[1]", "travel at the same place already");
}

#[test]
fn a_section_that_cannot_be_read_makes_nothing_else_look_wrong() {
    for (bad, beginning) in [
        ("[[credentials]]\nheader = 5\nkinds = \"jwt\"\n[tokens]\nissuer = \"g\"\naudience = \"g\"\n", "2:10"),
        ("[tokens]\nissuer = 5\naudience = \"g\"\n[[credentials]]\nheader = \"a\"\nkinds = \"jwt\"\n", "2:10"),
        ("[[credentials]]\nheader = \"a\"\nkinds = \"api_key\"\n[api_keys]\nprefix = 5\n", "5:10"),
        (
            "[[upstreams]]\nname = \"u\"\nurl = 5\n[[credentials]]\nheader = \"a\"\nkinds = \"jwt\"\n[tokens]\nissuer = \"g\"\naudience = \"g\"\n",
            "3:7",
        ),
        (
            "server = 5\n[[credentials]]\nheader = \"a\"\nkinds = \"jwt\"\n[tokens]\nissuer = \"g\"\naudience = \"g\"\n",
            "1:10",
        ),
        (
            "upstreams = 5\n[[credentials]]\nheader = \"a\"\nkinds = \"jwt\"\n[tokens]\nissuer = \"g\"\naudience = \"g\"\n",
            "1:13",
        ),
    ] {
        let text = format!("{bad}[[routes]]\npath = \"/x\"\nneeds = \"a\"\ncredentials = [\"a\"]\nupstream = \"u\"\n");
        let text = if bad.contains("upstreams") { text } else { text.replace("upstream = \"u\"\n", "") };
        let problems = load(&text).unwrap_err();
        assert!(
            matches!(problems.as_slice(), [one] if one.starts_with(&format!("gateway.toml:{beginning}: "))),
            "{problems:#?}"
        );
    }
}

#[test]
fn credentials_travel_in_one_place_each() {
    let tokens = "[tokens]\nissuer = \"g\"\naudience = \"g\"\n";
    for (place, part) in [
        ("", "does not say where the credential travels"),
        ("header = \"a\"\ncookie = \"b\"", "more than once"),
        ("header = \"Authorization\"", "has a form of its own"),
        ("header = \"a b\"", "not the name of a header field"),
        ("query = \"token\"", "danger_query"),
    ] {
        let problems = load(&format!("[[credentials]]\nkinds = \"jwt\"\n{place}\n{tokens}")).unwrap_err();
        assert!(problems.iter().any(|problem| problem.contains(part)), "{place}: {problems:#?}");
    }
}

#[test]
fn keys_of_issuers_come_from_one_place() {
    let issuer = |keys: &str| format!("{CREDENTIALS}[[issuers]]\nissuer = \"https://i\"\naudience = \"a\"\n{keys}\n");
    for (keys, part) in [
        ("", "has no keys"),
        ("jwks_file = \"a\"\npem_file = \"b\"", "several places"),
        ("jwks_url = \"https://i/jwks\"", "is not supported yet"),
        ("discovery = true", "is not supported yet"),
        ("secret = \"x\"", "must not stand in the configuration"),
        ("secret = { env = \"MISSING\" }", "`MISSING` is not set"),
        ("secret = { env = \"SECRET\", file = \"x\" }", "names two places"),
        ("secret = {}", "names no secret"),
        ("secret = { file = \"/does/not/exist\" }", "cannot read /does/not/exist"),
    ] {
        let problems = load(&issuer(keys)).unwrap_err();
        assert!(matches!(problems.as_slice(), [one] if one.contains(part)), "{keys}: {problems:#?}");
    }
}

#[test]
fn s14_secrets_are_never_printed() {
    let text = format!(
        "{CREDENTIALS}[[issuers]]\nissuer = \"https://i\"\naudience = \"a\"\nsecret = {{ env = \"SECRET\" }}\n\
         [[credentials]]\nheader = \"x-api-key\"\nkinds = \"api_key\"\n\
         [api_keys]\nprefix = \"gw\"\n[[api_keys.peppers]]\nid = \"a\"\nsecret = {{ env = \"SECRET\" }}\n"
    );
    let config = load(&text).unwrap();
    assert!(!format!("{config:?} {config:#?}").contains("hunter2"));
    for text in [
        "[[api_keys.peppers]]\nsecret = \"hunter2-hunter2\"",
        "[[issuers]]\nsecret = \"hunter2\"",
        "[[api_keys.peppers]]\nsecret = [\"hunter2\"]",
        "[[api_keys.peppers]]\nsecret = { value = \"hunter2\" }",
        "[upstream]\nurl = \"http://user:hunter2@127.0.0.1/\"",
    ] {
        let problems = load(text).unwrap_err();
        assert!(!format!("{problems:?}").contains("hunter2"), "{problems:#?}");
    }
}

#[test]
fn every_profile_loads_and_every_commented_setting_works_alone() {
    for profile in PROFILES {
        profile.load().unwrap();
        let lines: Vec<&str> = profile.text.lines().collect();
        let mut switched_on = 0;
        for (index, line) in lines.iter().enumerate() {
            let Some(setting) = line.strip_prefix("# ").filter(|rest| rest.contains(" = ")) else { continue };
            let mut changed = lines.clone();
            changed[index] = setting;
            let loaded = config::load(&changed.join("\n"), "profile.toml", Path::new(""));
            assert!(loaded.is_ok(), "line {}: {setting}: {loaded:?}", index + 1);
            switched_on += 1;
        }
        assert!(switched_on >= 10, "{}: {switched_on}", profile.name);
    }
}

#[test]
fn commented_defaults_are_the_defaults() {
    let text = Profile::named("standard").unwrap().text;
    let examples = [
        "public_url",
        "trusted_proxies",
        "url = \"http",
        "cors = true",
        "origins",
        "codes",
        "messages",
        "factors",
        "tenants",
        "keys",
        "failed_attempts",
    ];
    let everything: String = text
        .lines()
        .map(|line| match line.strip_prefix("# ").filter(|rest| rest.contains(" = ")) {
            Some(setting) if !examples.iter().any(|example| setting.starts_with(example)) => format!("{setting}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let plain = format!("{:?}", load(text).unwrap());
    let spelt_out = load(&everything).unwrap();
    assert_eq!(without_options(&plain), without_options(&format!("{spelt_out:?}")));
}

/// What is spelt out is `Some` where a default is `None`: the keys for which the library chooses.
fn without_options(debug: &str) -> String {
    [
        "code_style: None",
        "code_style: Some(Snake)",
        "realm: None",
        "realm: Some(\"api\")",
        "display_length: None",
        "display_length: Some(12)",
        " length: None",
        " length: Some(32)",
        "cost: None",
        "cost: Some(1)",
        "capacity: None",
        "capacity: Some(262144)",
        "keep_revoked: None",
        "keep_revoked: Some(2592000s)",
    ]
    .iter()
    .fold(debug.to_owned(), |text, part| text.replace(part, ""))
}

#[test]
fn plans_are_read_and_their_mistakes_named() {
    let plans = r#"
[limits]
default_plan = "free"
anonymous = "strangers"
factors = { api_key = "2x" }
tenants = { acme = "pro" }
reset = "delta"
standard_headers = false
[[plans]]
name = "free"
limits = [{ name = "hour", quota = "100/hour", burst = "1.5x", per = ["tenant", "route"] }, { quota = "5/s burst 9" }]
[[plans]]
name = "pro"
[[plans]]
name = "strangers"
limits = [{ quota = "10/minute", burst = 20, per = "address" }]
"#;
    let config = load(plans).unwrap();
    let limits: Vec<String> =
        config.plans[0].limits.iter().map(|limit| format!("{} {}", limit.quota, limit.per)).collect();
    assert_eq!(limits, ["100/hour burst 150 tenant+route", "5/second burst 9 principal"]);
    assert_eq!(config.plans[2].limits[0].quota.burst(), 20);
    let plan =
        |limit: &str| format!("[limits]\ndefault_plan = \"a\"\n[[plans]]\nname = \"a\"\nlimits = [{{ {limit} }}]");
    for (text, beginning, part) in [
        (plan("quota = \"100/fortnight\""), "5:21: plans[0].limits[0].quota", "fortnight"),
        (plan("quota = \"1/s\", burst = 0"), "5:36: plans[0].limits[0].burst", "1 or more"),
        (plan("quota = \"1/s\", per = [\"user\"]"), "5:34: plans[0].limits[0].per", "`user` is nothing"),
        (plan("quota = \"5/calendar week\""), "5:21: plans[0].limits[0].quota", "calendar month"),
        (plan("quota = \"5/calendar day\", burst = \"2x\""), "5:47: plans[0].limits[0].burst", "has no burst"),
        (plan("quota = \"1/s\", routes = \"POST /generat\""), "5:37: plans[0].limits[0].routes", "[[routes]]"),
        (plan("quota = \"1/s\", cost = 2"), "5:28: plans[0].limits[0].cost", "unknown key"),
        ("[limits]\ndefault_plan = \"a\"".to_owned(), "2:16: limits.default_plan", "there are no [[plans]]"),
        ("[[plans]]\nname = \"a\"".to_owned(), "1:1: limits", "no `default_plan`"),
        (plan("quota = \"1/s\"").replace("\"a\"\n[[", "\"b\"\n[["), "2:16: limits.default_plan", "did you mean \"a\""),
        ("[limits]\nfactors = { basic = \"2x\" }".to_owned(), "2:13: limits.factors.basic", "jwt, api_key"),
        ("[limits]\ncapacity = 0".to_owned(), "2:12: limits.capacity", "1 or more"),
        ("[remembered]\nentries = 0".to_owned(), "2:11: remembered.entries", "1 or more"),
        ("[remembered]\nentries = 67108865".to_owned(), "2:11: remembered.entries", "67108864 or less"),
        ("[remembered]\nsize = \"64MB\"".to_owned(), "2:8: remembered.size", "64KiB"),
        ("[limits]\nreset = \"never\"".to_owned(), "2:9: limits.reset", "epoch, delta"),
        (
            "[limits]\nanonymous = \"a\"\ntenants = { acme = \"a\" }\n[[plans]]\nname = \"a\"".to_owned(),
            "3:20: limits.tenants.acme",
            "without a credential",
        ),
    ] {
        assert_problem(&text, beginning, part);
    }
}

#[test]
fn failed_attempts_are_counted_only_where_it_is_said_whose_they_are() {
    let of = |text: &str| load(text).unwrap().limits;
    let plain = of("");
    assert!(plain.failed_attempts.is_none());
    assert_eq!(plain.during_outage, DuringOutage::Refuse);
    let direct = of("[limits]\nduring_outage = \"admit\"\nfailed_attempts = { quota = \"5/m\", clients = \"direct\" }");
    assert_eq!(direct.during_outage, DuringOutage::Admit);
    assert_eq!(direct.failed_attempts.unwrap().quota, "5/minute".parse().unwrap());
    let proxies = "[server]\ntrusted_proxies = [\"10.0.0.0/8\"]\n";
    let named = of(&format!("{proxies}[limits]\nfailed_attempts = {{ quota = \"5/m\", trickle = \"2/m\" }}"));
    assert_eq!(named.failed_attempts.unwrap().trickle, Some("2/minute".parse().unwrap()));
    for (setting, beginning, part) in [
        ("{ quota = \"5/m\" }", "2:19: limits.failed_attempts", "nothing says whose that is: add clients = \"direct\""),
        ("{ clients = \"direct\" }", "2:19: limits.failed_attempts.quota", "is missing"),
        ("{ quota = \"5/m\", clients = \"proxied\" }", "2:46: limits.failed_attempts.clients", "direct"),
        ("{ quota = \"5/m\", clients = \"direct\", per = 1 }", "2:56: limits.failed_attempts.per", "unknown key"),
        ("\"5/m\"", "2:19: limits.failed_attempts", "needs a table"),
    ] {
        assert_problem(&format!("[limits]\nfailed_attempts = {setting}"), beginning, part);
    }
    assert_problem("[limits]\nduring_outage = \"open\"", "2:17: limits.during_outage", "refuse, admit");
}

/// The line by itself, as whoever follows the comment would leave it.
#[test]
fn failed_attempts_are_off_in_the_standard_profile_and_one_line_switches_them_on() {
    let text = Profile::named("standard").unwrap().text;
    assert!(load(text).unwrap().limits.failed_attempts.is_none());
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("# failed_attempts = ")).collect();
    assert_eq!(lines.len(), 1);
    let switched_on = text.replace("# failed_attempts = ", "failed_attempts = ");
    assert!(load(&switched_on).unwrap().limits.failed_attempts.is_some());
}

#[test]
fn there_is_no_misspelt_profile() {
    assert!(Profile::named("standart").unwrap_err().contains("there is no profile `standart`"));
}

#[test]
fn administration_is_for_one_permission_under_one_plain_prefix() {
    let keys = "[[credentials]]\nheader = \"x-api-key\"\nkinds = [\"api_key\"]\n[api_keys]\nprefix = \"a\"\n";
    let load = |text: &str| config::load(text, "my.toml", Path::new(""));
    let admin = load(&format!("{keys}[admin]\nprefix = \"/admin-api\"\nneeds = \"administrate\"\n")).unwrap().admin;
    assert_eq!(admin.unwrap().route.path.value, "/admin-api/{*rest}");
    for (text, problem) in [
        (format!("{keys}[admin]\nneeds = \"x\"\n"), "admin.prefix: is missing"),
        (format!("{keys}[admin]\nprefix = \"/a\"\n"), "admin.needs: is missing"),
        (format!("{keys}[admin]\nprefix = \"/\"\nneeds = \"x\"\n"), "admin.prefix: must be a path"),
        (format!("{keys}[admin]\nprefix = \"/a/\"\nneeds = \"x\"\n"), "admin.prefix: must be a path"),
        (format!("{keys}[admin]\nprefix = \"/{{a}}\"\nneeds = \"x\"\n"), "admin.prefix: must be a path"),
        ("[admin]\nprefix = \"/a\"\nneeds = \"x\"\n".to_owned(), "there is nothing to administrate"),
        (
            format!(
                "{keys}[admin]\nprefix = \"/a\"\nneeds = \"x\"\n[[routes]]\npath = \"/A/users\"\naccess = \"public\"\n"
            ),
            "lies below the prefix of [admin]",
        ),
    ] {
        let problems = load(&text).unwrap_err();
        assert!(problems.iter().any(|found| found.to_string().contains(problem)), "{text}: {problems:?}");
    }
}

#[test]
fn messages_go_to_a_receiver_that_proves_who_it_is() {
    let accounts = |setting: &str| format!("{CREDENTIALS}[accounts]\n{setting}\n");
    let good = |url: &str| load(&accounts(&format!("messages = {{ url = \"{url}\" }}")));
    for url in ["https://hooks.example.com/a?b=c", "http://127.0.0.1:9000/a", "http://[::1]:9000", "http://127.9.9.9/"]
    {
        let messages = good(url).unwrap().accounts.unwrap().messages.unwrap();
        assert_eq!((messages.attempts, messages.tls.is_some()), (8, url.starts_with("https")), "{url}");
        assert!(!format!("{messages:?}").contains("b=c"));
    }
    let secret = |text: &str| {
        let environment = |name: &str| (name == "HOOK").then(|| text.to_owned());
        let surroundings = Surroundings { base_dir: Path::new(""), environment: &environment };
        let messages = "messages = { url = \"http://127.0.0.1/\", secret = { env = \"HOOK\" } }";
        config::load_in(&accounts(messages), "gateway.toml", surroundings)
    };
    assert!(secret("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz").is_ok());
    for bad in ["whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", "whsec_", "whsec_!"] {
        let problems = secret(bad).unwrap_err();
        let shown = format!("{problems:?}");
        assert!(shown.contains("accounts.messages.secret") && shown.contains("`whsec_` and base64"), "{shown}");
        assert!(!shown.contains("MDEy"), "{shown}");
    }
    let line = |setting: &str| accounts(setting);
    for (setting, beginning, part) in [
        ("messages = { url = \"http://localhost/\" }", "accounts.messages.url", "must be an https URL"),
        ("messages = { url = \"http://hooks.example.com/\" }", "accounts.messages.url", "must be an https URL"),
        ("messages = { url = \"ftp://127.0.0.1/\" }", "accounts.messages.url", "must be an https URL"),
        ("messages = { url = \"/hooks\" }", "accounts.messages.url", "is not a URL"),
        ("messages = { url = \"https://a:b@c/\" }", "accounts.messages.url", "no user"),
        ("messages = { }", "accounts.messages.url", "is missing"),
        (
            "messages = { url = \"http://127.0.0.1/\", secret = \"whsec_x\" }",
            "accounts.messages.secret",
            "must not stand",
        ),
        ("messages = { url = \"http://127.0.0.1/\", atempts = 1 }", "accounts.messages.atempts", "did you mean"),
        ("messages = { url = \"http://127.0.0.1/\", attempts = 0 }", "accounts.messages.attempts", ""),
        ("messages = { url = \"http://127.0.0.1/\", ca_file = \"a\" }", "accounts.messages.ca_file", "https"),
        ("require_verified_email = true", "accounts.require_verified_email", "[accounts.messages]"),
        ("second_factor_needed = \"everybody\"", "accounts.second_factor_needed", "no second factors"),
        ("second_factor_needed = \"all\"", "accounts.second_factor_needed", "\"everybody\""),
        ("second_factor_needed = { }", "accounts.second_factor_needed", "is nobody's"),
        (
            "second_factor = \"A\"\nsecond_factor_needed = { roles = \"root\" }",
            "accounts.second_factor_needed",
            "enrol",
        ),
    ] {
        let shown = load(&line(setting)).unwrap_err();
        assert!(
            shown.iter().any(|problem| problem.contains(beginning) && problem.contains(part)),
            "{setting}: {shown:#?}"
        );
    }
}
