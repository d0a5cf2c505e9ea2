//! Accounts in memory, for tests and for services whose accounts may go with the process.
//!
//! - `accounts`: accounts, their names, and the networks they are known from
//! - `sessions`: sessions and their refresh tokens

mod accounts;
mod sessions;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::account::{
    AccountChange, AccountRecord, Changed, LoginName, Refreshed, SecondFactor, SessionRecord, TenantChange,
    TenantRecord, Turn, Voucher,
};
use crate::api_key::KeyDigest;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::outcome::Outcome;

use super::{AccountScope, AccountStore, Answer, SessionKey, Spending};
use sessions::Token;

/// Keeps accounts until the process ends. Every answer is there at once.
///
/// Everything is behind one lock, and lists look at every account: nothing of it is on the path of a request that brings a
/// token. It grows with the sessions it is given: whoever owns a timer calls [`delete_ended`](AccountStore::delete_ended).
///
/// ```
/// use auth_core::account::{AccountRecord, LoginName};
/// use auth_core::store::{AccountStore, MemoryAccountStore};
/// use auth_core::{Outcome, Timestamp};
///
/// let store = MemoryAccountStore::new();
/// let mut ada = AccountRecord::new("acc_1", Timestamp::from_unix_seconds(1_700_000_000));
/// ada.user_name = Some(LoginName::fold("Ada")?);
/// assert!(matches!(store.insert(ada, None), Outcome::Done(Ok(()))));
/// let found = store.by_login(&LoginName::fold("ADA")?);
/// assert!(matches!(found, Outcome::Done(Ok(Some(account))) if &*account.id == "acc_1"));
/// # Ok::<(), auth_core::account::LoginNameError>(())
/// ```
#[derive(Default)]
pub struct MemoryAccountStore(Mutex<State>);

#[derive(Default)]
struct State {
    accounts: BTreeMap<Arc<str>, Arc<AccountRecord>>,
    /// Whose login name it is, by its folded form.
    names: HashMap<Arc<str>, Arc<str>>,
    /// When a network was last logged in from, by account.
    sources: HashMap<Arc<str>, BTreeMap<Arc<str>, Timestamp>>,
    sessions: BTreeMap<Arc<str>, SessionRecord>,
    /// Every refresh token that is or was in force.
    tokens: HashMap<KeyDigest, Token>,
    tenants: BTreeMap<Arc<str>, TenantRecord>,
}

impl MemoryAccountStore {
    /// A store without accounts.
    pub fn new() -> Self {
        Self::default()
    }

    /// No step leaves the state half changed, so a panic elsewhere does not make it unusable.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AccountStore for MemoryAccountStore {
    fn insert(&self, account: AccountRecord, tenant: Option<TenantRecord>) -> Answer<()> {
        Outcome::Done(self.state().insert(account, tenant))
    }

    fn by_id(&self, id: &str) -> Answer<Option<Arc<AccountRecord>>> {
        Outcome::Done(Ok(self.state().accounts.get(id).cloned()))
    }

    fn by_login(&self, name: &LoginName) -> Answer<Option<Arc<AccountRecord>>> {
        let state = self.state();
        let id = state.names.get(name.folded());
        Outcome::Done(Ok(id.and_then(|id| state.accounts.get(id)).cloned()))
    }

    fn list(&self, scope: &AccountScope, after: Option<&str>, limit: usize) -> Answer<Vec<AccountRecord>> {
        let state = self.state();
        let in_scope = state.accounts.values().filter(|account| scope.covers(account));
        let page = page(in_scope.map(|account| (account.created, &account.id, account)), after, limit);
        Outcome::Done(Ok(page.map(|account| AccountRecord::clone(account)).collect()))
    }

    fn change(&self, id: &str, change: AccountChange, at: Timestamp) -> Answer<Option<Changed>> {
        Outcome::Done(self.state().change(id, change, at))
    }

    fn open_session_within(&self, session: SessionRecord, most: usize) -> Answer<Vec<Arc<str>>> {
        Outcome::Done(self.state().open_session(session, most))
    }

    fn refresh(&self, key: &SessionKey, turn: Turn) -> Answer<Refreshed> {
        Outcome::Done(self.state().refresh(key, &turn))
    }

    fn session(&self, key: &SessionKey) -> Answer<Option<SessionRecord>> {
        let state = self.state();
        let found = state.find(key);
        Outcome::Done(Ok(found.map(|(session, _)| session.clone())))
    }

    fn sessions(&self, account: &str) -> Answer<Vec<SessionRecord>> {
        let state = self.state();
        let theirs = state.sessions.values().filter(|session| *session.account == *account);
        let mut theirs: Vec<_> = theirs.cloned().collect();
        // the walk was in the order of ids, which decides between sessions of the same moment
        theirs.sort_by_key(|session| session.created);
        Outcome::Done(Ok(theirs))
    }

    fn end_session(&self, key: &SessionKey, at: Timestamp) -> Answer<Option<SessionRecord>> {
        Outcome::Done(Ok(self.state().end_session(key, at)))
    }

    fn end_vouched(&self, by: &Voucher, at: Timestamp) -> Answer<()> {
        self.state().end_vouched(by, at);
        Outcome::Done(Ok(()))
    }

    fn ended_since(&self, at: Timestamp) -> Answer<Vec<SessionRecord>> {
        Outcome::Done(Ok(self.state().ended_since(at)))
    }

    fn delete_ended(&self, before: Timestamp) -> Answer<u64> {
        Outcome::Done(Ok(self.state().delete_ended(before)))
    }

    fn spend_totp_step(&self, account: &str, step: u64) -> Answer<Spending> {
        Outcome::Done(Ok(self.state().spend(account, |factor| factor.spend_step(step))))
    }

    fn spend_recovery_code(&self, account: &str, code: &[KeyDigest]) -> Answer<Spending> {
        Outcome::Done(Ok(self.state().spend(account, |factor| factor.spend_recovery_code(code))))
    }

    fn note_source(&self, account: &str, source: &str, at: Timestamp, keep: usize) -> Answer<()> {
        self.state().note_source(account, source, at, keep);
        Outcome::Done(Ok(()))
    }

    fn knows_source(&self, account: &str, source: &str, since: Timestamp) -> Answer<bool> {
        let state = self.state();
        let seen = state.sources.get(account).and_then(|known| known.get(source));
        Outcome::Done(Ok(seen.is_some_and(|seen| *seen >= since)))
    }

    fn insert_tenant(&self, tenant: TenantRecord) -> Answer<()> {
        Outcome::Done(self.state().insert_tenant(tenant))
    }

    fn tenant(&self, id: &str) -> Answer<Option<TenantRecord>> {
        Outcome::Done(Ok(self.state().tenants.get(id).cloned()))
    }

    fn tenants(&self, after: Option<&str>, limit: usize) -> Answer<Vec<TenantRecord>> {
        let state = self.state();
        let page = page(state.tenants.values().map(|tenant| (tenant.created, &tenant.id, tenant)), after, limit);
        Outcome::Done(Ok(page.cloned().collect()))
    }

    fn change_tenant(&self, id: &str, change: TenantChange) -> Answer<Option<TenantRecord>> {
        let mut state = self.state();
        let Some(tenant) = state.tenants.get_mut(id) else { return Outcome::Done(Ok(None)) };
        change.apply(tenant);
        Outcome::Done(Ok(Some(tenant.clone())))
    }
}

impl State {
    fn insert_tenant(&mut self, tenant: TenantRecord) -> Result<(), StoreError> {
        if self.tenants.contains_key(&tenant.id) {
            return Err(StoreError::Conflict);
        }
        self.tenants.insert(Arc::clone(&tenant.id), tenant);
        Ok(())
    }

    /// Changes the second factor of an account, unless that is refused.
    fn spend(&mut self, account: &str, step: impl FnOnce(&mut SecondFactor) -> Option<()>) -> Spending {
        let Some(account) = self.accounts.get_mut(account) else { return Spending::Refused };
        let spent = step(&mut Arc::make_mut(account).second_factor);
        spent.map_or(Spending::Refused, |()| Spending::Spent)
    }
}

/// Those that follow one, the oldest first and by id within a moment.
fn page<'a, T>(
    all: impl Iterator<Item = (Timestamp, &'a Arc<str>, T)>,
    after: Option<&str>,
    limit: usize,
) -> impl Iterator<Item = T> {
    let mut all: Vec<_> = all.collect();
    all.sort_by_key(|(created, id, _)| (*created, *id));
    let place = |after: &str| all.iter().position(|(_, id, _)| ***id == *after).map_or(all.len(), |place| place + 1);
    let start = after.map_or(0, place);
    all.into_iter().skip(start).take(limit).map(|(_, _, item)| item)
}

/// Prints how many accounts and sessions there are, not which.
impl fmt::Debug for MemoryAccountStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("MemoryAccountStore")
            .field("accounts", &state.accounts.len())
            .field("sessions", &state.sessions.len())
            .finish()
    }
}

#[cfg(all(test, feature = "conformance"))]
mod tests {
    use super::*;

    #[test]
    fn promises_are_kept() {
        super::super::conformance::check_accounts(|| Arc::new(MemoryAccountStore::new())).unwrap();
    }
}
