//! What the upstream is told of the caller, signed, so that whoever reaches the upstream past the gateway cannot say it.

use std::sync::Arc;

use auth_core::issue::{SigningKeys, UpstreamAssertions};
use auth_core::{Now, Outage, Principal, Rejection};
use http::{HeaderName, HeaderValue};

use crate::config::{Assertion, Assertions};

/// Signs for one upstream.
#[derive(Clone, Debug)]
pub(crate) struct Vouching {
    header: HeaderName,
    assertions: UpstreamAssertions,
}

impl Vouching {
    pub(crate) fn new(from: &Assertions, to: &Assertion, keys: &Arc<SigningKeys>) -> Self {
        let (issuer, audience) = (from.issuer.as_str(), to.audience.as_str());
        let assertions = UpstreamAssertions::new(issuer, audience, to.lifetime, Arc::clone(keys));
        Self { header: to.header.value.clone(), assertions }
    }

    /// The field to add. An upstream that is to check it never gets a request without.
    pub(crate) fn field(&self, caller: &Principal, now: Now) -> Result<(HeaderName, HeaderValue), Rejection> {
        let failed = |error: &(dyn std::error::Error + 'static)| {
            tracing::error!(error, "who the caller is cannot be signed");
            Rejection::Unavailable(Outage::new("who the caller is cannot be signed"))
        };
        let assertion = self.assertions.sign(caller, now).map_err(|error| failed(&error))?;
        let mut value = HeaderValue::from_bytes(assertion.expose()).map_err(|error| failed(&error))?;
        value.set_sensitive(true);
        Ok((self.header.clone(), value))
    }
}
