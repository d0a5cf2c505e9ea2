//! From a configuration to the parts that decide.
//!
//! Whatever the libraries find wrong becomes a problem with the place in the file that it comes from.

mod api_keys;
mod issuers;
mod routes;
