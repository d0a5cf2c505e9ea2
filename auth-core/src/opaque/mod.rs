//! Opaque tokens and sessions: random text that says nothing, and everything about it in a store.
//!
//! Unlike a signed token, an opaque one can be taken back at once and for good, and lives on with its use: besides its
//! absolute end it may have an idle limit, after which it is refused unless it was used. Unlike an API key it always has
//! an end, belongs to a session, and is replaced rather than kept.
//!
//! A store never sees a token: it keeps a keyed hash, made with the same kind of [peppers](crate::api_key::Peppers) as
//! those of API keys. Tokens are not hashed anew when the pepper changes; the old pepper can go when the longest token
//! made with it has ended.
//!
//! **Idle limits.** A use extends the token in memory at once, and in the store when the verifier's uses are next
//! [written down](crate::verify::OpaqueTokenVerifier::flush_used), every few seconds. No request waits for a write. A crash
//! loses the uses since the last batch: a token may then end by that much too early, never too late.
//!
//! - `format`: what tokens look like
//! - `record`: what a store knows about one token
//! - `held`: a record in use
//!
//! Tokens are verified by [`OpaqueTokenVerifier`](crate::verify::OpaqueTokenVerifier), kept in a
//! [`TokenStore`](crate::store::TokenStore), and minted by `issue::OpaqueTokens` (feature `issue`).

mod format;
mod held;
mod record;

pub use format::TokenFormat;
pub use held::HeldToken;
pub use record::{TokenRecord, TokenStatus};
