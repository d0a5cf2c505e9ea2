//! TLS on both sides.
//!
//! - `certificate`: the gateway's own, and taking up a new one without dropping connections
//! - `client`: which upstreams are believed

mod certificate;
pub(crate) mod client;

pub use certificate::Tls;
