//! Making credentials. No HTTP here: endpoints and command lines call these.
//!
//! - `api_key`: [`ApiKeys`], which mints, lists, changes, rotates and revokes API keys
//! - `opaque_token`: [`OpaqueTokens`], which mints, lists and revokes opaque tokens

mod api_key;
mod mint;
mod opaque_token;

pub use api_key::{ApiKeys, KeyError, MintedKey, NewKey};
pub use opaque_token::{MintedToken, NewToken, OpaqueTokens, TokenError};
