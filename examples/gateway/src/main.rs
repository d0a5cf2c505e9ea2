//! The gateway on axum.

use std::process::ExitCode;

use gateway::cli::{self, Failure};
use gateway::serve::{self, Current};
use gateway::shutdown::watch_for_stop;
use gateway::start::Ready;
use gateway::tls::Tls;
use mimalloc::MiMalloc;

/// Asks for large pages where the system has them, so that a decision among very many tokens waits less for memory.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    cli::run(run)
}

fn run(ready: Ready) -> Result<(), Failure> {
    let tls = ready.config.tls.as_ref().map(Tls::configured).transpose().map_err(|problem| vec![problem])?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::obstacle)?;
    let served = runtime.block_on(async {
        let current = Current::new(&ready.generation());
        let successor = current.clone();
        let _following = ready.follow(move |generation| successor.take_up(&generation))?;
        let stop = watch_for_stop().map_err(Failure::obstacle)?;
        let listener = ready.listener.try_clone().map_err(Failure::obstacle)?;
        ready.announce();
        // A second handle would keep the socket open after the server has stopped to accept, and the first gate would
        // keep its memory when another has taken its place.
        drop((ready.listener, ready.wired));
        serve::run(listener, tls, &ready.config.server, current, stop).await.map_err(Failure::obstacle)
    });
    // What is still at work after the grace period is not waited for.
    runtime.shutdown_background();
    served
}
