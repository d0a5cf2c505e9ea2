//! A gateway in front of any upstream: what both binaries share.

pub mod body;
pub mod connection;
pub mod forward;
pub mod framing;
