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

/// Watches for SIGTERM and SIGINT from now on; the future resolves when the process was asked to stop by either.
///
/// Call it before anybody is told that the gateway serves: until then, the signal ends the process on the spot.
///
/// # Errors
/// The signals cannot be watched.
pub fn watch_for_stop() -> io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
