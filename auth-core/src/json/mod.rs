//! JSON read strictly: one spelling of the truth, whoever reads the text after us.
//!
//! Token headers and claims are read by more than one parser: by us, by the application, perhaps by an upstream. RFC
//! 7519 section 4 lets a parser refuse duplicate members or take the last one, so two parsers may honestly disagree on
//! what a token says. The `scan` here refuses whatever could be read in two ways (duplicate names on every level,
//! compared after unescaping; bytes after the end; byte-order marks; text that is not UTF-8) and accepts only what
//! `serde_json` accepts as well.
//!
//! - `scan`: the scanner; `string`: its strings; `plain`: the search for their ends.
//! - `object`: the members of the object that it leaves behind; `name`: how they are told apart.
//! - `value`: views on single values of a text that has been scanned.

mod name;
mod object;
mod plain;
mod scan;
mod string;
#[cfg(test)]
mod tests;
mod value;

pub(crate) use name::{Fingerprint, Name};
pub(crate) use object::{Members, Object};
pub(crate) use scan::{Fault, Repeats, check};
pub(crate) use value::Value;
