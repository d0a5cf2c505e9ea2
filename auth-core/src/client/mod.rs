//! OAuth clients: programs that ask for tokens in their own name, or trade the tokens of others.
//!
//! A client is known by its id and proves itself by a secret, of which a keyed hash is kept, or by a signature with a key
//! whose public half is kept. It may use the grants that it was registered for, with the permissions that it has; nobody
//! gets more by way of it.
//!
//! **Rotation.** A client has up to two secrets. A new one becomes the current one, and the one before it works on until the
//! overlap has passed; a third is not made before that, unless the others are to end at once.
//!
//! - `record`: what is kept of a client
//! - `secret`: what is kept of its secret
//! - `grant`: what it may ask tokens for
//! - `change`: what can be changed about it
//!
//! Clients are kept in a [`ClientStore`](crate::store::ClientStore) and used by [`Clients`](crate::issue::Clients).

mod change;
mod grant;
mod record;
mod secret;

pub use change::ClientChange;
pub use grant::{Grant, Grants};
pub use record::{ClientRecord, ClientStatus};
pub use secret::ClientSecret;
