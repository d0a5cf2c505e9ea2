//! What the wrap adds to an actix-web app, in allocations: `cargo bench -p auth-actix --bench allocations`.
//!
//! A program of its own: counting slows allocations down, which must not tell in the times.

#[path = "app/mod.rs"]
mod app;
#[path = "../../auth-core/benches/workload/mod.rs"]
mod workload;

use app::{app, request, send, wrapped};
use workload::Fallible;
use workload::measure::{Allocations, count, print_allocations};

#[actix_web::main]
async fn main() -> Fallible<()> {
    let measure = |run: &mut dyn FnMut()| allocation_counter::measure(run).count_total;
    let mut counted = Vec::new();
    for workload in workload::all()? {
        let (bare, layered) = (app().await, wrapped(workload.gate.clone()).await);
        let make = || request(&workload.field);
        counted.push(Allocations {
            name: workload.name,
            bare: count(make, |request| drop(send(&bare, request)), measure),
            layered: count(make, |request| drop(send(&layered, request)), measure),
            most: workload.most_allocations,
        });
    }
    print_allocations("actix-web, in process", &counted)
}
