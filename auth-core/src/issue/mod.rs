//! Making credentials. No HTTP here: endpoints and command lines call these.
//!
//! - `access_token`: [`AccessTokenIssuer`], which signs the service's own access tokens, and its [`SigningKeys`]
//! - `api_key`: [`ApiKeys`], which mints, lists, changes, rotates and revokes API keys
//! - `opaque_token`: [`OpaqueTokens`], which mints, lists and revokes opaque tokens

mod access_token;
mod api_key;
mod mint;
mod opaque_token;

pub use access_token::{
    AccessTokenIssuer, MintedAccessToken, NewAccessToken, SigningAlgorithm, SigningError, SigningKey, SigningKeys,
    TokenType,
};
pub use api_key::{ApiKeys, KeyError, MintedKey, NewKey};
pub use opaque_token::{MintedToken, NewToken, OpaqueTokens, TokenError};
