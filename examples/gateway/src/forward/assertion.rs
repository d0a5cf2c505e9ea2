//! What the upstream is told of the caller, signed, so that whoever reaches the upstream past the gateway cannot say it.

use std::fmt;
use std::sync::Arc;

use auth_core::issue::{SigningError, SigningKeys, UpstreamAssertions};
use auth_core::{Identity, Now, Outage, Principal, Rejection, Secret};
use http::{HeaderName, HeaderValue};

use crate::config::{Assertion, Assertions};

/// Says who the caller is, in a way that one upstream can check.
pub(crate) trait Sign: fmt::Debug + Send + Sync {
    fn sign(&self, caller: &Identity, now: Now) -> Result<Secret, SigningError>;
}

impl Sign for UpstreamAssertions {
    fn sign(&self, caller: &Identity, now: Now) -> Result<Secret, SigningError> {
        Self::sign(self, caller, now)
    }
}

/// Signs for one upstream.
#[derive(Clone, Debug)]
pub(crate) struct Vouching {
    header: HeaderName,
    signer: Arc<dyn Sign>,
}

impl Vouching {
    pub(crate) fn new(from: &Assertions, to: &Assertion, keys: &Arc<SigningKeys>) -> Self {
        let (issuer, audience) = (from.issuer.as_str(), to.audience.as_str());
        let assertions = UpstreamAssertions::new(issuer, audience, to.lifetime, Arc::clone(keys));
        Self::by(to.header.value.clone(), Arc::new(assertions))
    }

    /// What this signer says, in that field.
    pub(crate) fn by(header: HeaderName, signer: Arc<dyn Sign>) -> Self {
        Self { header, signer }
    }

    /// The field to add. An upstream that is to check it never gets a request without.
    pub(crate) fn field(&self, caller: &Principal, now: Now) -> Result<(HeaderName, HeaderValue), Rejection> {
        let failed = |error: &(dyn std::error::Error + 'static)| {
            tracing::error!(error, "who the caller is cannot be signed");
            Rejection::Unavailable(Outage::new("who the caller is cannot be signed"))
        };
        let assertion = self.signer.sign(caller, now).map_err(|error| failed(&error))?;
        let mut value = HeaderValue::from_bytes(assertion.expose()).map_err(|error| failed(&error))?;
        value.set_sensitive(true);
        Ok((self.header.clone(), value))
    }
}
