//! Hashing and comparing passwords, as endpoints and command lines do it.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use aws_lc_rs::rand;

use crate::account::{LoginName, PasswordHash};
use crate::outcome::Outcome;
use crate::rejection::{Outage, Rejection};
use crate::{ConfigError, Secret};

use super::hash::{hash, verify};
use super::pool::Pool;
use super::{PasswordCost, PasswordFault, PasswordPolicy, PasswordVerdict};

/// Hashes passwords and compares them with hashes, on threads of its own.
///
/// Clones share the threads, which end with the last of them.
///
/// ```
/// use auth_core::issue::{PasswordCost, PasswordThreads, PasswordVerdict, Passwords};
/// use auth_core::{Outcome, Secret};
///
/// # let cost = PasswordCost::dangerously_weak(8, 1, 1)?;
/// # async fn log_in(passwords: Passwords) {
/// let hash = passwords.hash(Secret::from("correct horse battery staple")).resolve().await.unwrap();
/// let verdict = passwords.verify(Secret::from("Tr0ub4dor&3"), Some(hash)).resolve().await;
/// assert_eq!(verdict, Ok(PasswordVerdict::Wrong));
/// // nobody has that name: the same work, the same answer
/// let verdict = passwords.verify(Secret::from("Tr0ub4dor&3"), None).resolve().await;
/// assert_eq!(verdict, Ok(PasswordVerdict::Wrong));
/// # }
/// let passwords = Passwords::new(cost, PasswordThreads::default())?;
/// # let _ = log_in(passwords);
/// # Ok::<(), auth_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Passwords {
    pool: Arc<Pool>,
    cost: PasswordCost,
    /// What is compared with where there is no account.
    nobodys: PasswordHash,
}

/// How many passwords are hashed at once, and how many wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordThreads {
    /// How many at once. The default is half of the cores, at least one, so that a flood of logins leaves the other
    /// half to everybody else. Memory is bounded by so many times the memory of a hash.
    pub threads: NonZeroUsize,
    /// How many may wait; one more is refused. The default is 32 for each thread, about a second's worth.
    pub queue: NonZeroUsize,
}

/// Why a password could not be hashed or compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordError {
    /// Too many wait for it: come back in a moment.
    Busy,
    /// The password has more than 1,024 bytes.
    TooLong,
    /// The stored hash is none of argon2id, or asks for more than any that is made here.
    Unreadable,
    /// There was no memory for it.
    OutOfMemory,
    /// The operating system gave no random bytes.
    Random,
    /// The thread that did it ended.
    Ended,
}

impl Passwords {
    /// Starts the threads, and makes the hash that stands for accounts which do not exist.
    ///
    /// # Errors
    /// Threads that cannot be started, no random bytes, or no memory for a hash.
    pub fn new(cost: PasswordCost, threads: PasswordThreads) -> Result<Self, ConfigError> {
        Ok(Self { nobodys: nobodys(cost)?, pool: Arc::new(Pool::start(threads)?), cost })
    }

    /// The same threads and the same queue, where new hashes take something else: for services that take up another
    /// configuration while logins are under way.
    ///
    /// # Errors
    /// No random bytes, or no memory for a hash.
    pub fn with_cost(&self, cost: PasswordCost) -> Result<Self, ConfigError> {
        if cost == self.cost {
            return Ok(self.clone());
        }
        Ok(Self { nobodys: nobodys(cost)?, pool: Arc::clone(&self.pool), cost })
    }

    /// Whether both hash on the same threads, behind one queue.
    pub fn shares_threads_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.pool, &other.pool)
    }

    /// What new hashes take.
    pub const fn cost(&self) -> PasswordCost {
        self.cost
    }

    /// Compares a password with the hash of an account; without an account it does the same work and says `Wrong`.
    ///
    /// An empty one, or one of more than 1,024 bytes, is wrong like any other.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] where too many wait; the other variants where the hash or the machine is out of order.
    pub fn verify(
        &self,
        password: Secret,
        against: Option<PasswordHash>,
    ) -> Outcome<Result<PasswordVerdict, PasswordError>> {
        if password.expose().len() > super::hash::LONGEST {
            return Outcome::Done(Ok(PasswordVerdict::Wrong)); // whoever the account is
        }
        let (cost, nobodys) = (self.cost, self.nobodys.clone());
        self.pool.run(move || match against {
            Some(hash) => verify(&password, &hash, cost),
            None => verify(&password, &nobodys, cost).map(|_| PasswordVerdict::Wrong),
        })
    }

    /// Hashes a password as it is, for one that was just found right at another cost, or that an administrator sets.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] where too many wait, [`PasswordError::TooLong`] for more than 1,024 bytes.
    pub fn hash(&self, password: Secret) -> Outcome<Result<PasswordHash, PasswordError>> {
        let cost = self.cost;
        self.pool.run(move || hash(&password, cost))
    }

    /// Hashes a new password if it is good enough, or says everything that is wrong with it.
    ///
    /// `names` are what the account is logged in to by. `recent` are its hashes so far, the newest first and the current
    /// one included; as many of them are compared as the policy says, each of which takes as long as a login.
    ///
    /// # Errors
    /// As [`hash`](Self::hash).
    pub fn hash_new(
        &self,
        policy: PasswordPolicy,
        password: Secret,
        names: &[LoginName],
        recent: &[PasswordHash],
    ) -> Outcome<Result<Result<PasswordHash, Vec<PasswordFault>>, PasswordError>> {
        let mut faults = policy.check(&password, names);
        if faults.iter().any(|fault| matches!(fault, PasswordFault::TooLong { .. })) {
            return Outcome::Done(Ok(Err(faults))); // nothing that long was ever hashed
        }
        let recent: Vec<PasswordHash> = recent.iter().take(policy.recent()).cloned().collect();
        if recent.is_empty() && !faults.is_empty() {
            return Outcome::Done(Ok(Err(faults)));
        }
        let cost = self.cost;
        self.pool.run(move || {
            for earlier in &recent {
                // a hash that cannot be read is nobody's password any more
                if let Ok(PasswordVerdict::Right(_)) = verify(&password, earlier, cost) {
                    faults.push(PasswordFault::UsedBefore { last: policy.recent() });
                    break;
                }
            }
            if faults.is_empty() { hash(&password, cost).map(Ok) } else { Ok(Err(faults)) }
        })
    }
}

impl Default for PasswordThreads {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = NonZeroUsize::new(cores / 2).unwrap_or(NonZeroUsize::MIN);
        Self { threads, queue: threads.saturating_mul(NonZeroUsize::MIN.saturating_add(31)) }
    }
}

/// The hash that stands for accounts which do not exist.
fn nobodys(cost: PasswordCost) -> Result<PasswordHash, ConfigError> {
    let mut nobody = vec![0; 32];
    rand::fill(&mut nobody).map_err(|_| ConfigError::new("the operating system gives no random bytes"))?;
    hash(&Secret::new(nobody), cost).map_err(|error| ConfigError::new(format!("no password could be hashed: {error}")))
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords").field("cost", &self.cost).finish_non_exhaustive()
    }
}

impl fmt::Display for PasswordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "too many passwords wait to be hashed",
            Self::TooLong => "the password is too long: write at most 1024 bytes",
            Self::Unreadable => "the stored hash of a password cannot be read",
            Self::OutOfMemory => "there is no memory for hashing a password",
            Self::Random => "the operating system gives no random bytes",
            Self::Ended => "the thread that hashes passwords has ended",
        })
    }
}

impl std::error::Error for PasswordError {}

/// 503: with no room for it, or because of what is out of order. Nobody is let in for want of an answer.
impl From<PasswordError> for Rejection {
    fn from(error: PasswordError) -> Self {
        let outage = Outage::new(error.to_string());
        if error == PasswordError::Busy { Self::Overloaded(outage) } else { Self::Unavailable(outage) }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Wake, Waker};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::issue::password::{CharacterClass, Freshness};

    struct Unpark(thread::Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    /// Waits for an answer from another thread.
    pub(in crate::issue::password) fn resolved<T: Send + 'static>(outcome: Outcome<T>) -> T {
        let mut waiting = pin!(outcome.resolve());
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        loop {
            match waiting.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(value) => return value,
                Poll::Pending => thread::park(),
            }
        }
    }

    fn passwords(memory_kib: u32) -> Passwords {
        let cost = PasswordCost::dangerously_weak(memory_kib, 1, 1).unwrap();
        Passwords::new(cost, PasswordThreads::default()).unwrap()
    }

    #[test]
    fn s4_nobody_and_a_wrong_password_are_one_answer() {
        let passwords = passwords(8);
        let hash = resolved(passwords.hash(Secret::from("right"))).unwrap();
        let verify = |password: &str, hash: Option<&PasswordHash>| {
            resolved(passwords.verify(Secret::from(password), hash.cloned()))
        };
        assert_eq!(verify("right", Some(&hash)), Ok(PasswordVerdict::Right(Freshness::Current)));
        for (password, hash) in [("wrong", Some(&hash)), ("right", None), ("", None), ("", Some(&hash))] {
            assert_eq!(verify(password, hash), Ok(PasswordVerdict::Wrong));
        }
        let long = "x".repeat(1_025);
        assert_eq!(
            (verify(&long, None), verify(&long, Some(&hash))),
            (Ok(PasswordVerdict::Wrong), Ok(PasswordVerdict::Wrong))
        );
    }

    /// The work is the same by construction; this only notices if it is left out for one of the two.
    #[test]
    fn s4_nobody_takes_as_long_as_somebody() {
        let passwords = passwords(8_192);
        let hash = resolved(passwords.hash(Secret::from("right"))).unwrap();
        let fastest = |hash: Option<&PasswordHash>| {
            let time = |_| {
                let start = Instant::now();
                resolved(passwords.verify(Secret::from("wrong"), hash.cloned())).unwrap();
                start.elapsed()
            };
            (0..8).map(time).min().unwrap_or(Duration::ZERO)
        };
        let (somebody, nobody) = (fastest(Some(&hash)), fastest(None));
        assert!(nobody > somebody / 4 && somebody > nobody / 4, "{somebody:?} {nobody:?}");
    }

    #[test]
    fn a_new_password_is_hashed_or_everything_wrong_with_it_is_said() {
        let passwords = passwords(8);
        let names = [LoginName::fold("Ada@Example.com").unwrap()];
        let policy = PasswordPolicy::default().requiring(CharacterClass::Digit).not_the_last(2);
        let new = |password: &str, recent: &[PasswordHash]| {
            resolved(passwords.hash_new(policy, Secret::from(password), &names, recent)).unwrap()
        };
        let [first, second, third] =
            ["first pass 1", "second pass 2", "third pass 3"].map(|text| new(text, &[]).unwrap());
        let recent = [third, second, first];
        assert_eq!(new("second pass 2", &recent), Err(vec![PasswordFault::UsedBefore { last: 2 }]));
        assert!(new("first pass 1", &recent).is_ok(), "only the last two count");
        let short = resolved(passwords.hash(Secret::from("adA"))).unwrap();
        let faults = new("adA", &[short]).unwrap_err();
        assert_eq!(faults.len(), 4, "{faults:?}");
        assert!(new(&"1".repeat(2_000), &recent).unwrap_err().contains(&PasswordFault::TooLong { most: 256 }));
    }

    #[test]
    fn no_room_is_503_and_so_is_every_failure() {
        assert!(matches!(Rejection::from(PasswordError::Busy), Rejection::Overloaded(_)));
        for error in [PasswordError::Unreadable, PasswordError::OutOfMemory, PasswordError::Ended] {
            assert!(matches!(Rejection::from(error), Rejection::Unavailable(_)));
        }
    }
}
