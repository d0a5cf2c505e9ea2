//! Whose tokens may be exchanged besides the service's own, and by whom.

use std::fmt;
use std::sync::Arc;

use crate::client::ClientRecord;
use crate::error::ConfigError;
use crate::principal::Identity;
use crate::verify::Verifier;
use crate::verify::jwt::{Issuer, JwtVerifier};

/// Issuers whose access tokens may be exchanged for tokens of the service, each by clients that are named (RFC 8693).
///
/// They are verified as the gate verifies them, and what they say is read by the same mapping. A token is exchanged as often as
/// it is shown, as long as it is good: what comes of it ends with it.
#[derive(Clone)]
pub struct SubjectIssuers {
    verifier: Arc<JwtVerifier>,
    clients: Vec<(Arc<str>, Vec<Arc<str>>)>,
}

impl SubjectIssuers {
    /// These issuers, each with the ids of the clients that may exchange its tokens.
    ///
    /// # Errors
    /// There is none, one is there twice, or one is put together wrongly; see [`JwtVerifier::new`].
    pub fn new(issuers: impl IntoIterator<Item = (Issuer, Vec<Arc<str>>)>) -> Result<Self, ConfigError> {
        let (issuers, clients): (Vec<Issuer>, Vec<_>) = issuers
            .into_iter()
            .map(|(issuer, clients)| {
                let name = Arc::clone(issuer.name());
                (issuer, (name, clients))
            })
            .unzip();
        Ok(Self { verifier: Arc::new(JwtVerifier::new(issuers)?), clients })
    }

    pub(super) fn verifier(&self) -> &dyn Verifier {
        &*self.verifier
    }

    /// Whether that client may exchange tokens of whoever vouches for this one.
    pub(super) fn allow(&self, client: &ClientRecord, identity: &Identity) -> bool {
        let named = self.clients.iter().find(|(issuer, _)| *issuer == identity.issuer);
        named.is_some_and(|(_, clients)| clients.contains(&client.id))
    }
}

impl fmt::Debug for SubjectIssuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubjectIssuers").field("clients", &self.clients).finish_non_exhaustive()
    }
}
