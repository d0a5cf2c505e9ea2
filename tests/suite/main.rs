//! Cases as data and by hand, run against the core and both adapters.

mod actix_contract;
mod extractors;
mod outer_layers;
mod router_order;
mod stand_in;
mod tower_contract;
mod wire;
