//! The gateway on actix-web: the same command line, configuration and answers as the one on axum.

mod app;
mod closing;
mod convert;
mod server;
mod streams;
mod upgrade;
mod upload;
mod worker;

use std::process::ExitCode;
use std::sync::Arc;

use arc_swap::ArcSwap;
use gateway::cli::{self, Failure};
use gateway::shutdown::watch_for_stop;
use gateway::start::Ready;
use gateway::tls::Tls;
use mimalloc::MiMalloc;

use crate::worker::Current;

/// Asks for large pages where the system has them, so that a decision among very many tokens waits less for memory.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    cli::run(run)
}

fn run(ready: Ready) -> Result<(), Failure> {
    let tls = ready.config.tls.as_ref().map(Tls::configured).transpose().map_err(|problem| vec![problem])?;
    let current: Current = Arc::new(ArcSwap::from_pointee(ready.generation()));
    actix_web::rt::System::new().block_on(async {
        let successor = current.clone();
        let _following = ready.follow(move |generation| successor.store(Arc::new(generation)))?;
        let stop = watch_for_stop().map_err(Failure::obstacle)?;
        let listener = ready.listener.try_clone().map_err(Failure::obstacle)?;
        ready.announce();
        // A second handle would keep the socket open after the server has stopped to accept, and the first gate would
        // keep its memory when another has taken its place.
        drop((ready.listener, ready.wired));
        server::run(listener, tls, &ready.config.server, current, stop).await.map_err(Failure::obstacle)
    })
}
