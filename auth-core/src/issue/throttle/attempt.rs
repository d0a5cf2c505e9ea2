//! Leave to compare one password.

use std::fmt;

use crate::outcome::Outcome;

use super::asking::Asking;
use super::in_flight::Place;

/// Leave to compare one password, with everything that belongs to the login; how it ended has to be said.
///
/// An attempt that is dropped has cost what a failed one costs: a client that hangs up learns nothing for free. A store
/// that has to be waited for does not hear of it.
#[must_use = "an attempt that is dropped counts as failed"]
pub struct LoginAttempt {
    asking: Asking,
    /// Taken when it is said how it ended.
    place: Option<Place>,
}

impl LoginAttempt {
    pub(super) fn new(asking: Asking, place: Place) -> Self {
        Self { asking, place: Some(place) }
    }

    /// The login is complete, which costs nothing.
    pub fn succeeded(mut self) {
        drop(self.place.take());
    }

    /// The name, the password or the second factor was wrong. It is counted before the attempt stops being one under
    /// way; a store that cannot count it is told of in the log.
    pub fn failed(mut self) -> Outcome<()> {
        let place = self.place.take();
        self.asking.debit().map(move |answer| {
            if let Err(error) = answer {
                tracing::warn!(target: "auth::decision", %error, "a failed login could not be counted");
            }
            drop(place);
        })
    }
}

impl Drop for LoginAttempt {
    fn drop(&mut self) {
        if let Some(place) = self.place.take() {
            drop(self.asking.debit());
            drop(place);
        }
    }
}

impl fmt::Debug for LoginAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginAttempt").finish_non_exhaustive()
    }
}
