//! Sessions that OAuth clients hold for accounts (RFC 7523 section 2.1, RFC 6749 section 6).
//!
//! Such a session belongs to its client: no other refreshes it, nor does whoever logs in without a client. It never may
//! more than both its account and its client may, then and now, and what a refresh leaves out is left out of that access
//! token alone. Its access tokens end with the client, too.

use std::net::IpAddr;
use std::sync::Arc;

use crate::client::{ClientRecord, Grant};
use crate::clock::Now;
use crate::names::Names;

use super::bounds::KeyBounds;
use super::{AccountError, Accounts, Tokens};

impl From<&ClientRecord> for KeyBounds {
    fn from(client: &ClientRecord) -> Self {
        let (permissions, networks) = (Some(client.permissions.clone()), client.networks.clone());
        let holder = Some((Arc::clone(&client.id), client.tokens_from));
        Self { permissions, networks, ends: client.expires, client: holder }
    }
}

impl Accounts {
    /// Whether clients may bring assertions of partners.
    pub fn takes_assertions(&self) -> bool {
        self.0.assertions.is_some()
    }

    /// Whether sessions are refreshed with refresh tokens.
    pub fn has_refresh_tokens(&self) -> bool {
        self.0.refresh.is_some()
    }

    /// Tokens for a client, for the account that a partner's assertion is about. There is a refresh token among them where
    /// the client may use one.
    ///
    /// # Errors
    /// As [`log_in_with_assertion`](Self::log_in_with_assertion); [`AccountError::Scope`] where the scope is more than account
    /// and client may. Then the assertion is not used up.
    pub async fn grant_by_assertion(
        &self,
        assertion: &str,
        client: &ClientRecord,
        scope: Option<&Names>,
        source: Option<IpAddr>,
        now: Now,
    ) -> Result<Tokens, AccountError> {
        self.asserted(assertion, Some((client, scope)), source, now).await
    }

    /// New tokens for a client that shows the refresh token that it was given (T14). A scope narrows the access token alone,
    /// and never widens it (T13).
    ///
    /// # Errors
    /// As [`refresh`](Self::refresh); [`AccountError::Scope`], and then the token is not spent.
    pub async fn refresh_for(
        &self,
        token: &str,
        client: &ClientRecord,
        scope: Option<&Names>,
        source: Option<IpAddr>,
        now: Now,
    ) -> Result<Tokens, AccountError> {
        let mut bounds = KeyBounds::from(client);
        if let Some(scope) = scope
            && let Some(session) = self.session_of(token).await?
            && let Some(account) = self.0.store.by_id(&session.account).resolve().await?
        {
            let may = self.permissions(&account, &session, &bounds);
            if !scope.iter().all(|name| self.0.permissions.grants(&may, name)) {
                return Err(AccountError::Scope);
            }
            bounds.permissions = Some(scope.clone());
        }
        let (session, account, _, refresh) = self.turned_by(token, Some(&client.id), source, now).await?;
        self.tokens(account, &session, &bounds, refresh, now).await
    }
}

/// Whether a client is given refresh tokens.
pub(super) fn may_refresh(client: &ClientRecord) -> bool {
    client.grants.contains(Grant::RefreshToken)
}
