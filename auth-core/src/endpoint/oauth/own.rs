//! Tokens that come back: which of them are good, and whose they are.

use std::borrow::Cow;
use std::sync::Arc;

use crate::client::ClientRecord;
use crate::clock::Now;
use crate::principal::Identity;
use crate::rejection::Rejection;
use crate::verify::Verifier;

use super::OAuthEndpoints;

/// The longest token that is looked at.
const LONGEST: usize = 8 * 1024;

impl OAuthEndpoints {
    /// Who bears one of the service's own access tokens; `None` where it is not good, or was taken back.
    pub(super) async fn bearer(&self, token: &str, now: Now) -> Result<Option<Arc<Identity>>, Rejection> {
        self.verified(&*self.own, token, now).await
    }

    /// Who bears an access token of another issuer of which that client may exchange tokens.
    pub(super) async fn external_bearer(
        &self,
        token: &str,
        client: &ClientRecord,
        now: Now,
    ) -> Result<Option<Arc<Identity>>, Rejection> {
        let Some(subjects) = &self.subjects else { return Ok(None) };
        let found = self.verified(subjects.verifier(), token, now).await?;
        // nobody else speaks for this service, whoever was configured so
        let own = self.clients.issuer().issuer();
        Ok(found.filter(|identity| subjects.allow(client, identity) && identity.issuer != *own))
    }

    /// Who bears any credential of the service's own that is no access token: an API key, an opaque token.
    pub(super) async fn other_bearer(&self, token: &str, now: Now) -> Result<Option<Arc<Identity>>, Rejection> {
        for verifier in &self.others {
            if verifier.recognises(token) {
                // the first that recognises it decides alone, as everywhere
                return self.verified(&**verifier, token, now).await;
            }
        }
        Ok(None)
    }

    async fn verified(
        &self,
        verifier: &dyn Verifier,
        token: &str,
        now: Now,
    ) -> Result<Option<Arc<Identity>>, Rejection> {
        if token.len() > LONGEST || !verifier.recognises(token) {
            return Ok(None);
        }
        let found = match verifier.verify(token, now).resolve().await {
            Ok(identity) => identity,
            Err(Rejection::InvalidCredential(_)) => return Ok(None),
            Err(rejection) => return Err(rejection),
        };
        match self.revocations.as_ref().map_or(Ok(()), |list| list.check(&found, now)) {
            Ok(()) => Ok(Some(found)),
            Err(Rejection::InvalidCredential(_)) => Ok(None),
            Err(rejection) => Err(rejection),
        }
    }
}

/// A claim that is a text.
pub(super) fn claim<'i>(identity: &'i Identity, name: &str) -> Option<Cow<'i, str>> {
    identity.claims.get(name)?.as_str()
}
