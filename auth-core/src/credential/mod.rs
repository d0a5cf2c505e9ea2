//! Where credentials travel, and the rule that a request carries exactly one.
//!
//! A [`CredentialReader`] knows every [`Source`] of a gate. For each request it looks at those that the route takes,
//! and tells four things apart:
//!
//! | what the request has | what comes of it |
//! |---|---|
//! | nothing, or only what the route does not take | [`Presented::Nothing`] |
//! | one credential of the right form | [`Presented::One`] |
//! | one credential that has not the form of any, or is too long | 401 `invalid_token` |
//! | a field twice, several credentials, an empty credential | 400 `invalid_request` |
//!
//! What is refused here is never found good. A gate looks at the form of a single credential only where its verifier does
//! not answer for the [bytes](crate::verify::Verifier::verify_bytes) as they came: because it remembers having found
//! exactly these good, or because its own reading is stricter than any look at their form.

mod authorization;
mod cookie;
mod mask;
mod query;
mod reader;
mod source;
mod syntax;

pub use mask::{SourceIndex, SourceMask};
pub(crate) use reader::{Candidate, Found};
pub use reader::{CredentialCount, CredentialReader, Presented, Unread};
pub use source::Source;
