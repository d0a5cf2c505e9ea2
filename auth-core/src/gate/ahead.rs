//! What is fetched from memory while the gate looks for the route.
//!
//! Among many remembered credentials, a decision mostly waits for memory. Where a signed token or a key is remembered
//! follows from its ending, so that the wait can begin as soon as the request is there. Where nothing would be gained, a
//! gate does nothing here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::credential::{CredentialReader, Source, SourceMask};
use crate::request::{Field, RequestHead};
use crate::verify::Verifier;

/// The header fields that credentials come in, each with a verifier that is to be told of it. Where schemes share a field,
/// each verifier is told of all of them: what is fetched in vain costs less than telling them apart.
#[derive(Default)]
pub(super) struct Ahead(Vec<(Box<str>, Arc<dyn Verifier>)>);

impl Ahead {
    /// Of the first verifier of each source; the others are not asked what they remember.
    pub(super) fn new(reader: &CredentialReader, verifiers: &[Vec<Arc<dyn Verifier>>]) -> Self {
        let told = reader.sources(SourceMask::ALL).filter_map(|(index, source)| {
            let first = verifiers.get(index.as_usize())?.first().filter(|verifier| verifier.fetches_ahead())?;
            Some((field_of(source)?.into(), Arc::clone(first)))
        });
        Self(told.collect())
    }

    /// Tells the verifiers of what the request holds. One that panics here is asked in the usual way later.
    #[inline]
    pub(super) fn fetch(&self, head: &RequestHead<'_>) {
        for (field, verifier) in &self.0 {
            if let Field::Once(value) = head.field(field) {
                let _ = catch_unwind(AssertUnwindSafe(|| verifier.fetch_ahead(value)));
            }
        }
    }
}

/// The name of the field; in cookies and queries a credential would have to be looked for first.
fn field_of(source: &Source) -> Option<&str> {
    match source {
        Source::Authorization { .. } => Some("authorization"),
        Source::Header { name } => Some(name),
        Source::Cookie { .. } | Source::Query { .. } => None,
    }
}
