//! The gateway on actix-web.

#![allow(dead_code)]
mod app;
mod convert;
mod server;
mod upgrade;
mod upload;

fn main() {}
