//! What a credential was made of.

use std::sync::Arc;

use crate::clock::Timestamp;

/// One of those that a credential came of: a token that was exchanged for it, or the client that asked for the exchange.
///
/// Whatever takes one of them back takes back the credential too: the list of [revocations](crate::revocation) is asked about
/// each, with the time of its own issue. So nothing that is made of a token outlives it, however often it changes hands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// Who vouches for it.
    pub issuer: Arc<str>,
    /// Whose it is, as the gate names them: a client is `client:` and its id.
    pub subject: Arc<str>,
    /// Its own id; `None` for whoever has none, such as a client.
    pub credential_id: Option<Arc<str>>,
    /// The session that it belongs to.
    pub session: Option<Arc<str>>,
    /// When it was issued, or asked for; what does not say counts as older than everything that is taken back.
    pub issued: Option<Timestamp>,
}

impl Origin {
    /// Something of somebody; set the fields for more.
    pub fn new(issuer: impl Into<Arc<str>>, subject: impl Into<Arc<str>>) -> Self {
        Self { issuer: issuer.into(), subject: subject.into(), credential_id: None, session: None, issued: None }
    }

    /// About how many bytes it takes.
    pub(crate) fn weight(&self) -> usize {
        let texts = [&self.credential_id, &self.session].map(|text| text.as_ref().map_or(0, |text| text.len()));
        size_of::<Self>() + self.issuer.len() + self.subject.len() + texts.iter().sum::<usize>()
    }
}
