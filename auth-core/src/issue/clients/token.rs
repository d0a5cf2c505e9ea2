//! The tokens that clients get.

use std::sync::Arc;
use std::time::Duration;

use crate::client::{ClientChange, ClientRecord, Grant};
use crate::clock::Now;
use crate::issue::journal::Event;
use crate::issue::{MintedAccessToken, NewAccessToken};
use crate::names::Names;

use super::{ClientError, Clients};

/// How old the time of the last use may get before it is written again: a token must not cost a write each.
const USE_INTERVAL: Duration = Duration::from_mins(1);

impl Clients {
    /// A token in a client's own name, after it was [authenticated](Self::authenticate). There is no refresh token with it:
    /// the client has its secret (RFC 6749 section 4.4.3).
    ///
    /// Without a scope it gets everything that the client may do; without an audience it is for this service.
    ///
    /// # Errors
    /// [`ClientError::Grant`] and [`ClientError::Scope`]; [`ClientError::Random`].
    pub async fn grant_own(
        &self,
        client: &ClientRecord,
        scope: Option<&str>,
        audience: Option<Arc<str>>,
        now: Now,
    ) -> Result<MintedAccessToken, ClientError> {
        may(client, Grant::ClientCredentials)?;
        let permissions = match scope {
            Some(scope) => self.narrowed(scope, &client.permissions)?,
            None => client.permissions.clone(),
        };
        let wanted = NewAccessToken { audience, ..wanted(client, permissions) };
        let minted = self.0.issuer.mint(&wanted, now).map_err(|_| ClientError::Random)?;
        self.note_use(client, now).await;
        Event { client_id: Some(&client.id), tenant: client.tenant.as_deref(), ..Event::of("client_token") }.tell();
        Ok(minted)
    }

    /// Whether a client has a permission, by name or by what brings it along.
    pub fn grants_permission(&self, client: &ClientRecord, permission: &str) -> bool {
        self.0.permissions.grants(&client.permissions, permission)
    }

    /// The names of a scope, each of which has to be among what is held or to come along with it.
    ///
    /// # Errors
    /// [`ClientError::Scope`].
    pub fn narrowed(&self, scope: &str, held: &Names) -> Result<Names, ClientError> {
        let names: Vec<&str> = scope.split(' ').collect();
        let is_good = |name: &&str| is_scope_token(name) && self.0.permissions.grants(held, name);
        if !names.iter().all(is_good) {
            return Err(ClientError::Scope);
        }
        Ok(names.into_iter().collect())
    }

    pub(super) async fn note_use(&self, client: &ClientRecord, now: Now) {
        if client.last_used.is_some_and(|last| last.saturating_add(USE_INTERVAL) > now.wall) {
            return;
        }
        // the token is good whether this is written down or not
        if let Err(error) = self.0.store.change(&client.id, ClientChange::Used(now.wall)).resolve().await {
            tracing::warn!(target: "auth::account", %error, "the use of a client could not be written down");
        }
    }
}

/// That a client was registered for a grant (T12).
pub(super) fn may(client: &ClientRecord, grant: Grant) -> Result<(), ClientError> {
    if client.grants.contains(grant) { Ok(()) } else { Err(ClientError::Grant) }
}

/// What a token in a client's own name says.
fn wanted(client: &ClientRecord, permissions: Names) -> NewAccessToken {
    let mut wanted = NewAccessToken::new(client.id.clone(), client.id.clone());
    wanted.tenant.clone_from(&client.tenant);
    wanted.plan.clone_from(&client.plan);
    wanted.scope = Some(permissions.clone());
    wanted.permissions = permissions;
    wanted.networks.clone_from(&client.networks);
    wanted.ends = client.expires;
    wanted.later_than = client.tokens_from;
    wanted
}

/// The characters of RFC 6749 section 3.3.
fn is_scope_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
}
