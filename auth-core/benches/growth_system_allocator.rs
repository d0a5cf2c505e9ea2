//! The same as `growth` with the allocator of the system: `cargo bench -p auth-core --bench growth_system_allocator`.
#![allow(missing_docs, clippy::print_stdout, reason = "a program")]

#[path = "growth/mod.rs"]
mod measured;

fn main() -> measured::Fallible<()> {
    measured::run()
}
