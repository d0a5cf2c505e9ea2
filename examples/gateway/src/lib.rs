//! A gateway in front of any upstream: it authenticates, authorises, forwards.
//!
//! What both gateways share lives here: the [command line](cli), the [configuration](config), the
//! [profiles](profile), and everything between a connection and an upstream: [`framing`] judges what arrives,
//! [`gateway`] is the way of a request, [`forward`] makes the upstream's request of it. [`serve`] is the axum gateway's
//! server, and [`reload`] replaces all of it while it serves.

pub mod body;
pub mod cli;
pub mod config;
pub mod connection;
pub mod cross_origin;
pub mod data_dir;
pub mod demo;
mod endpoints;
mod fetch;
pub mod forward;
mod forward_auth;
pub mod framing;
mod gate_view;
pub mod gateway;
pub mod health;
mod host;
pub mod key_file;
mod log;
pub mod messages;
pub mod own_tokens;
pub mod passage;
pub mod problem;
pub mod profile;
mod published;
pub mod reload;
mod rounds;
pub mod serve;
pub mod shutdown;
pub mod start;
pub mod tls;
pub mod tunnel;
pub mod wiring;
