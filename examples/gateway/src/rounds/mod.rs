//! What is done behind the back of requests: writing down which keys and tokens were used, taking up what other processes
//! took back, and telling the [`Health`] whether the stores answer.
//!
//! A thread of its own does it, since the two gateways have different runtimes and neither shall have to care.

mod in_use;
mod part;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use auth_core::{Clock as _, SystemClock};

pub(crate) use in_use::InUse;

use crate::cli::Failure;
use crate::health::{Health, Trouble};
use part::Part;

/// How often: what a crash may lose of the last-used times, how long `/readyz` may be behind, and how long another
/// process's revocation may be unknown here.
const INTERVAL: Duration = Duration::from_secs(1);

/// How many rounds it takes until what has ended is thrown away again; the first round does it too, since some processes never
/// live that long.
const ROUNDS_BETWEEN_TIDYING: u32 = 600;

/// Makes its rounds until it is dropped; then uses are written down once more.
#[derive(Debug)]
pub(crate) struct Rounds {
    /// There until the value is dropped, which the thread notices.
    alive: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Rounds {
    /// Begins.
    ///
    /// # Errors
    /// No thread can be started.
    pub(crate) fn start(in_use: InUse, health: Arc<Health>) -> Result<Self, Failure> {
        let (alive, watched) = channel::<()>();
        let thread = std::thread::Builder::new().name("rounds".to_owned()).spawn(move || {
            let (mut troubles, mut round) = (Troubles::default(), 0_u32);
            while watched.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                in_use.write_down();
                let parts = in_use.newest();
                troubles.look_for(&parts, &health);
                if round.is_multiple_of(ROUNDS_BETWEEN_TIDYING) {
                    parts.iter().for_each(Part::tidy);
                }
                round = round.wrapping_add(1);
            }
            in_use.write_down();
        });
        Ok(Self { alive: Some(alive), thread: Some(thread.map_err(Failure::obstacle)?) })
    }
}

impl Drop for Rounds {
    fn drop(&mut self) {
        drop(self.alive.take());
        if let Some(thread) = self.thread.take() {
            // a panic over there was reported over there
            let _ = thread.join();
        }
    }
}

/// The parts that were in trouble at the last look; only changes are logged.
#[derive(Default)]
struct Troubles(BTreeMap<&'static str, Trouble>);

impl Troubles {
    fn look_for(&mut self, parts: &[Part], health: &Health) {
        for gone in self.0.keys().filter(|name| parts.iter().all(|part| part.name() != **name)) {
            health.report(*gone, None);
        }
        self.0.retain(|name, _| parts.iter().any(|part| part.name() == *name));
        for part in parts {
            let name = part.name();
            let Some(found) = part.look(SystemClock.now()) else { continue };
            let trouble = found.as_ref().err().map(|(trouble, _)| *trouble);
            health.report(name, trouble);
            let before = match trouble {
                Some(trouble) => self.0.insert(name, trouble),
                None => self.0.remove(name),
            };
            match found {
                Err((Trouble::Out, error)) if before != Some(Trouble::Out) => {
                    tracing::warn!(part = name, %error, "the store does not answer; requests that need it get 503");
                }
                Err((Trouble::Degraded, error)) if before.is_none() => {
                    tracing::warn!(part = name, %error, "the store does not answer; what is known goes on for a while");
                }
                Ok(()) if before.is_some() => tracing::info!(part = name, "the store answers again"),
                _ => {}
            }
        }
    }
}
