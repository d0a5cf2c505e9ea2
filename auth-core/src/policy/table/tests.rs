//! Which rule decides, and which paths none may decide on.

use super::super::{authenticated, permission, public};
use super::*;

fn compile(policy: &Policy) -> Result<CompiledPolicy, Vec<String>> {
    let reader = CredentialReader::new([]).unwrap();
    let problems = |found: Vec<ConfigError>| found.iter().map(ToString::to_string).collect();
    policy.compile(&PermissionModel::default(), &reader).map_err(problems)
}

/// The name of the rule, `-` for none, `400` where the request is refused.
fn found(policy: &Policy, method: &str, path: &str) -> String {
    match compile(policy).unwrap().find(method, path).map(|found| found.entry()) {
        Ok(Entry::Rule(rule)) => rule.name().to_owned(),
        Ok(Entry::NoRule) => "-".to_owned(),
        other => other.map_or_else(|rejection| rejection.status().to_string(), |entry| format!("{entry:?}")),
    }
}

#[test]
fn the_more_exact_pattern_decides() {
    let policy = Policy::new()
        .any("/{*rest}", authenticated())
        .get("/users/{id}", permission("a"))
        .get("/users/me", permission("b"))
        .get("/users/{id}/files/{*rest}", permission("c"));
    for (path, pattern) in [
        ("/users/me", "/users/me"),
        ("/users/7", "/users/{id}"),
        ("/users/me/files/x/y", "/users/{id}/files/{*rest}"),
        ("/users/7/other", "/{*rest}"),
        ("/users", "/{*rest}"),
        ("/", "-"),
    ] {
        assert_eq!(found(&policy, "GET", path), pattern, "{path}");
    }
}

#[test]
fn a_parameter_and_the_rest_do_not_begin_at_the_same_place() {
    for other in ["/a/{id}", "/a/{id}/b", "/a/{id}/{*rest}"] {
        let policy = Policy::new().get("/a/{*rest}", authenticated()).get(other, permission("p"));
        assert_eq!(compile(&policy).unwrap_err().len(), 1, "{other}");
    }
    let policy = Policy::new().get("/a/{*rest}", authenticated()).get("/{x}/{id}", permission("p"));
    assert_eq!(found(&policy, "GET", "/a/b"), "/a/{*rest}");
}

#[test]
fn methods_have_rules_of_their_own() {
    let policy = Policy::new()
        .get("/a", Rule::new(permission("r")).named("read"))
        .route("PUT, PATCH", "/a", Rule::new(permission("w")).named("write"))
        .any("/b", Rule::new(public()).named("open"))
        .any("/c", Rule::new(public()).named("other"))
        .get("/c", Rule::new(permission("r")).named("get"));
    for (method, path, rule) in [
        ("GET", "/a", "read"),
        ("HEAD", "/a", "read"),
        ("PATCH", "/a", "write"),
        ("DELETE", "/a", "-"),
        ("get", "/a", "-"),
        ("HEAD", "/b", "open"),
        ("brew", "/b", "open"),
        ("HEAD", "/c", "get"),
        ("POST", "/c", "other"),
        ("get", "/c", "-"),
        ("head", "/c", "-"),
    ] {
        assert_eq!(found(&policy, method, path), rule, "{method} {path}");
    }
}

#[test]
fn spellings_that_reach_another_pattern_are_refused() {
    let policy = Policy::new().any("/admin/{*rest}", permission("admin")).any("/{*rest}", public());
    for (path, expected) in [
        ("/admin/x", "/admin/{*rest}"),
        ("/admin/X/", "/admin/{*rest}"),
        ("/admin/%78", "/admin/{*rest}"),
        ("/Admin/x", "400"),
        ("/%61dmin/x", "400"),
        ("/admin//x", "400"),
        ("/admi%6e/x", "400"),
        ("/ADM\u{131}N/x", "400"),
        ("/adm%C4%B1n/x", "400"),
        ("/other", "/{*rest}"),
        ("/Other/%20/", "/{*rest}"),
        ("/admin", "/{*rest}"),
        ("/admin/", "/{*rest}"),
    ] {
        assert_eq!(found(&policy, "GET", path), expected, "{path}");
    }
}

#[test]
fn patterns_in_other_spellings_are_matched_as_written() {
    let policy = Policy::new().get("/Users/{id}", public()).get("/docs/", public()).get("/{a}/{b}", permission("p"));
    for (path, expected) in [
        ("/Users/7", "/Users/{id}"),
        ("/users/7", "400"),
        ("/USERS/7", "400"),
        ("/docs/", "/docs/"),
        ("/docs", "400"),
        ("/x/y", "/{a}/{b}"),
    ] {
        assert_eq!(found(&policy, "GET", path), expected, "{path}");
    }
}

#[test]
fn spellings_may_share_a_rule_and_nothing_less() {
    let shared = Policy::new().get("/docs", permission("p")).get("/docs/", permission("p"));
    assert_eq!(found(&shared, "GET", "/docs/"), "/docs");
    for policy in [
        Policy::new().get("/docs", permission("p")).get("/docs/", permission("q")),
        Policy::new().get("/docs", permission("p")).get("/Docs", public()),
        Policy::new().get("/docs", permission("p")).any("/docs/", permission("p")),
        Policy::new().get("/docs", permission("p")).post("/docs", public()).get("/DOCS", permission("p")),
    ] {
        assert_eq!(compile(&policy).unwrap_err().len(), 1);
    }
}

#[test]
fn mistakes_are_all_reported_with_their_route() {
    let policy = Policy::new()
        .get("/a", permission(""))
        .get("b", public())
        .get("/c/{id}", Rule::new(authenticated()).tenant_from("tenant"))
        .get("/d/{t}", Rule::new(public()).tenant_from("t"))
        .get("/e", public())
        .get("/e", public())
        .route("get", "/f", public())
        .get("/g/{id}", public())
        .get("/g/{*rest}", public())
        .get("/h", Rule::new(authenticated()).accepting([crate::credential::Source::bearer()]));
    let problems = compile(&policy).unwrap_err();
    assert_eq!(problems.len(), 8, "{problems:#?}");
    for part in [
        "route `GET /a`: permission \"\"",
        "route `GET b`: ",
        "`{tenant}`",
        "authenticated() at least",
        "`GET /e` has a rule already",
        "\"get\" is not a method",
        "`/g/{id}` and `/g/{*rest}`",
        "no verifier reads `authorization:Bearer`",
    ] {
        assert!(problems.iter().any(|problem| problem.contains(part)), "{part}: {problems:#?}");
    }
}

#[test]
fn s9_the_tenant_is_the_decoded_parameter_as_sent() {
    let policy = Policy::new().get("/t/{x}/{org}/{*rest}", Rule::new(authenticated()).tenant_from("org"));
    let policy = compile(&policy).unwrap();
    for (path, tenant) in [("/t/a/b/c", "b"), ("/t/a/Acme/c", "Acme"), ("/t/a/%41cme%20Inc/c", "Acme Inc")] {
        assert_eq!(policy.find("GET", path).unwrap().tenant().as_deref(), Some(tenant), "{path}");
    }
}

#[test]
fn s8_routes_without_a_rule_are_listed() {
    let policy = Policy::new().get("/a/{id}", permission("p")).get("/a/list", public()).any("/b/{*rest}", public());
    let own = [("GET", "/a/{key}"), ("POST", "/a/list"), ("PUT", "/b/{x}/{y}"), ("GET", "/c")];
    assert_eq!(compile(&policy).unwrap().uncovered(own), [("POST", "/a/list"), ("GET", "/c")]);
}

#[test]
fn preflights_pass_where_the_asked_method_lets_them() {
    let policy = Policy::new().get("/a", Rule::new(permission("p")).preflight()).put("/a", permission("p")).route(
        "OPTIONS",
        "/a",
        permission("options"),
    );
    let policy = compile(&policy).unwrap();
    let passes = |method, headers: &[(String, Vec<u8>)]| {
        let headers = headers.to_vec();
        let found = policy.route(&RequestHead::new(method, "/a", &headers)).unwrap();
        matches!(found.entry(), Entry::Preflight(_))
    };
    let field = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    let origin = field("origin", "https://example.org");
    let asks = |method| field("access-control-request-method", method);
    assert!(passes("OPTIONS", &[origin.clone(), asks("GET")]));
    assert!(!passes("OPTIONS", &[origin.clone(), asks("PUT")]));
    assert!(!passes("OPTIONS", &[origin.clone(), asks("GET"), asks("PUT")]));
    assert!(!passes("OPTIONS", &[asks("GET")]));
    assert!(!passes("OPTIONS", std::slice::from_ref(&origin)));
    assert!(!passes("GET", &[origin, asks("GET")]));
}

#[test]
fn method_overrides_are_refused() {
    let policy = compile(&Policy::new().any("/a", public())).unwrap();
    for name in ["x-http-method-override", "X-HTTP-Method", "x-method-override"] {
        let headers = [(name, "DELETE")];
        let refused = policy.route(&RequestHead::new("GET", "/a", &headers)).err();
        assert_eq!(refused, Some(Rejection::InvalidRequest(RequestFault::MethodOverride)));
    }
}
