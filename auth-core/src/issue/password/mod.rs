//! Passwords: which are good enough, and how they are hashed without being in anybody's way.
//!
//! A hash is argon2id (RFC 9106), which takes 19 MiB and two passes over them by default, so that guessing takes as
//! much (S3). That makes every login dear, for us as well: hashing therefore has threads of its own, as many as half of
//! the cores, and a queue of which the end can be seen. A login that finds it full is told to come back, which costs
//! nothing; memory is bounded by the number of threads whatever arrives. A thread is busy until its hash is made, however
//! soon the client hangs up, so hanging up makes no room for more.
//!
//! A name that is not known is worked at like one that is ([`Passwords::verify`] with `None`), against a hash that was
//! made at the start with the same cost (S4).
//!
//! A password is compared exactly as it was sent, byte for byte: nothing is trimmed, folded or cut off (S2).
//!
//! - `cost`: [`PasswordCost`], what a hash takes
//! - `hash`: making a hash, and comparing a password with one
//! - `pool`: the threads and their queue
//! - `service`: [`Passwords`], which endpoints and command lines work with
//! - `policy`: [`PasswordPolicy`], what a new password must be like

mod cost;
mod hash;
mod policy;
mod pool;
mod service;

pub use cost::PasswordCost;
pub use hash::{Freshness, PasswordVerdict};
pub use policy::{CharacterClass, PasswordFault, PasswordPolicy};
pub use service::{PasswordError, PasswordThreads, Passwords};
