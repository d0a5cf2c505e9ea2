//! Accounts, their names, and the networks they are known from.

use std::sync::Arc;

use crate::account::{AccountChange, AccountRecord, Changed, SessionStatus, TenantRecord, TenantStatus};
use crate::clock::Timestamp;
use crate::error::StoreError;

use super::State;

impl State {
    pub(super) fn insert(&mut self, account: AccountRecord, tenant: Option<TenantRecord>) -> Result<(), StoreError> {
        if self.accounts.contains_key(&account.id) || self.is_taken(&account) {
            return Err(StoreError::Conflict);
        }
        if let Some(tenant) = tenant {
            self.insert_tenant(tenant)?;
        }
        self.put(account);
        Ok(())
    }

    pub(super) fn change(
        &mut self,
        id: &str,
        change: AccountChange,
        at: Timestamp,
    ) -> Result<Option<Changed>, StoreError> {
        let Some(before) = self.accounts.get(id).cloned() else { return Ok(None) };
        let mut account = AccountRecord::clone(&before);
        change.apply(&mut account, at)?;
        if self.is_taken(&account) {
            return Err(StoreError::Conflict);
        }
        for name in before.login_names() {
            self.names.remove(name.folded());
        }
        self.put(account.clone());
        let ended = if account.generation == before.generation { Vec::new() } else { self.end_sessions_of(id, at) };
        Ok(Some(Changed { account, ended }))
    }

    /// Whether one of its names is another account's.
    fn is_taken(&self, account: &AccountRecord) -> bool {
        account.login_names().any(|name| self.names.get(name.folded()).is_some_and(|owner| *owner != account.id))
    }

    fn put(&mut self, account: AccountRecord) {
        for name in account.login_names() {
            self.names.insert(Arc::clone(name.folded()), Arc::clone(&account.id));
        }
        self.accounts.insert(Arc::clone(&account.id), Arc::new(account));
    }

    fn end_sessions_of(&mut self, account: &str, at: Timestamp) -> Vec<Arc<str>> {
        let open = |status| status == SessionStatus::Open;
        let theirs = self.sessions.values_mut().filter(|session| *session.account == *account && open(session.status));
        theirs
            .map(|session| {
                session.status = SessionStatus::Ended(at);
                Arc::clone(&session.id)
            })
            .collect()
    }

    pub(super) fn tenant_status(&self, account: &AccountRecord) -> Option<TenantStatus> {
        let tenant = account.tenant.as_ref().and_then(|id| self.tenants.get(id));
        tenant.map(|tenant| tenant.status)
    }

    pub(super) fn note_source(&mut self, account: &str, source: &str, at: Timestamp, keep: usize) {
        let Some((id, _)) = self.accounts.get_key_value(account) else { return };
        let known = self.sources.entry(Arc::clone(id)).or_default();
        known.entry(source.into()).and_modify(|seen| *seen = at.max(*seen)).or_insert(at);
        while known.len() > keep {
            // among several of the same moment, as the file does: the last by name goes first
            let oldest = known.iter().rev().min_by_key(|(_, seen)| **seen).map(|(source, _)| Arc::clone(source));
            oldest.and_then(|oldest| known.remove(&oldest));
        }
    }
}
