//! Cases as data and properties, run against the core and both adapters.

mod api_keys;
mod documents;
mod gateway;
mod header_parsing;
#[cfg(test)]
mod jwt_reference;
mod path_agreement;
mod requirement_algebra;
