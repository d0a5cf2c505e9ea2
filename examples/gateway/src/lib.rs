//! A gateway in front of any upstream: it authenticates, authorises, forwards.
//!
//! What both gateways share lives here: the [configuration](config), the [profiles](profile), and everything between a
//! connection and an upstream.

pub mod body;
pub mod config;
pub mod connection;
pub mod forward;
pub mod framing;
pub mod problem;
pub mod profile;
