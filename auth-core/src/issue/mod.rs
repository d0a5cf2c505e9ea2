//! Making credentials. No HTTP here: endpoints and command lines call these.
//!
//! - `api_key`: [`ApiKeys`], which mints, lists, changes, rotates and revokes API keys

mod api_key;
mod mint;

pub use api_key::{ApiKeys, KeyError, MintedKey, NewKey};
