//! placeholder

mod header_parsing;
mod path_agreement;
mod requirement_algebra;
