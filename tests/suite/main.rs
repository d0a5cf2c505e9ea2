//! Cases as data and properties, run against the core and both adapters.

mod api_keys;
mod corpus;
mod documents;
mod examples;
mod gateway;
mod header_parsing;
mod jwt_reference;
mod path_agreement;
mod readme_session;
mod requirement_algebra;
