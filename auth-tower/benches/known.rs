//! A request with a credential that is known, beside one that `tower-http` compares with a constant:
//! `cargo bench -p auth-tower --bench known`.

#![expect(deprecated, reason = "the static token is what the field compares itself with")]

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::StatusCode;
use tower_http::auth::require_authorization::Bearer;
use tower_http::validate_request::ValidateRequestHeaderLayer;

#[path = "router/mod.rs"]
mod router;
#[path = "../../auth-core/benches/workload/mod.rs"]
mod workload;

use router::{bare, layered, request, send};
use workload::measure::{Subject, batch, print_times};
use workload::{Fallible, known_api_key, known_token};

fn main() -> Fallible<()> {
    let (token, key) = (known_token()?, known_api_key()?);
    let constant = constant(token.field.1.strip_prefix("Bearer ").unwrap_or_default());
    let mut subjects = Vec::new();
    for workload in [&token, &key] {
        let (constant, layered) = (&constant, layered(workload.gate.clone()));
        for (app, field) in [(constant, &token.field), (&layered, &workload.field)] {
            let answer = send(app, request(field));
            if answer.status() != StatusCode::OK {
                return Err(format!("{} was answered {}", workload.name, answer.status()).into());
            }
        }
        subjects.push(Subject {
            name: workload.name,
            bare: Box::new(batch(|| drop(send(constant, request(&token.field))))),
            raw: Box::new(|| Duration::ZERO),
            layered: Box::new(batch(move || drop(send(&layered, request(&workload.field))))),
            most: Some(1.4),
        });
    }
    print_times("axum; bare is the same router behind tower-http's static bearer token", &mut subjects);
    Ok(())
}

fn constant(token: &str) -> Router {
    let layer: ValidateRequestHeaderLayer<Bearer<Body>> = ValidateRequestHeaderLayer::bearer(token);
    bare().layer(layer)
}
