//! The gateway on actix-web: the same command line, configuration and answers as the one on axum.

mod app;
mod closing;
mod convert;
mod server;
mod streams;
mod upgrade;
mod upload;

use std::process::ExitCode;

use gateway::cli::{self, Failure};
use gateway::gateway::Gateway;
use gateway::shutdown::watch_for_stop;
use gateway::start::Ready;
use gateway::tls::Tls;

fn main() -> ExitCode {
    cli::run(run)
}

fn run(ready: Ready) -> Result<(), Failure> {
    let tls = ready.config.tls.as_ref().map(Tls::configured).transpose().map_err(|problem| vec![problem])?;
    let health = ready.health.clone();
    let (config, gate) = (ready.config.clone(), ready.wired.gate.clone());
    let build = move || Gateway::new(&config, gate.clone(), health.clone());
    let served = actix_web::rt::System::new().block_on(async {
        let stop = watch_for_stop()?;
        let listener = ready.listener.try_clone()?;
        ready.announce();
        // A second handle would keep the socket open after the server has stopped to accept.
        drop(ready.listener);
        server::run(listener, tls, &ready.config.server, build, stop).await
    });
    served.map_err(Failure::obstacle)
}
