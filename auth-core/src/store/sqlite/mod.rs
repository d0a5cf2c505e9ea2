//! Keys, tokens, accounts and revocations in one SQLite file, or in several, shared by every process of the machine that opens
//! them.
//!
//! - `keys`: [`SqliteKeyStore`]; `rows`: its records as rows
//! - `tokens`: [`SqliteTokenStore`]; `token_rows`: its records as rows
//! - `accounts`: `SqliteAccountStore` (feature `issue`); `account_rows`, `session_rows`, `tenant_rows`: its records as rows
//! - `trusts`: partners; `once`: what was used once (feature `issue`)
//! - `revocations`: [`SqliteRevocations`]
//! - `usage`: how much credentials are used (feature `issue`)
//! - `opening`: a connection to a file that is ours
//! - `handle`: the way to the thread that owns the connection; `worker`: that thread
//! - `shelf`: records that verification looks up, from memory or from the file
//! - `follow`: how memory follows the file
//! - `copy`: the records held in memory, and for how long they may be believed
//! - `migrations`: how the tables come to be and change
//! - `fault`: what SQLite complains about, as what a store may answer

#[cfg(feature = "issue")]
mod account_rows;
#[cfg(feature = "issue")]
mod accounts;
mod copy;
mod fault;
mod follow;
mod handle;
mod keys;
mod migrations;
#[cfg(feature = "issue")]
mod once;
mod opening;
mod revocations;
mod rows;
#[cfg(feature = "issue")]
mod session_rows;
mod shelf;
#[cfg(feature = "issue")]
mod tenant_rows;
mod token_rows;
mod tokens;
#[cfg(feature = "issue")]
mod trusts;
#[cfg(feature = "issue")]
mod usage;
mod worker;

#[cfg(feature = "issue")]
pub use accounts::SqliteAccountStore;
pub use keys::SqliteKeyStore;
#[cfg(feature = "issue")]
pub use once::SqliteOnceStore;
pub use revocations::SqliteRevocations;
pub use tokens::SqliteTokenStore;
#[cfg(feature = "issue")]
pub use trusts::SqliteTrustStore;
#[cfg(feature = "issue")]
pub use usage::SqliteUsageStore;
