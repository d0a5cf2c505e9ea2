//! The profiles that serve whole APIs, against both gateways as processes: every endpoint, every refusal, call by call.
//!
//! What is asked and what has to come of it are data: `tests/profiles/NAME.toml` tells stories, each a sequence of requests
//! of one client, and `tests/profiles/README.md` says how to write one. What cannot be told as a sequence is code.
//!
//! - `story`: the format of the files; `expand`: placeholders in texts; `pattern`: comparing, and keeping what is new
//! - `perform`: starts a gateway and tells it the stories; `forge`: access tokens and one-time codes
//! - `guides`: which story covers which demand, as a table in the README
//! - `storm`: many refreshes at once; `crash`: a process that is killed; `clients`: programs in other languages
//! - `sso`: people who are logged in at a real OpenID provider
//! - `oauth`: libraries of other people's against the OAuth endpoints

mod clients;
mod crash;
mod expand;
mod forge;
mod guides;
mod oauth;
mod pattern;
mod perform;
mod sso;
mod storm;
mod story;

pub(crate) use sso::Provider;
