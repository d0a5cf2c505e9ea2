//! When the gateway stops, and how long idle connections may still speak up.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

/// How long an idle connection stays after the signal to stop: a sixteenth of the grace period, half a second by
/// default. A client that has just got an answer is often about to send its next request; closing on it would fail that
/// request. Whatever arrives within this time is served and answered with `Connection: close`.
pub fn farewell(grace: Duration) -> Duration {
    grace / 16
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
