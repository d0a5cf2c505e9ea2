//! A gateway in front of any upstream: it authenticates, authorises, forwards.
//!
//! What both gateways share lives here: the [configuration](config), the [profiles](profile) and the command line.

pub mod config;
pub mod problem;
pub mod profile;
