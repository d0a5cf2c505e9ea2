//! When the gateway stops.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

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
