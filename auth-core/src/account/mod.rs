//! Accounts: who may log in, in which tenant, and which sessions came of it.
//!
//! Plain data, and the arithmetic that every store shares. An [`AccountStore`](crate::store::AccountStore) keeps it; the
//! logic of logging in, registering and refreshing is in [`issue`](crate::issue).
//!
//! **Names.** An account is logged in to by an e-mail address, a user name, or either. Both are [`LoginName`]s: spellings
//! that differ in case, width or composition are one name, so that they lead to one account and one counter of failures.
//!
//! **Generation.** Each account has a number that moves when everything that was granted before has to end: with a new
//! password, when it is disabled, or on demand. A session carries the number of its login. Comparing the two is what makes
//! a login that overtakes a change of password come to nothing, where sweeping up sessions alone would miss it.
//!
//! **Secrets.** A store sees a password's [hash](PasswordHash), a second factor's [encrypted secret](SealedSecret), and
//! keyed digests of refresh tokens and recovery codes; never one of them in clear. `Debug` prints none of it.
//!
//! - `record`: [`AccountRecord`], what is known about one account
//! - `login_name`: [`LoginName`], and when two spellings are one name
//! - `password_hash`: [`PasswordHash`]
//! - `second_factor`: [`SecondFactor`] and the [`SealedSecret`] in it
//! - `session`: [`SessionRecord`], and when it ends
//! - `turn`: what presenting a refresh token comes to
//! - `tenant`: [`TenantRecord`] and what can be changed about it
//! - `change`: [`AccountChange`], what can be changed about an account

mod change;
mod link;
mod login_name;
mod password_hash;
mod record;
mod second_factor;
mod session;
mod tenant;
mod turn;

pub use change::{AccountChange, Changed};
pub use link::AccountLink;
pub use login_name::{LoginName, LoginNameError};
pub use password_hash::PasswordHash;
pub use record::{AccountRecord, AccountStatus};
pub use second_factor::{SealedSecret, SecondFactor};
pub use session::{RefreshToken, SessionRecord, SessionStatus, Voucher};
pub use tenant::{TenantChange, TenantRecord, TenantStatus};
pub(crate) use turn::{Found, Standing, Written, is_usable};
pub use turn::{Refreshed, Turn};
