//! Attempts of clients that do not bring their state back.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;
use crate::issue::LoginThrottle;

/// How many sources are kept in mind; the attempts of others have to bring their state back.
const SOURCES: usize = 10_000;

/// How many attempts of one source: with two there is no telling which one is meant, with three there will be none.
const PER_SOURCE: usize = 2;

/// Attempts by where they began: an address, or the /64 of an IPv6 address. In memory: a process that is started anew knows
/// of none.
#[derive(Default)]
pub(super) struct OpenAttempts(Mutex<Open>);

type Open = BTreeMap<String, Vec<(String, Timestamp)>>;

impl OpenAttempts {
    pub(super) fn add(&self, client: IpAddr, state: String, ends: Timestamp, now: Timestamp) {
        let (mut all, source) = (self.all(), LoginThrottle::source_name(client));
        if all.len() >= SOURCES && !all.contains_key(&source) {
            all.retain(|_, attempts| attempts.iter().any(|(_, ends)| *ends > now));
            if all.len() >= SOURCES {
                return;
            }
        }
        let attempts = all.entry(source).or_default();
        attempts.retain(|(_, ends)| *ends > now);
        if attempts.len() < PER_SOURCE {
            attempts.push((state, ends));
        }
    }

    /// The only open attempt of a source; nothing where there are several.
    pub(super) fn only(&self, client: IpAddr, now: Timestamp) -> Option<String> {
        let mut all = self.all();
        let attempts = all.get_mut(&LoginThrottle::source_name(client))?;
        attempts.retain(|(_, ends)| *ends > now);
        match attempts.as_slice() {
            [(state, _)] => Some(state.clone()),
            _ => None,
        }
    }

    /// Takes an attempt away that was used up.
    pub(super) fn remove(&self, client: IpAddr, state: &str) {
        let (mut all, source) = (self.all(), LoginThrottle::source_name(client));
        let Some(attempts) = all.get_mut(&source) else { return };
        attempts.retain(|(known, _)| known != state);
        if attempts.is_empty() {
            all.remove(&source);
        }
    }

    /// No step leaves it half changed, so a panic elsewhere does not make it unusable.
    fn all(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_open_attempt_of_a_source_is_meant() {
        let (one, other) = ([127, 0, 0, 1].into(), [127, 0, 0, 2].into());
        let at = Timestamp::from_unix_seconds;
        let open = OpenAttempts::default();
        assert_eq!(open.only(one, at(0)), None);
        open.add(one, "a".to_owned(), at(10), at(0));
        assert_eq!(open.only(other, at(0)), None);
        assert_eq!(open.only(one, at(9)).as_deref(), Some("a"));
        assert_eq!(open.only(one, at(10)), None);
        open.add(one, "b".to_owned(), at(20), at(10));
        open.add(one, "c".to_owned(), at(30), at(10));
        assert_eq!(open.only(one, at(10)), None);
        open.remove(one, "b");
        assert_eq!(open.only(one, at(10)).as_deref(), Some("c"));
        open.remove(one, "c");
        assert_eq!(open.only(one, at(10)), None);
    }

    #[test]
    fn a_network_of_ipv6_is_one_source() {
        let open = OpenAttempts::default();
        let (ends, now) = (Timestamp::from_unix_seconds(10), Timestamp::from_unix_seconds(0));
        open.add("2001:db8::1".parse().unwrap(), "a".to_owned(), ends, now);
        assert_eq!(open.only("2001:db8::2".parse().unwrap(), now).as_deref(), Some("a"));
        assert_eq!(open.only("2001:db8:0:1::1".parse().unwrap(), now), None);
    }
}
