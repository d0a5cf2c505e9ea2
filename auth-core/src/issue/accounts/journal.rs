//! One structured event for everything that happens to an account, a tenant or a key (S15).
//!
//! The target is `auth::account`. Nothing secret is ever part of an event, nor is the name that somebody typed: it may be a
//! password in the wrong field. Who is meant is told by the account's id, where the account exists.

use std::net::IpAddr;

/// What happened; every field but the first may be unknown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Event<'e> {
    /// What happened, such as `login` or `login_failed`.
    pub(crate) what: &'static str,
    /// Why it came to nothing.
    pub(crate) cause: Option<&'static str>,
    pub(crate) account: Option<&'e str>,
    pub(crate) session: Option<&'e str>,
    pub(crate) tenant: Option<&'e str>,
    pub(crate) key: Option<&'e str>,
    pub(crate) client_id: Option<&'e str>,
    /// The administrator who did it.
    pub(crate) by: Option<&'e str>,
    /// The address that it came from.
    pub(crate) client: Option<IpAddr>,
}

impl<'e> Event<'e> {
    pub(crate) fn of(what: &'static str) -> Self {
        Self { what, ..Self::default() }
    }

    pub(crate) fn account(self, account: &'e str) -> Self {
        Self { account: Some(account), ..self }
    }

    pub(crate) fn session(self, session: &'e str) -> Self {
        Self { session: Some(session), ..self }
    }

    pub(crate) fn client(self, client: Option<IpAddr>) -> Self {
        Self { client, ..self }
    }

    pub(crate) fn cause(self, cause: &'static str) -> Self {
        Self { cause: Some(cause), ..self }
    }

    /// Tells it: what came to nothing as a warning.
    pub(crate) fn tell(self) {
        let Self { what, cause, account, session, tenant, key, client_id, by, client } = self;
        let client = client.map(tracing::field::display);
        if cause.is_some() {
            tracing::warn!(target: "auth::account", what, cause, account, session, tenant, key, client_id, by, client);
        } else {
            tracing::info!(target: "auth::account", what, account, session, tenant, key, client_id, by, client);
        }
    }
}
