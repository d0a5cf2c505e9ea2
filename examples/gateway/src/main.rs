//! The gateway on axum.

use std::process::ExitCode;
use std::sync::Arc;

use gateway::cli::{self, Failure};
use gateway::gateway::Gateway;
use gateway::serve;
use gateway::shutdown::watch_for_stop;
use gateway::start::Ready;
use gateway::tls::Tls;

fn main() -> ExitCode {
    cli::run(run)
}

fn run(ready: Ready) -> Result<(), Failure> {
    let tls = ready.config.tls.as_ref().map(Tls::configured).transpose().map_err(|problem| vec![problem])?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::obstacle)?;
    let served = runtime.block_on(async {
        let gateway = Gateway::new(&ready.config, ready.wired.gate.clone(), ready.health.clone());
        let stop = watch_for_stop()?;
        let listener = ready.listener.try_clone()?;
        ready.announce();
        // A second handle would keep the socket open after the server has stopped to accept.
        drop(ready.listener);
        serve::run(listener, tls, &ready.config.server, serve::router(Arc::new(gateway)), stop).await
    });
    // What is still at work after the grace period is not waited for.
    runtime.shutdown_background();
    served.map_err(Failure::obstacle)
}
