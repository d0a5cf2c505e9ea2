//! What the benches send: one realistic credential of each kind, the gate that takes it, and its cryptography alone.
//!
//! Keys are made anew by every run; the times hardly depend on them. Shared by the benches of several crates, each of
//! which needs a part of it.
#![allow(dead_code, reason = "no bench needs all of it")]

pub(crate) mod measure;
pub(crate) mod tokens;

use std::error::Error;
use std::sync::Arc;

use auth_core::api_key::{KeyFormat, KeyHasher, Peppers};
use auth_core::credential::Source;
use auth_core::gate::{Gate, GateBuilder, Limits};
use auth_core::issue::{ApiKeys, NewKey};
use auth_core::keys::KeySet;
use auth_core::limit::{LimitHeaders, Plan, Plans, Scope, StandardHeaders};
use auth_core::policy::{PermissionModel, Policy, Requirement, authenticated, permission, public};
use auth_core::store::{MemoryKeyStore, MemoryLimitStore};
use auth_core::verify::jwt::{Issuer, JwtVerifier};
use auth_core::verify::{CacheSize, Verifier};
use auth_core::{Clock, Outcome, Secret, SystemClock};
use aws_lc_rs::hmac;

use measure::drive;
pub(crate) use tokens::Algorithm;

pub(crate) type Fallible<T> = Result<T, Box<dyn Error>>;

/// The path that every request asks for, and its pattern.
pub(crate) const PATH: &str = "/v1/orders/6f1d2c9e";
pub(crate) const PATTERN: &str = "/v1/orders/{id}";

/// What the tokens and the key allow.
pub(crate) const PERMISSIONS: [&str; 8] = [
    "orders:read",
    "orders:write",
    "customers:read",
    "customers:write",
    "invoices:read",
    "reports:read",
    "webhooks:manage",
    "members:invite",
];

pub(crate) const ISSUER: &str = "https://login.example.com/";
pub(crate) const AUDIENCE: &str = "https://api.example.com";

const API_KEY: &str = "API key in memory";
const KNOWN_API_KEY: &str = "API key seen before";
const SECOND_API_KEY: &str = "API key seen before, where JWTs may come too";
const KNOWN: &str = "JWT seen before";
const LIMITED: &str = "JWT seen before, three limits";
const EVERYTHING: &str = "JWT seen before, 1,000 routes, three limits";

/// A header field.
pub(crate) type Field = (&'static str, String);

/// One kind of credential.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    /// The field that carries the credential.
    pub(crate) field: Field,
    pub(crate) gate: Gate,
    /// The cryptography alone, with the key ready.
    pub(crate) raw: Box<dyn Fn()>,
    /// How a token is signed, and the key as other libraries take it.
    pub(crate) signed_with: Option<(Algorithm, Vec<u8>)>,
    /// How often the time of the bare framework and the raw cryptography together it may take.
    pub(crate) most: Option<f64>,
    /// How many allocations it may add.
    pub(crate) most_allocations: u64,
}

/// Every kind of credential that the figures are about, or those whose name holds the argument of the program.
pub(crate) fn all() -> Fallible<Vec<Workload>> {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let tokens = [
        (Algorithm::Hs256, "HS256", 2.0),
        (Algorithm::Rs256, "RS256 (2048 bits)", 1.12),
        (Algorithm::Es256, "ES256", 1.06),
        (Algorithm::EdDsa, "EdDSA (Ed25519)", 1.06),
    ];
    let tokens = tokens.into_iter().filter(|(_, name, _)| name.contains(&wanted));
    let tokens = tokens.map(|(algorithm, name, most)| token(algorithm, name, most));
    let known = KNOWN.contains(&wanted).then(known_token);
    let limited = LIMITED.contains(&wanted).then(limited_token);
    let api_key = API_KEY.contains(&wanted).then(api_key);
    let known_api_key = KNOWN_API_KEY.contains(&wanted).then(known_api_key);
    let second_api_key = SECOND_API_KEY.contains(&wanted).then(second_api_key);
    tokens.chain(known).chain(limited).chain(api_key).chain(known_api_key).chain(second_api_key).collect()
}

/// A token that the gate has seen before; there is no cryptography left.
pub(crate) fn known_token() -> Fallible<Workload> {
    known_token_of(Algorithm::Hs256)
}

pub(crate) fn known_token_of(algorithm: Algorithm) -> Fallible<Workload> {
    remembered(KNOWN, algorithm, 6, |gate| Ok(gate.policy(policy())))
}

/// The same, charged to three budgets and told of them in both families of fields.
pub(crate) fn limited_token() -> Fallible<Workload> {
    remembered(LIMITED, Algorithm::Hs256, 16, |gate| Ok(gate.policy(policy()).limits(limits()?)))
}

/// The same among 1,000 routes.
pub(crate) fn limited_token_among_many_routes() -> Fallible<Workload> {
    remembered(EVERYTHING, Algorithm::Hs256, 16, |gate| Ok(gate.policy(many_routes()).limits(limits()?)))
}

fn many_routes() -> Policy {
    let more = (0..990).map(|number| format!("/v2/{}/{number:03}/{{id}}", ["orders", "customers"][number % 2]));
    more.fold(policy(), |policy, pattern| policy.get(pattern, permission("orders:read")))
}

/// A field with a known token, and gates that put together what is done for it: each does one thing more than the one
/// before.
pub(crate) fn steps() -> Fallible<(Field, Vec<(&'static str, Gate)>)> {
    let signed = tokens::signed(Algorithm::Hs256)?;
    let keys = KeySet::new([signed.key])?;
    let gate = |policy: Policy, told: Option<LimitHeaders>| -> Fallible<Gate> {
        let issuer = Issuer::new(ISSUER, [AUDIENCE], keys.clone());
        let verifier = JwtVerifier::new([issuer])?.remembering(CacheSize::default());
        let gate = builder(Source::bearer(), verifier).policy(policy);
        Ok(match told {
            Some(headers) => gate.limits(limits()?.headers(headers)).build()?,
            None => gate.build()?,
        })
    };
    let custom = LimitHeaders { standard: StandardHeaders::Omitted, ..LimitHeaders::default() };
    let steps = vec![
        ("a public route", gate(policy_with(public()), None)?),
        ("the known token", gate(policy_with(authenticated()), None)?),
        ("the permission that its route needs", gate(policy(), None)?),
        ("1,000 routes instead of ten", gate(many_routes(), None)?),
        ("three budgets", gate(many_routes(), Some(LimitHeaders::NONE))?),
        ("`X-RateLimit-*`", gate(many_routes(), Some(custom))?),
        ("`RateLimit-Policy` and `RateLimit`", gate(many_routes(), Some(LimitHeaders::default()))?),
    ];
    Ok((("authorization", format!("Bearer {}", signed.text)), steps))
}

fn remembered(
    name: &'static str,
    algorithm: Algorithm,
    most_allocations: u64,
    configure: impl FnOnce(GateBuilder) -> Fallible<GateBuilder>,
) -> Fallible<Workload> {
    let signed = tokens::signed(algorithm)?;
    let issuer = Issuer::new(ISSUER, [AUDIENCE], KeySet::new([signed.key])?);
    let verifier = JwtVerifier::new([issuer])?.remembering(CacheSize::default());
    Ok(Workload {
        name,
        field: ("authorization", format!("Bearer {}", signed.text)),
        gate: configure(builder(Source::bearer(), verifier))?.build()?,
        raw: Box::new(|| ()),
        signed_with: None,
        most: None,
        most_allocations,
    })
}

fn limits() -> Fallible<Limits> {
    let plan = Plan::new("business")
        .limit("second", "1000000/second".parse()?, Scope::PRINCIPAL)
        .limit("hour", "1000000000/hour".parse()?, Scope::TENANT)
        .limit("route", "1000000000/hour".parse()?, Scope::PRINCIPAL | Scope::ROUTE);
    Ok(Limits::new(Plans::builder().plan(plan).default_plan("business").build()?, MemoryLimitStore::new()))
}

/// A token that is verified every time.
pub(crate) fn token(algorithm: Algorithm, name: &'static str, most: f64) -> Fallible<Workload> {
    let signed = tokens::signed(algorithm)?;
    let issuer = Issuer::new(ISSUER, [AUDIENCE], KeySet::new([signed.key])?);
    Ok(Workload {
        name,
        field: ("authorization", format!("Bearer {}", signed.text)),
        gate: gate(Source::bearer(), JwtVerifier::new([issuer])?)?,
        raw: signed.raw,
        signed_with: Some((algorithm, signed.key_bytes)),
        most: Some(most),
        most_allocations: 14,
    })
}

/// A key whose text the gate has seen before; there is no keyed hash left.
pub(crate) fn known_api_key() -> Fallible<Workload> {
    let (keys, text) = minted()?;
    Ok(Workload {
        name: KNOWN_API_KEY,
        field: ("x-api-key", text),
        gate: gate(Source::header("x-api-key"), keys.verifier().remembering(CacheSize::default()))?,
        raw: Box::new(|| ()),
        signed_with: None,
        most: None,
        most_allocations: 6,
    })
}

/// The same on the field that tokens come with, whose verifier is asked first.
fn second_api_key() -> Fallible<Workload> {
    let (keys, text) = minted()?;
    let issuer = Issuer::new(ISSUER, [AUDIENCE], KeySet::new([tokens::signed(Algorithm::Hs256)?.key])?);
    let tokens = JwtVerifier::new([issuer])?.remembering(CacheSize::default());
    let keys = keys.verifier().remembering(CacheSize::default());
    Ok(Workload {
        name: SECOND_API_KEY,
        field: ("authorization", format!("Bearer {text}")),
        gate: builder(Source::bearer(), tokens).accept(Source::bearer(), keys).policy(policy()).build()?,
        raw: Box::new(|| ()),
        signed_with: None,
        most: None,
        most_allocations: 6,
    })
}

/// The raw part is the keyed hash by which the key is looked up.
pub(crate) fn api_key() -> Fallible<Workload> {
    let (keys, text) = minted()?;
    let raw_pepper = hmac::Key::new(hmac::HMAC_SHA256, &PEPPER);
    let raw_text = text.clone();
    Ok(Workload {
        name: API_KEY,
        field: ("x-api-key", text),
        gate: gate(Source::header("x-api-key"), keys.verifier())?,
        raw: Box::new(move || {
            std::hint::black_box(hmac::sign(&raw_pepper, raw_text.as_bytes()));
        }),
        signed_with: None,
        most: None,
        most_allocations: 8,
    })
}

const PEPPER: [u8; 32] = [7; 32];

/// The keys of a service, and one of them.
fn minted() -> Fallible<(ApiKeys, String)> {
    let peppers = Peppers::new(KeyHasher::new("2031-a", &Secret::new(PEPPER.to_vec()))?);
    let keys = ApiKeys::new(KeyFormat::new("sk", ["live", "test"])?, peppers, Arc::new(MemoryKeyStore::new()), ISSUER);
    let mut wanted = NewKey::new("deployment", "user_2f9d31c4");
    wanted.environment = Some("live".into());
    wanted.tenant = Some("org_7Hk2LmQ9".into());
    wanted.plan = Some("business".into());
    wanted.permissions = PERMISSIONS.into_iter().collect();
    let minted = drive(keys.mint(wanted, SystemClock.now())).map_err(|error| format!("{error:?}"))?;
    let text = minted.key.expose_text().ok_or("a key is text")?.to_owned();
    Ok((keys, text))
}

/// A gate with a table of the size that services have.
pub(crate) fn gate(source: Source, verifier: impl Verifier) -> Fallible<Gate> {
    Ok(builder(source, verifier).policy(policy()).build()?)
}

fn builder(source: Source, verifier: impl Verifier) -> GateBuilder {
    let model = PermissionModel::default().implies("admin", ["orders:*", "customers:*"]);
    Gate::builder().accept(source, verifier).permissions(model)
}

fn policy() -> Policy {
    policy_with(permission("orders:read"))
}

/// With what the route of the [pattern](PATTERN) needs.
fn policy_with(needs: Requirement) -> Policy {
    Policy::new()
        .get("/healthz", public())
        .get("/v1/account", authenticated())
        .get("/v1/orders", permission("orders:read"))
        .post("/v1/orders", permission("orders:write"))
        .get(PATTERN, needs)
        .delete(PATTERN, permission("orders:write"))
        .get("/v1/customers/{id}", permission("customers:read"))
        .get("/v1/invoices/{id}/lines", permission("invoices:read"))
        .any("/v1/webhooks/{*rest}", permission("webhooks:manage"))
        .any("/admin/{*rest}", permission("admin"))
}

/// What is there at once.
pub(crate) fn done<T>(outcome: Outcome<T>) -> Fallible<T> {
    match outcome {
        Outcome::Done(value) => Ok(value),
        Outcome::Wait(_) => Err("nothing here has to wait".into()),
    }
}
