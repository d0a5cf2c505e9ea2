//! A gateway in front of any upstream: it authenticates, authorises, forwards.
//!
//! What both gateways share lives here: the [configuration](config), the [profiles](profile) and the command line.

pub mod cli;
pub mod config;
pub mod data_dir;
pub mod demo;
pub mod own_tokens;
pub mod problem;
pub mod profile;
pub mod start;
pub mod wiring;
