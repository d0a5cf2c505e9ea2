//! Cases as data and properties, run against the core and both adapters.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod accounts;
mod actix_contract;
mod api_keys;
mod budgets;
mod cached_verdicts;
mod corpus;
mod documents;
mod examples;
mod extractors;
mod gateway;
mod header_parsing;
mod introspection;
mod jwt_reference;
mod limits;
mod oauth;
mod opaque_tokens;
mod outer_layers;
mod path_agreement;
mod profiles;
mod readme_commands;
mod readme_session;
mod replacement;
mod requirement_algebra;
mod revocations;
mod router_order;
mod stand_in;
mod tower_contract;
mod wire;
