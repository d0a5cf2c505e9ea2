//! Where the gateway listens, and when it stops.

use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener};

use tokio::signal::unix::{SignalKind, signal};

use crate::connection::Scheme;

/// Takes the address; port 0 takes a free one.
///
/// # Errors
/// Says in one line why the address cannot be had.
pub fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    let listener = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    listener.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => format!("{address} is in use: stop the other program or choose --listen ADDR"),
        _ => format!("cannot listen on {address}: {error}"),
    })
}

/// Tells standard output that requests are accepted now, with the real port.
///
/// A closed standard output is nobody's reason not to serve.
pub fn announce(scheme: Scheme, address: SocketAddr) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "listening on {}://{address}", scheme.as_str()).and_then(|()| out.flush());
}

/// Waits until the process is asked to stop, by SIGTERM or SIGINT.
///
/// # Errors
/// The signals cannot be watched.
pub async fn asked_to_stop() -> io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
