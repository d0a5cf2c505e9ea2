//! A gateway in front of any upstream: it authenticates, authorises, forwards.
//!
//! What both gateways share lives here: the [configuration](config), the [profiles](profile), and everything between a
//! connection and an upstream.

pub mod body;
pub mod config;
pub mod connection;
pub mod cross_origin;
pub mod forward;
pub mod framing;
pub mod gate_view;
pub mod gateway;
pub mod health;
pub mod listen;
pub mod problem;
pub mod profile;
pub mod serve;
pub mod tls;
pub mod tunnel;
