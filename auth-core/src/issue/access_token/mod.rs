//! The service's own access tokens: the keys that sign them, and signing.
//!
//! A token is signed by the current key and names it in its header. Keys that were replaced sign nothing any more; they
//! go on verifying, and stay published, until every token that they signed has ended (OpenID Connect Core section
//! 10.1.1).
//!
//! - `algorithm`: how tokens are signed
//! - `key`: one key, as it is made, kept and published
//! - `pem`: private keys as text
//! - `ring`: the current key and those before it
//! - `token`: what is signed

mod algorithm;
mod key;
mod pem;
mod ring;
#[cfg(test)]
mod tests;
mod token;

pub use algorithm::SigningAlgorithm;
pub use key::{SigningError, SigningKey};
pub use ring::SigningKeys;
pub use token::{AccessTokenIssuer, MintedAccessToken, NewAccessToken, TokenType};
