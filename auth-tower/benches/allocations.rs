//! What the layer adds to an axum router, in allocations: `cargo bench -p auth-tower --bench allocations`.
//!
//! A program of its own: counting slows allocations down, which must not tell in the times.

#[path = "router/mod.rs"]
mod router;
#[path = "../../auth-core/benches/workload/mod.rs"]
mod workload;

use router::{bare, layered, request, send};
use workload::Fallible;
use workload::measure::{Allocations, count, print_allocations};

fn main() -> Fallible<()> {
    let measure = |run: &mut dyn FnMut()| allocation_counter::measure(run).count_total;
    let mut counted = Vec::new();
    for workload in workload::all()? {
        let (bare, layered) = (bare(), layered(workload.gate.clone()));
        let make = || request(&workload.field);
        counted.push(Allocations {
            name: workload.name,
            bare: count(make, |request| drop(send(&bare, request)), measure),
            layered: count(make, |request| drop(send(&layered, request)), measure),
            most: workload.most_allocations,
        });
    }
    print_allocations("axum, in process", &counted)
}
