//! What the wrap adds to an actix-web app, in time: `cargo bench -p auth-actix --bench added_cost`.

#[path = "app/mod.rs"]
mod app;
#[path = "../../auth-core/benches/workload/mod.rs"]
mod workload;

use actix_web::http::StatusCode;
use app::{app, request, send, wrapped};
use workload::Fallible;
use workload::measure::{Subject, batch, print_times};

#[actix_web::main]
async fn main() -> Fallible<()> {
    let workloads = workload::all()?;
    let mut subjects = Vec::new();
    for workload in &workloads {
        let (bare, layered) = (app().await, wrapped(workload.gate.clone()).await);
        for status in [send(&bare, request(&workload.field)), send(&layered, request(&workload.field))] {
            if status? != StatusCode::OK {
                return Err("a request was refused".into());
            }
        }
        subjects.push(Subject {
            name: workload.name,
            bare: Box::new(batch(move || drop(send(&bare, request(&workload.field))))),
            raw: Box::new(batch(&workload.raw)),
            layered: Box::new(batch(move || drop(send(&layered, request(&workload.field))))),
            most: None,
        });
    }
    print_times("actix-web, in process", &mut subjects);
    Ok(())
}
