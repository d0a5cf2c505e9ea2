//! What is fetched from memory while the gate looks for the route.
//!
//! Among many remembered credentials, a decision mostly waits for memory. Where a credential is remembered follows from
//! its ending, so that the wait can begin as soon as the request is there. A table that fits into the processor's caches
//! has nothing to gain, and its gate does nothing here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::credential::Source;
use crate::request::{Field, RequestHead};
use crate::verify::Verifier;

/// The header fields that credentials come in, each with a verifier that is to be told of it.
#[derive(Default)]
pub(super) struct Ahead(Vec<(Box<str>, Arc<dyn Verifier>)>);

impl Ahead {
    /// Of the first verifier of each source; the others are hardly ever asked what they remember.
    pub(super) fn new(sources: &[Source], verifiers: &[Vec<Arc<dyn Verifier>>]) -> Self {
        let first = sources.iter().zip(verifiers).filter_map(|(source, verifiers)| Some((source, verifiers.first()?)));
        let told = first.filter(|(_, verifier)| verifier.fetches_ahead());
        let fields = told.filter_map(|(source, verifier)| Some((field_of(source)?.into(), Arc::clone(verifier))));
        Self(fields.collect())
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
