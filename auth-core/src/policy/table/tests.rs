//! Which rule decides, and which paths none may decide on.

use super::super::{all_of, authenticated, permission, permission_for, public, subject_from};
use super::*;
use crate::principal::{Identity, Method};
use crate::rejection::Prohibition;

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
        let mut caller = somebody("nobody", "");
        caller.tenant = Some(tenant.into());
        assert_eq!(verdict(&policy, path, &caller), Ok(()), "{path}");
        caller.tenant = Some("b ".into());
        assert_eq!(verdict(&policy, path, &caller), Err(Rejection::Forbidden(Prohibition::Tenant)), "{path}");
    }
}

fn somebody(subject: &str, permissions: &str) -> Identity {
    let mut identity = Identity::new(Method::Jwt, "issuer", subject);
    identity.permissions = crate::Names::from_scope(permissions);
    identity
}

fn verdict(policy: &CompiledPolicy, path: &str, caller: &Identity) -> Result<(), Rejection> {
    let found = policy.find("GET", path)?;
    let Entry::Rule(rule) = found.entry() else { panic!("no rule for {path}") };
    rule.check(Some(caller), None, found.names())
}

/// A table of shops whose keepers hold `shop` for theirs, in which staff has a desk each.
fn shops() -> CompiledPolicy {
    let keeper = || permission_for("shop", "shop");
    let policy = Policy::new()
        .get("/shops/{shop}", keeper())
        .get("/shops/{shop}/desks/{person}", keeper().or(permission_for("work", "shop").and(subject_from("person"))));
    let model = PermissionModel::default().implies("owner", ["shop"]);
    policy.compile(&model, &CredentialReader::new([]).unwrap()).unwrap()
}

#[test]
fn s9_a_permission_for_one_thing_is_good_for_that_thing_alone() {
    let shops = shops();
    for (held, path, is_good) in [
        ("shop", "/shops/berlin", true),
        ("shop:berlin", "/shops/berlin", true),
        ("shop:berlin", "/shops/b%65rlin", true),
        ("shop:*", "/shops/berlin", true),
        ("*", "/shops/berlin", true),
        ("owner", "/shops/berlin", true),
        ("owner:berlin", "/shops/berlin", true),
        ("shop:berlin", "/shops/paris", false),
        ("shop:berlin", "/shops/Berlin", false),
        ("shop:berlin", "/shops/berlin2", false),
        ("shop:berlin2", "/shops/berlin", false),
        ("shop:berlin:till", "/shops/berlin:till", false),
        ("shop:berlin:till", "/shops/berlin", false),
        ("shops", "/shops/berlin", false),
        ("*:berlin", "/shops/berlin", false),
        ("shop:*", "/shops/*", true),
        ("shop:berlin", "/shops/*", false),
        ("", "/shops/berlin", false),
    ] {
        assert_eq!(verdict(&shops, path, &somebody("ada", held)).is_ok(), is_good, "{held} {path}");
    }
}

#[test]
fn s9_what_is_somebody_elses_is_refused() {
    let shops = shops();
    let ada = |held: &str, path: &str| verdict(&shops, path, &somebody("ada", held));
    assert_eq!(ada("work:berlin", "/shops/berlin/desks/ada"), Ok(()));
    assert_eq!(ada("shop:berlin", "/shops/berlin/desks/grace"), Ok(()));
    assert!(ada("work:berlin", "/shops/paris/desks/ada").is_err());
    assert!(ada("work:berlin", "/shops/berlin/desks/grace").is_err());
    assert!(ada("work:berlin", "/shops/berlin/desks/ADA").is_err());
    assert!(ada("", "/shops/berlin/desks/ada").is_err());
    let own = compile(&Policy::new().get("/people/{person}", subject_from("person"))).unwrap();
    assert_eq!(verdict(&own, "/people/ada", &somebody("ada", "")), Ok(()));
    let refused = Err(Rejection::Forbidden(Prohibition::Owner));
    assert_eq!(verdict(&own, "/people/grace", &somebody("ada", "")), refused);
    let found = own.find("GET", "/people/ada").unwrap();
    let Entry::Rule(rule) = found.entry() else { panic!() };
    assert_eq!(rule.check(None, None, found.names()), Err(Rejection::MissingCredential));
}

#[test]
fn what_is_compared_has_to_be_in_the_pattern_and_few() {
    for (requirement, problem) in [
        (subject_from("nobody"), "`{nobody}` is compared"),
        (permission_for("p", "nobody"), "`{nobody}` is compared"),
        (permission_for("", "a"), "permission \"\""),
        (all_of(["a", "b", "c", "d"].map(subject_from)), "at most 3"),
    ] {
        let problems = compile(&Policy::new().get("/{a}/{b}/{c}/{d}", requirement)).unwrap_err();
        assert!(problems.iter().any(|found| found.contains(problem)), "{problems:#?}");
    }
    let one_gate = Rule::new(subject_from("a"));
    let reader = CredentialReader::new([]).unwrap();
    assert!(CompiledPolicy::single(&one_gate, &PermissionModel::default(), &reader).is_err());
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
