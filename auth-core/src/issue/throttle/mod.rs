//! Bounding guesses at passwords, such that nobody can lock somebody else out.
//!
//! Three budgets count logins that fail, and an attempt needs room in each that concerns it:
//!
//! | budget | counts the failures of | asked for |
//! |---|---|---|
//! | pair | one source at one account | every attempt |
//! | source | one source, at any account | strangers |
//! | strangers | all strangers at one account | strangers |
//!
//! A source is an IPv4 address or an IPv6 /64. It is a stranger to an account until somebody logged in from there; from
//! then on it has room of its own, which nobody elsewhere can use up, and nobody beside it either by guessing at other
//! accounts. Once the strangers of an account have used up theirs, a trickle remains that they share: whoever guesses
//! from a thousand places gains no more than that, and the owner of the account still gets in from a new place, if with
//! patience.
//!
//! Success costs nothing. Until an attempt has ended it counts as one that fails, so that a thousand guesses at the same
//! moment find as little room as a thousand one after the other; those for which there may yet be room wait.
//!
//! - `quotas`: [`ThrottleQuotas`], how much room there is
//! - `asking`: [`LoginThrottle`], and asking for leave
//! - `attempt`: [`LoginAttempt`], leave to compare one password
//! - `in_flight`: attempts under way, and who waits for them

mod asking;
mod attempt;
mod in_flight;
mod quotas;
#[cfg(test)]
mod tests;

pub use asking::{Familiarity, LoginThrottle};
pub use attempt::LoginAttempt;
pub use quotas::ThrottleQuotas;
