//! The gateway on axum.

use std::process::ExitCode;

use gateway::cli;

fn main() -> ExitCode {
    cli::run(|_ready| Err(cli::Failure::obstacle("serving is not wired yet")))
}
