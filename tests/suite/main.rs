//! Cases as data and properties, run against the core and both adapters.

mod answer;
mod api_keys;
mod cases;
mod challenges;
mod corpus;
mod coverage;
mod expand;
mod expect;
mod forge;
mod header_parsing;
mod invariants;
mod keys;
mod parity;
mod path_agreement;
mod requirement_algebra;
mod secrets;
mod stage;
mod subjects;
mod tokens;
