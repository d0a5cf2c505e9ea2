//! The gate and the frameworks agree on where a path leads, or the gate refuses it.
//!
//! For random sets of patterns and random, often hostile paths: whatever the gate lets through under the rule of a
//! pattern, axum's router and actix-web's router lead to the handler of that pattern or to none.

use std::cell::Cell;
use std::collections::BTreeSet;

use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, HttpResponse};
use auth_core::credential::CredentialReader;
use auth_core::policy::{CompiledPolicy, Entry, PermissionModel, Policy, Rule, public};
use axum::body::Body;
use axum::routing::get;
use http_body_util::BodyExt;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use tower::ServiceExt;

fn segments() -> impl Strategy<Value = String> {
    let literal = select(&["a", "b", "ab", "A", "a.b", "admin", "a+b"][..]).prop_map(str::to_owned);
    prop_oneof![3 => literal, 2 => Just("{p}".to_owned())]
}

/// Patterns whose few segments overlap often. Parameters are numbered, so that none occurs twice.
fn patterns() -> impl Strategy<Value = String> {
    let end = prop_oneof![6 => Just(""), 3 => Just("/{*rest}"), 1 => Just("/")];
    (vec(segments(), 0..4), end).prop_map(|(segments, end)| {
        let numbered = |(at, segment): (usize, String)| segment.replace("{p}", &format!("{{p{at}}}"));
        let segments: Vec<String> = segments.into_iter().enumerate().map(numbered).collect();
        match (segments.join("/"), end) {
            (path, "") if path.is_empty() => "/".to_owned(),
            (path, "/") if path.is_empty() => "/".to_owned(),
            (path, end) if path.is_empty() => end.to_owned(),
            (path, end) => format!("/{path}{end}"),
        }
    })
}

/// A character as it is, in the other case, or escaped.
fn spelled(character: char) -> impl Strategy<Value = String> {
    let swapped =
        if character.is_ascii_lowercase() { character.to_ascii_uppercase() } else { character.to_ascii_lowercase() };
    prop_oneof![
        12 => Just(character.to_string()),
        1 => Just(swapped.to_string()),
        1 => Just(format!("%{:02X}", u32::from(character))),
        1 => Just(format!("%{:02x}", u32::from(character))),
    ]
}

/// Values that a parameter may take, some of them like literals, some of them dangerous.
const VALUES: [&str; 26] = [
    "a",
    "b",
    "ab",
    "x",
    "admin",
    "Admin",
    "adm%69n",
    "%61",
    "a%20b",
    "caf%C3%A9",
    "100%25",
    "%E2%84%AA",
    "..",
    ".",
    "%2e",
    "%2E.",
    "a%2Fb",
    "a%5Cb",
    "a;x=y",
    "a%3Bb",
    "%252e",
    "a%00",
    "",
    "%",
    "a,b:c@d",
    "%7Bp0%7D",
];

/// Paths that come near to one of the patterns.
fn paths(pattern: &str) -> impl Strategy<Value = String> + use<> {
    let part = |segment: &str| match segment {
        "{*rest}" => vec(select(&VALUES[..]), 1..4).prop_map(|values| values.join("/")).boxed(),
        parameter if parameter.starts_with('{') => select(&VALUES[..]).prop_map(str::to_owned).boxed(),
        literal => literal.chars().map(spelled).collect::<Vec<_>>().prop_map(|parts| parts.concat()).boxed(),
    };
    let parts: Vec<_> = pattern.split('/').map(part).collect();
    let noise =
        select(&["", "", "", "", "", "/", "//", "/.", "/..", "/../b", ";x", "%2F", "/x", "%00", "?q=/", "#f"][..]);
    (parts, noise).prop_map(|(parts, noise)| parts.join("/") + noise)
}

/// Patterns, and paths near them.
fn cases() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    btree_set(patterns(), 1..8).prop_flat_map(|patterns| {
        let patterns: Vec<String> = patterns.into_iter().collect();
        let near = select(patterns.clone()).prop_flat_map(|pattern| paths(&pattern));
        (Just(patterns), vec(near, 12))
    })
}

/// The policy with one rule per pattern, named after it; `None` where the patterns do not fit together.
fn policy(patterns: &[String]) -> Option<CompiledPolicy> {
    let named = |policy: Policy, pattern: &String| policy.get(pattern, Rule::new(public()).named(pattern));
    let policy = patterns.iter().fold(Policy::new(), named);
    policy.compile(&PermissionModel::default(), &CredentialReader::new([]).unwrap()).ok()
}

/// Patterns of one folded spelling share a rule.
fn folded(pattern: &str) -> String {
    let lower = pattern.to_ascii_lowercase();
    lower.strip_suffix('/').filter(|stem| !stem.is_empty()).map_or(lower.clone(), str::to_owned)
}

/// The order in which a framework that takes the first match has to be told of patterns: the more exact one first.
fn by_exactness(patterns: &[String]) -> Vec<String> {
    let rank = |segment: &str| match segment {
        "{*rest}" => 2,
        parameter if parameter.starts_with('{') => 1,
        _ => 0,
    };
    let mut sorted = patterns.to_vec();
    sorted.sort_by_key(|pattern| pattern.split('/').map(rank).collect::<Vec<_>>());
    sorted
}

fn axum_router(patterns: &[String]) -> axum::Router {
    patterns.iter().fold(axum::Router::new(), |router, pattern| {
        let name = pattern.clone();
        router.route(pattern, get(move || async move { name }))
    })
}

async fn axum_leads_to(router: &axum::Router, path: &str) -> Option<String> {
    let request = http::Request::get(path).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    if response.status() != http::StatusCode::OK {
        return None;
    }
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Some(String::from_utf8(body.to_vec()).unwrap())
}

/// Where axum and actix-web lead each of the paths.
fn frameworks_lead_to(patterns: &[String], paths: &[&String]) -> Vec<[Option<String>; 2]> {
    actix_web::rt::System::new().block_on(async {
        let router = axum_router(patterns);
        let register = |config: &mut actix_web::web::ServiceConfig| {
            for pattern in by_exactness(patterns) {
                let path = pattern.replace("{*rest}", "{rest:.+}");
                config.route(
                    &path,
                    actix_web::web::get().to(move || {
                        let name = pattern.clone();
                        async move { HttpResponse::Ok().body(name) }
                    }),
                );
            }
        };
        let app = init_service(App::new().configure(register)).await;
        let mut led = Vec::new();
        for path in paths {
            let response = call_service(&app, TestRequest::with_uri(path).to_request()).await;
            let name = if response.status().is_success() {
                Some(String::from_utf8(read_body(response).await.to_vec()).unwrap())
            } else {
                None
            };
            led.push([axum_leads_to(&router, path).await, name]);
        }
        led
    })
}

#[test]
fn what_passes_reaches_the_handler_of_its_rule_or_none() {
    let passed = Cell::new(0_u32);
    let reached = Cell::new(0_u32);
    let mut runner = TestRunner::new(ProptestConfig { max_global_rejects: 100_000, ..ProptestConfig::with_cases(400) });
    let verdict = runner.run(&cases(), |(patterns, paths)| {
        let Some(policy) = policy(&patterns) else { return Err(TestCaseError::reject("patterns do not fit together")) };
        let sendable: Vec<&String> = paths.iter().filter(|path| path.parse::<http::Uri>().is_ok()).collect();
        let led = frameworks_lead_to(&patterns, &sendable);
        for (path, led) in sendable.iter().zip(led) {
            let uri: http::Uri = path.parse().unwrap();
            let Ok(found) = policy.find("GET", uri.path()) else { continue };
            let Entry::Rule(rule) = found.entry() else { continue };
            passed.set(passed.get() + 1);
            for handler in led.into_iter().flatten() {
                reached.set(reached.get() + 1);
                prop_assert_eq!(folded(&handler), folded(rule.name()), "{} among {:?}", path, &patterns);
            }
        }
        Ok(())
    });
    verdict.unwrap();
    assert!(passed.get() > 500 && reached.get() > passed.get(), "too few: {} {}", passed.get(), reached.get());
}

/// Agreement must not be bought by refusing everything: ordinary paths pass and arrive.
#[test]
fn ordinary_paths_pass_and_arrive() {
    let ordinary = btree_set(patterns(), 1..8).prop_filter_map("in folded spelling", |patterns| {
        let folded: BTreeSet<String> = patterns.iter().map(|pattern| folded(pattern)).collect();
        (folded == patterns).then(|| patterns.into_iter().collect::<Vec<_>>())
    });
    let mut runner = TestRunner::new(ProptestConfig { max_global_rejects: 100_000, ..ProptestConfig::with_cases(200) });
    let verdict = runner.run(&ordinary, |patterns| {
        let Some(policy) = policy(&patterns) else { return Err(TestCaseError::reject("patterns do not fit together")) };
        let plain = |pattern: &String| pattern.replace("{*rest}", "y/z").replace('{', "v").replace('}', "");
        let paths: Vec<String> = patterns.iter().map(plain).collect();
        let led = frameworks_lead_to(&patterns, &paths.iter().collect::<Vec<_>>());
        for ((pattern, path), led) in patterns.iter().zip(&paths).zip(led) {
            let found = policy.find("GET", path).map_err(|rejection| TestCaseError::fail(rejection.to_string()))?;
            let Entry::Rule(rule) = found.entry() else { return Err(TestCaseError::fail(format!("no rule: {path}"))) };
            prop_assert_eq!(rule.name(), pattern, "{}", path);
            prop_assert_eq!(led, [Some(pattern.clone()), Some(pattern.clone())], "{}", path);
        }
        Ok(())
    });
    verdict.unwrap();
}
