//! The two gateways as processes, over real sockets: every case runs against both binaries.
//!
//! The tests play client and upstream themselves, byte by byte where bytes matter, and wait for events — a line printed,
//! bytes that arrive, a connection that ends — never for time to pass.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail like tests")]

mod administration;
mod assertions;
mod client;
mod cross_origin;
mod encrypted;
mod faults;
mod forward_auth;
mod forwarding;
mod guessing;
mod http2;
mod lifecycle;
mod messages;
mod parity;
mod process;
mod reload;
mod smuggling;
mod streaming;
mod taken_back;
mod tokens;
mod upgrades;
mod upstream;
mod userinfo;

pub(super) use client::{Answer, Connection};
pub(super) use process::{
    BINARIES, Gateway, PATIENCE, command, on_both, plain_command, profile_command, profile_tool, soon, tool,
};
pub(super) use tokens::token;
pub(super) use upstream::Upstream;
