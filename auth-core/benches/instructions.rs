//! Instructions of everything around the cryptography, counted by callgrind:
//! `cargo bench -p auth-core --bench instructions`.
//!
//! Needs `valgrind` and `gungraun-runner` of the version of `gungraun` in `Cargo.lock`. Instructions do not depend on
//! how busy the machine is, so these figures can be compared between two commits.
#![allow(missing_docs, unused_qualifications, reason = "the macros of the harness write items of their own")]

use std::hint::black_box;
use std::sync::Arc;

use auth_core::credential::Source;
use auth_core::gate::{Context, Decision, Gate};
use auth_core::policy::{Policy, permission};
use auth_core::verify::{Verified, Verifier};
use auth_core::{Identity, Method, Now, Outcome, RequestHead};
use gungraun::prelude::*;

/// A verifier that always agrees: what is left is everything else.
struct Agreeing(Arc<Identity>);

impl Verifier for Agreeing {
    fn recognises(&self, _: &str) -> bool {
        true
    }

    fn verify(&self, _: &str, _: Now) -> Outcome<Verified> {
        Outcome::Done(Ok(Arc::clone(&self.0)))
    }
}

/// A gate and a request to it.
struct Prepared {
    gate: Gate,
    context: Arc<Context>,
    headers: Vec<(String, Vec<u8>)>,
    path: String,
    now: Now,
}

impl Prepared {
    fn head(&self) -> RequestHead<'_> {
        RequestHead::new("GET", &self.path, &self.headers)
    }
}

/// A table of so many routes, of which the request asks for the one in the middle.
fn routes(count: usize) -> Prepared {
    let mut identity = Identity::new(Method::Jwt, "https://login.example.com/", "auth0|65f2c9a1b7d04e3f8a6c1e20");
    let permissions = ["orders:read", "orders:write", "customers:read", "customers:write"];
    identity.permissions = permissions.into_iter().chain(["a", "b", "c", "d"]).collect();
    let service = |number: usize| format!("/v1/{}/{number:05}", ["orders", "customers", "invoices"][number % 3]);
    let policy = (0..count).fold(Policy::new(), |policy, number| {
        policy.get(format!("{}/{{id}}", service(number)), permission("customers:write"))
    });
    let gate = Gate::builder().accept(Source::bearer(), Agreeing(identity.into())).policy(policy).build();
    let Ok(gate) = gate else { std::process::abort() };
    let headers = [
        ("host", "api.example.com"),
        ("user-agent", "example-client/2.4 (linux)"),
        ("accept", "application/json"),
        ("accept-encoding", "gzip, br"),
        (
            "authorization",
            "Bearer eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUuY29tLyJ9.c2ln",
        ),
    ];
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).collect();
    let path = format!("{}/6f1d2c9e", service(count / 2));
    let prepared = Prepared { now: gate.now(), context: gate.context(), gate, headers, path };
    // What is done once per process, such as registering log lines, is not part of a request.
    let is_admitted = matches!(decide(&prepared), Outcome::Done(Decision::Admit(_)));
    if is_admitted { prepared } else { std::process::abort() }
}

fn decide(prepared: &Prepared) -> Outcome<Decision> {
    prepared.gate.decide(&prepared.head(), prepared.now)
}

#[library_benchmark]
#[bench::among_10_routes(args = (10), setup = routes)]
fn decision(prepared: Prepared) -> (Outcome<Decision>, Prepared) {
    let decision = black_box(decide(black_box(&prepared)));
    (decision, prepared)
}

#[library_benchmark]
#[bench::among_10(args = (10), setup = routes)]
#[bench::among_1_000(args = (1_000), setup = routes)]
#[bench::among_10_000(args = (10_000), setup = routes)]
fn route(prepared: Prepared) -> Prepared {
    let found = black_box(prepared.context.policy().route(black_box(&prepared.head())));
    drop(found);
    prepared
}

library_benchmark_group!(name = gate, benchmarks = [decision, route]);
main!(library_benchmark_groups = gate);
