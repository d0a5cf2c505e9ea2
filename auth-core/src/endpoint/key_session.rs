//! Sessions that were opened with an API key. With keys they may do what that key may, and they end with it: otherwise
//! whoever steals a key that ends tomorrow, or that one network alone may use, could log in with it and make one without
//! an end for every network.

use std::sync::Arc;

use crate::clock::Now;
use crate::issue::KeyError;
use crate::principal::{Method, Principal};
use crate::rejection::{CredentialFault, Outage, Rejection};

use super::Parts;

impl Parts {
    /// The caller as keys know it: the key itself where the caller's session was opened with one.
    pub(super) async fn key_holder(&self, caller: &Principal, now: Now) -> Result<Principal, Rejection> {
        let (Some(accounts), Some(keys)) = (&self.accounts, &self.keys) else { return Ok(caller.clone()) };
        let Some(id) = accounts.key_of_session(caller).await? else { return Ok(caller.clone()) };
        let key = match keys.keys.find(&id).await {
            Ok(key) => key,
            Err(KeyError::Missing) => return Err(Rejection::InvalidCredential(CredentialFault::Revoked)),
            Err(error) => return Err(Rejection::Unavailable(Outage::new(format!("API keys: {error}")))),
        };
        key.check(now.wall).map_err(Rejection::InvalidCredential)?;
        let mut identity = (**caller).clone();
        identity.method = Method::ApiKey;
        identity.permissions = caller.context().permissions.meet(&caller.permissions, &key.permissions);
        identity.expires = key.end();
        identity.networks = key.allowed_networks();
        Ok(Principal::new(Arc::new(identity), Arc::clone(caller.share()), caller.presented()))
    }

    /// Ends the sessions that the caller's key opened, which was just taken back.
    pub(super) async fn end_sessions_of(&self, caller: &Principal, key: &str, now: Now) -> Result<(), Rejection> {
        let Some(accounts) = &self.accounts else { return Ok(()) };
        let ended = accounts.accounts.end_sessions_of_key(&caller.subject, key, now).await;
        ended.map_err(|error| accounts.refused(error, &self.words))
    }
}
