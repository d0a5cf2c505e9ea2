//! Attempts of clients that do not bring their state back.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::clock::Timestamp;

/// How many addresses are kept in mind; the attempts of others have to bring their state back.
const ADDRESSES: usize = 10_000;

/// How many attempts of one address: with two there is no telling which one is meant, with three there will be none.
const PER_ADDRESS: usize = 2;

/// Attempts by the address that they began at. In memory: a process that is started anew knows of none.
#[derive(Default)]
pub(super) struct OpenAttempts(Mutex<BTreeMap<IpAddr, Vec<(String, Timestamp)>>>);

impl OpenAttempts {
    pub(super) fn add(&self, client: IpAddr, state: String, ends: Timestamp, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= ADDRESSES && !all.contains_key(&client) {
            all.retain(|_, attempts| attempts.iter().any(|(_, ends)| *ends > now));
            if all.len() >= ADDRESSES {
                return;
            }
        }
        let attempts = all.entry(client).or_default();
        attempts.retain(|(_, ends)| *ends > now);
        if attempts.len() < PER_ADDRESS {
            attempts.push((state, ends));
        }
    }

    /// Takes the only open attempt of an address; nothing where there are several.
    pub(super) fn take(&self, client: IpAddr, now: Timestamp) -> Option<String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let attempts = all.get_mut(&client)?;
        attempts.retain(|(_, ends)| *ends > now);
        if attempts.len() > 1 {
            return None;
        }
        let taken = attempts.pop();
        all.remove(&client);
        taken.map(|(state, _)| state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_open_attempt_of_an_address_is_taken() {
        let (one, other) = ([127, 0, 0, 1].into(), [127, 0, 0, 2].into());
        let at = Timestamp::from_unix_seconds;
        let open = OpenAttempts::default();
        assert_eq!(open.take(one, at(0)), None);
        open.add(one, "a".to_owned(), at(10), at(0));
        assert_eq!(open.take(other, at(0)), None);
        assert_eq!(open.take(one, at(9)).as_deref(), Some("a"));
        assert_eq!(open.take(one, at(9)), None);
        open.add(one, "a".to_owned(), at(10), at(0));
        assert_eq!(open.take(one, at(10)), None);
        open.add(one, "a".to_owned(), at(10), at(0));
        open.add(one, "b".to_owned(), at(20), at(0));
        assert_eq!(open.take(one, at(0)), None);
        assert_eq!(open.take(one, at(10)).as_deref(), Some("b"));
    }
}
