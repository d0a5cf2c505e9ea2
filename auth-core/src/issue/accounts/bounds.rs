//! What a session may do, and from where: as its account, its tenant and the key that it was opened with allow now.

use std::net::IpAddr;
use std::sync::Arc;

use crate::account::{AccountRecord, SessionRecord, TenantRecord};
use crate::api_key::ApiKeyRecord;
use crate::clock::Timestamp;
use crate::names::Names;
use crate::network::NetworkSet;
use crate::principal::Identity;
use crate::rejection::CredentialFault;
use crate::store::SessionKey;

use super::{AccountError, Accounts};

/// What the key allows that a session was opened with, or the client that holds it; everything where there is neither.
#[derive(Default)]
pub(super) struct KeyBounds {
    /// The client that holds the session, and from when on its tokens are good.
    pub(super) client: Option<(Arc<str>, Option<Timestamp>)>,
    pub(super) permissions: Option<Names>,
    pub(super) networks: Option<Arc<NetworkSet>>,
    pub(super) ends: Option<Timestamp>,
}

impl From<&ApiKeyRecord> for KeyBounds {
    fn from(key: &ApiKeyRecord) -> Self {
        let (permissions, networks) = (Some(key.permissions.clone()), key.allowed_networks());
        Self { permissions, networks, ends: key.end(), client: None }
    }
}

impl From<&Identity> for KeyBounds {
    fn from(key: &Identity) -> Self {
        let (permissions, networks) = (Some(key.permissions.clone()), key.networks.clone());
        Self { permissions, networks, ends: key.expires, client: None }
    }
}

/// The networks that an account, its tenant and a key allow together.
pub(super) fn networks(
    account: &AccountRecord,
    tenant: Option<&TenantRecord>,
    key: &KeyBounds,
) -> Option<Arc<NetworkSet>> {
    let tenant = tenant.and_then(|tenant| tenant.networks.as_ref());
    let common = NetworkSet::meet(account.networks.as_ref(), tenant);
    NetworkSet::meet(common.as_ref(), key.networks.as_ref())
}

/// An address that nobody knows is in no list.
pub(super) fn may_come_from(networks: Option<&Arc<NetworkSet>>, client: Option<IpAddr>) -> Result<(), AccountError> {
    let is_in = |set: &Arc<NetworkSet>| client.is_some_and(|client| set.contains(client));
    if networks.is_none_or(is_in) { Ok(()) } else { Err(AccountError::Network) }
}

impl Accounts {
    /// Asks the allow-lists of a session before anything becomes of it: a token that is presented from elsewhere is not
    /// spent, so that nobody ends the session from there.
    pub(super) async fn check_source(
        &self,
        key: &SessionKey,
        owner: Option<&str>,
        client: Option<IpAddr>,
    ) -> Result<(), AccountError> {
        let Some(session) = self.0.store.session(key).resolve().await? else { return Ok(()) };
        // a session never changes hands, so that this holds for whatever is done with it next
        if session.client.as_deref() != owner {
            return Err(AccountError::Token(CredentialFault::Unknown));
        }
        let Some(account) = self.0.store.by_id(&session.account).resolve().await? else { return Ok(()) };
        let tenant = self.tenant_of(&account).await?;
        let key = self.key_of(&session).await?;
        let key = key.as_ref().map(KeyBounds::from).unwrap_or_default();
        may_come_from(networks(&account, tenant.as_ref(), &key).as_ref(), client)
    }

    /// The key that a session was opened with, as it is now; `None` also where it is gone.
    pub(super) async fn key_of(&self, session: &SessionRecord) -> Result<Option<ApiKeyRecord>, AccountError> {
        let (Some(id), Some(keys)) = (&session.key, &self.0.keys) else { return Ok(None) };
        match keys.find(id).await {
            Ok(key) => Ok(Some(key)),
            Err(crate::issue::KeyError::Store(error)) => Err(error.into()),
            Err(_) => Ok(None),
        }
    }

    /// What a session may do: what its account may, and no more than its key could do then and can now.
    pub(super) fn permissions(&self, account: &AccountRecord, session: &SessionRecord, key: &KeyBounds) -> Names {
        let permissions = self.permissions_of(account);
        let Some(narrowed) = &session.permissions else { return permissions };
        let model = &self.0.permissions;
        let common = model.meet(narrowed, &permissions);
        key.permissions.as_ref().map_or_else(|| common.clone(), |now| model.meet(&common, now))
    }
}
