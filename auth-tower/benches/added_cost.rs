//! What the layer adds to an axum router, in time: `cargo bench -p auth-tower --bench added_cost`.

use axum::Router;
use axum::body::Body;
use http::{Request, Response, StatusCode};

#[path = "router/mod.rs"]
mod router;
#[path = "../../auth-core/benches/workload/mod.rs"]
mod workload;

use router::{bare, layered, request, send};
use workload::Fallible;
use workload::measure::{Subject, batch, print_times};

fn main() -> Fallible<()> {
    let workloads = workload::all()?;
    let mut subjects = Vec::new();
    for workload in &workloads {
        let (bare, layered) = (bare(), layered(workload.gate.clone()));
        for app in [&bare, &layered] {
            check(app, request(&workload.field))?;
        }
        subjects.push(Subject {
            name: workload.name,
            bare: Box::new(batch(move || drop(send(&bare, request(&workload.field))))),
            raw: Box::new(batch(&workload.raw)),
            layered: Box::new(batch(move || drop(send(&layered, request(&workload.field))))),
            most: workload.most,
        });
    }
    print_times("axum, in process", &mut subjects);
    Ok(())
}

fn check(app: &Router, request: Request<Body>) -> Fallible<()> {
    let answer: Response<Body> = send(app, request);
    if answer.status() != StatusCode::OK {
        return Err(format!("the request was answered {}", answer.status()).into());
    }
    Ok(())
}
