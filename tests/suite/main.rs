//! Cases as data and properties, run against the core and both adapters.

mod api_keys;
