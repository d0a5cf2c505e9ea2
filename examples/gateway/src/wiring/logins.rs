//! What is under way with logins, whatever configuration they began under.

use std::fmt;
use std::sync::{Arc, OnceLock};

use auth_core::ConfigError;
use auth_core::issue::{LoginThrottle, PasswordCost, PasswordThreads, Passwords};

/// What is under way with logins: it goes on when another configuration is taken up, so that neither the bound of what is hashed
/// at once nor that of guesses at once is doubled for a while.
#[derive(Clone, Default)]
pub struct Logins(Arc<UnderWay>);

#[derive(Default)]
struct UnderWay {
    passwords: OnceLock<Passwords>,
    throttle: OnceLock<LoginThrottle>,
}

impl Logins {
    /// What hashes passwords: on the threads that there are already, where there are.
    pub(super) fn passwords(&self, cost: PasswordCost) -> Result<Passwords, ConfigError> {
        if let Some(running) = self.0.passwords.get() {
            return running.with_cost(cost);
        }
        let started = Passwords::new(cost, PasswordThreads::default())?;
        self.0.passwords.get_or_init(|| started).with_cost(cost)
    }

    /// What bounds guesses, together with those that are under way.
    pub(super) fn throttled(&self, throttle: LoginThrottle) -> LoginThrottle {
        let first = self.0.throttle.get_or_init(|| throttle.clone());
        throttle.continuing(first)
    }
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logins").field("begun", &self.0.passwords.get().is_some()).finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use super::*;

    #[test]
    fn another_configuration_hashes_on_the_same_threads() {
        let logins = Logins::default();
        let cost = |passes| PasswordCost::dangerously_weak(8, passes, 1).unwrap();
        let first = logins.passwords(cost(1)).unwrap();
        let next = logins.clone().passwords(cost(2)).unwrap();
        assert!(next.shares_threads_with(&first));
        assert_eq!((first.cost(), next.cost()), (cost(1), cost(2)));
        assert!(!Logins::default().passwords(cost(1)).unwrap().shares_threads_with(&first));
    }
}
