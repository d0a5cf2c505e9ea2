//! What the time of a decision is spent on: a known token, 1,000 routes, three budgets and both families of fields, put
//! together step by step. `cargo bench -p auth-tower --bench breakdown`.
//!
//! Each step does all that the one before does, and one thing more; what is printed is the median of the differences
//! between the two within a round.
#![allow(missing_docs, clippy::print_stdout, reason = "a program")]

use std::time::Duration;

use axum::Router;
use http::StatusCode;

#[path = "router/mod.rs"]
mod router;
#[path = "../../auth-core/benches/workload/mod.rs"]
mod workload;

use router::{bare, layered, request, send};
use workload::measure::{batch, is_bench, median};
use workload::{Fallible, steps};

struct Step {
    name: &'static str,
    run: Box<dyn FnMut() -> Duration>,
    micros: Vec<f64>,
    more: Vec<f64>,
}

fn main() -> Fallible<()> {
    let (field, gates) = steps()?;
    let step = |name, app: Router| -> Fallible<Step> {
        let answer = send(&app, request(&field));
        if answer.status() != StatusCode::OK {
            return Err(format!("{name} was answered {}", answer.status()).into());
        }
        let field = field.clone();
        let run = Box::new(batch(move || drop(send(&app, request(&field)))));
        Ok(Step { name, run, micros: Vec::new(), more: Vec::new() })
    };
    let mut all = vec![step("bare axum", bare())?];
    for (name, gate) in gates {
        all.push(step(name, layered(gate))?);
    }
    let (warm_up, rounds) = if is_bench() { (50, 1_001) } else { (0, 1) };
    for round in 0..warm_up + rounds {
        let mut before = None;
        for step in &mut all {
            let micros = (step.run)().as_secs_f64() * 1e6;
            let more = micros - before.replace(micros).unwrap_or_default();
            if round >= warm_up {
                step.micros.push(micros);
                step.more.push(more);
            }
        }
    }
    println!("medians of {rounds} rounds\n\n| with | request | more |\n|---|--:|--:|");
    for Step { name, micros, more, .. } in all {
        println!("| {name} | {:.2} µs | {:.2} µs |", median(micros), median(more));
    }
    Ok(())
}
