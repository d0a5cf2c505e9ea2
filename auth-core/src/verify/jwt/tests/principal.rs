//! What the identity holds.

use super::*;

fn identity(issuer: Issuer, changes: &[(&str, Value)]) -> Arc<Identity> {
    verify(&verifier(issuer), &token(&with(changes))).expect("a good token")
}

fn names(names: &crate::names::Names) -> Vec<&str> {
    names.iter().collect()
}

#[test]
fn j31_scope_is_a_string_delimited_by_spaces() {
    let identity = identity(issuer(), &[("scope", json!("read write  models:read"))]);
    assert_eq!(names(&identity.scopes), ["read", "write", "models:read"]);
    assert_eq!(names(&identity.permissions), ["read", "write", "models:read"]);
}

#[test]
fn j31_a_list_of_scopes_counts_only_where_it_is_configured() {
    let list = [("scope", json!(["read", "write"]))];
    assert!(identity(issuer(), &list).scopes.is_empty());
    let mapping = ClaimMapping::default().scopes("scope", ScopeShape::DelimitedOrList);
    assert_eq!(names(&identity(issuer().claims(mapping.clone()), &list).scopes), ["read", "write"]);
    assert_eq!(names(&identity(issuer().claims(mapping.clone()), &[("scope", json!("a b"))]).scopes), ["a", "b"]);
    assert!(identity(issuer().claims(mapping), &[("scope", json!(["read", 1]))]).scopes.is_empty());
}

#[test]
fn scopes_are_permissions_unless_kept_apart() {
    let changes = [("scope", json!("read")), ("permissions", json!(["write"]))];
    assert_eq!(names(&identity(issuer(), &changes).permissions), ["read", "write"]);
    let apart = issuer().claims(ClaimMapping::default().scope_use(ScopeUse::KeptApart));
    let identity = identity(apart, &changes);
    assert_eq!((names(&identity.scopes), names(&identity.permissions)), (vec!["read"], vec!["write"]));
}

#[test]
fn j32_a_client_never_meets_a_user_of_the_same_name() {
    let user = identity(issuer(), &[("sub", json!("backup")), ("client_id", json!("web"))]);
    let client = identity(issuer(), &[("sub", json!("backup")), ("client_id", json!("backup"))]);
    assert_eq!((&*user.subject, &*client.subject), ("backup", "client:backup"));
    let posing = with(&[("sub", json!("client:backup"))]);
    assert_eq!(fault_of(issuer(), &posing), Some(CredentialFault::Claims));
    let client_of_odd_name = identity(issuer(), &[("sub", json!("client:x")), ("client_id", json!("client:x"))]);
    assert_eq!(&*client_of_odd_name.subject, "client:client:x");
    let shared = issuer().danger_clients_share_names_with_users();
    assert_eq!(&*identity(shared, &[("client_id", json!("ada"))]).subject, "ada");
}

#[test]
fn j33_lists_of_another_shape_are_ignored() {
    for odd in [json!("admin"), json!({ "admin": true }), json!(["admin", 1]), json!([["admin"]]), json!(1), json!([])]
    {
        let identity = identity(issuer(), &[("roles", odd.clone()), ("permissions", odd.clone())]);
        assert!(identity.roles.is_empty() && identity.permissions.is_empty(), "{odd}");
    }
    let smuggled = identity(issuer(), &[("roles", json!(["a\u{1f}admin", "", "dev"]))]);
    assert_eq!(names(&smuggled.roles), ["dev"]);
}

#[test]
fn names_of_subjects_and_tenants_must_be_names() {
    for name in ["sub", "tenant", "plan", "jti", "client_id"] {
        for odd in [json!(1), json!(["ada"]), json!({}), json!(true), json!(""), json!("a\nb"), json!("a\u{0}")] {
            let claims = with(&[(name, odd.clone())]);
            assert_eq!(fault_of(issuer(), &claims), Some(CredentialFault::Claims), "{name} {odd}");
        }
    }
    assert_eq!(fault_of(issuer(), &with(&[("sub", Value::Null)])), Some(CredentialFault::Claims));
    let null = with(&[("tenant", json!("HERE"))]).replace("\"HERE\"", "null");
    assert_eq!(verify(&verifier(issuer()), &token(&null)).expect("a good token").tenant, None);
}

#[test]
fn claims_are_found_by_name_or_by_way() {
    let mapping = ClaimMapping::default()
        .roles([ClaimPath::from(["realm_access", "roles"]), "https://example.com/roles".into(), "groups".into()])
        .permissions([["resource", "api.v1", "permissions"]])
        .tenant("org.id")
        .plan(["subscription", "plan"]);
    let identity = identity(
        issuer().claims(mapping),
        &[
            ("realm_access", json!({ "other": [], "roles": ["dev"] })),
            ("https://example.com/roles", json!(["ops"])),
            ("groups", json!(["staff"])),
            ("resource", json!({ "api.v1": { "permissions": ["read"] } })),
            ("org.id", json!("acme")),
            ("org", json!({ "id": "wrong" })),
            ("subscription", json!({ "plan": "pro" })),
            ("roles", json!(["unmapped"])),
        ],
    );
    assert_eq!(names(&identity.roles), ["dev", "ops", "staff"]);
    assert_eq!(names(&identity.permissions), ["read"]);
    assert_eq!(identity.tenant.as_deref(), Some("acme"));
    assert_eq!(identity.plan.as_deref(), Some("pro"));
}

#[test]
fn escapes_in_claims_are_read() {
    let claims = with(&[]).replace("\"ada\"", r#""\u0061d\u0061 \ud83d\ude00 \"\\\/""#);
    let identity = verify(&verifier(issuer()), &token(&claims)).expect("a good token");
    assert_eq!(&*identity.subject, "ada 😀 \"\\/");
}

#[test]
fn tenant_and_plan_can_be_left_out() {
    let mapping = ClaimMapping::default().without_tenant().without_plan();
    let identity = identity(issuer().claims(mapping), &[("tenant", json!("acme")), ("plan", json!(1))]);
    assert_eq!((&identity.tenant, &identity.plan), (&None, &None));
}
