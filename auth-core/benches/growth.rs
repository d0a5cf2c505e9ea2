//! How the time of a decision grows, with the allocator of the gateways: `cargo bench -p auth-core --bench growth`.
#![allow(missing_docs, clippy::print_stdout, reason = "a program")]

#[path = "growth/mod.rs"]
mod measured;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> measured::Fallible<()> {
    measured::run()
}
