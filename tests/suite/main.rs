//! Cases as data, properties and contracts, run against the core and both adapters.

mod actix_contract;
mod api_keys;
mod documents;
mod extractors;
mod header_parsing;
mod outer_layers;
mod path_agreement;
mod requirement_algebra;
mod router_order;
mod stand_in;
mod tower_contract;
mod wire;
