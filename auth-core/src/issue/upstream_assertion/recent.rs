//! What was signed in the last seconds.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::clock::Timestamp;
use crate::secret::Secret;

/// How many are remembered: some seconds of a busy upstream. Beyond that requests are signed for one by one.
const CAPACITY: usize = 4096;

/// Assertions by what they say.
#[derive(Default)]
pub(super) struct Recent(Mutex<HashMap<String, Kept>>);

/// An assertion that requests may share.
pub(super) struct Kept {
    pub(super) assertion: Secret,
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
}

impl Kept {
    /// A clock that was set back makes nothing last longer.
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.since <= now && now < self.until
    }
}

impl Recent {
    pub(super) fn find(&self, said: &str, now: Timestamp) -> Option<Secret> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(said).filter(|kept| kept.is_fresh(now)).map(|kept| kept.assertion.clone())
    }

    pub(super) fn keep(&self, said: String, kept: Kept, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= CAPACITY && !all.contains_key(&said) {
            all.retain(|_, kept| kept.is_fresh(now));
        }
        // full of what is fresh: to be looked through once a request would cost more than signing does
        if all.len() >= CAPACITY {
            all.clear();
        }
        all.insert(said, kept);
    }
}

/// Prints how many there are: who calls is personal.
impl fmt::Debug for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Recent").field("kept", &all.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    fn kept(since: i64) -> Kept {
        Kept { assertion: Secret::from("a"), since: at(since), until: at(since + 5) }
    }

    #[test]
    fn nothing_is_shared_past_its_time_or_before_it() {
        let recent = Recent::default();
        recent.keep("ada".to_owned(), kept(100), at(100));
        assert!(recent.find("ada", at(104)).is_some());
        assert!(recent.find("ada", at(105)).is_none());
        assert!(recent.find("ada", at(99)).is_none());
        assert!(recent.find("bob", at(104)).is_none());
    }

    #[test]
    fn there_is_an_end_to_what_is_remembered() {
        let recent = Recent::default();
        for number in 0..3 * CAPACITY {
            recent.keep(number.to_string(), kept(100), at(100));
        }
        assert!(recent.0.lock().unwrap().len() <= CAPACITY);
    }
}
