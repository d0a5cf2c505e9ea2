//! The corpus: cases as data, one request each, with what must come of it and why.
//!
//! The data lie in `tests/cases`; `tests/cases/README.md` says how to write a case. Every case is run against the core
//! alone, the tower adapter and the actix adapter; `tests/COVERAGE.md` is generated from what they cover.
//!
//! - `cases`: the format of the files; `expect`: what a case expects; `expand`: placeholders and escapes in its texts
//! - `tokens`, `forge`: tokens, good and bad; `keys`: API keys
//! - `stage`: the gate of a configuration, with its clock, keys and tokens
//! - `subjects`, `answer`: what is asked, in one form for all; `run`: asks
//! - `invariants`, `challenges`: what holds for every answer, whatever a case expects
//! - `parity`: both adapters answer alike; `secrets`: no secret is seen anywhere; `coverage`: the table
//! - `faults`: verifiers that fail, which no configuration can make

mod answer;
mod cases;
mod challenges;
mod coverage;
mod expand;
mod expect;
mod faults;
mod forge;
mod invariants;
mod keys;
mod opaque;
mod parity;
mod revoked;
mod run;
mod secrets;
mod stage;
mod subjects;
mod tokens;

pub(super) use cases::folder;
pub(super) use expect::compare;
