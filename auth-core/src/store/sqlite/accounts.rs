//! Accounts, sessions and tenants in a file.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use crate::account::{
    AccountChange, AccountRecord, Changed, LoginName, Refreshed, SecondFactor, SessionRecord, TenantChange,
    TenantRecord, Turn, Voucher,
};
use crate::api_key::KeyDigest;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::store::{AccountScope, AccountStore, Answer, SessionKey, Spending};

use super::fault::Fault;
use super::handle::Handle;
use super::{account_rows, session_rows, tenant_rows};

/// Keeps accounts in an SQLite file, which may be the one that keys, tokens and revocations are kept in.
///
/// **Durability.** What was answered is on the disk: the write-ahead log is synchronised before the answer. After a crash
/// each step is there whole or not at all.
///
/// **Several processes.** Nothing is kept in memory, so what another process changed is seen at once. Writers take turns;
/// one that gets none for two seconds is answered [`StoreError::Unavailable`].
///
/// **Threads.** One thread per store owns the file; dropping the store does what was asked of it so far and ends it.
///
/// ```no_run
/// use std::sync::Arc;
/// use auth_core::store::{AccountStore, SqliteAccountStore};
///
/// let store: Arc<dyn AccountStore> = Arc::new(SqliteAccountStore::open("auth.db")?);
/// # Ok::<(), auth_core::StoreError>(())
/// ```
pub struct SqliteAccountStore(Handle<()>);

impl SqliteAccountStore {
    /// Opens the file, creating it where there is none, and brings its tables to the newest form.
    ///
    /// # Errors
    /// Those of [`SqliteKeyStore::open`](super::SqliteKeyStore::open).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Handle::open(path.as_ref(), "accounts", ()).map(Self)
    }

    fn read<T: Send + 'static>(
        &self,
        step: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Answer<T> {
        self.0.read(move |worker| {
            worker.still_there()?;
            step(&worker.file)
        })
    }
}

impl AccountStore for SqliteAccountStore {
    fn insert(&self, account: AccountRecord, tenant: Option<TenantRecord>) -> Answer<()> {
        self.0.write(move |file| {
            if let Some(tenant) = &tenant {
                tenant_rows::insert(file, tenant)?;
            }
            account_rows::insert(file, &account)
        })
    }

    fn by_id(&self, id: &str) -> Answer<Option<Arc<AccountRecord>>> {
        let id = id.to_owned();
        self.read(move |file| Ok(account_rows::by_id(file, &id)?.map(Arc::new)))
    }

    fn by_login(&self, name: &LoginName) -> Answer<Option<Arc<AccountRecord>>> {
        let folded = Arc::clone(name.folded());
        self.read(move |file| Ok(account_rows::by_login(file, &folded)?.map(Arc::new)))
    }

    fn list(&self, scope: &AccountScope, after: Option<&str>, limit: usize) -> Answer<Vec<AccountRecord>> {
        let (scope, after) = (scope.clone(), after.map(str::to_owned));
        self.read(move |file| account_rows::list(file, &scope, after.as_deref(), limit))
    }

    fn change(&self, id: &str, change: AccountChange, at: Timestamp) -> Answer<Option<Changed>> {
        let id = id.to_owned();
        self.0.write(move |file| {
            let Some(before) = account_rows::by_id(file, &id)? else { return Ok(None) };
            let mut account = before.clone();
            change.clone().apply(&mut account, at)?;
            account_rows::update(file, &account)?;
            if !account.login_names().eq(before.login_names()) {
                account_rows::rename(file, &account)?;
            }
            let moved = account.generation != before.generation;
            let ended = if moved { session_rows::end_all(file, &id, at)? } else { Vec::new() };
            Ok(Some(Changed { account, ended }))
        })
    }

    fn open_session_within(&self, session: SessionRecord, most: usize) -> Answer<Vec<Arc<str>>> {
        self.0.write(move |file| session_rows::open(file, &session, most))
    }

    fn refresh(&self, key: &SessionKey, turn: Turn) -> Answer<Refreshed> {
        let key = key.clone();
        self.0.write(move |file| session_rows::refresh(file, &key, &turn))
    }

    fn session(&self, key: &SessionKey) -> Answer<Option<SessionRecord>> {
        let key = key.clone();
        self.read(move |file| session_rows::one(file, &key))
    }

    fn sessions(&self, account: &str) -> Answer<Vec<SessionRecord>> {
        let account = account.to_owned();
        self.read(move |file| session_rows::of_account(file, &account))
    }

    fn end_session(&self, key: &SessionKey, at: Timestamp) -> Answer<Option<SessionRecord>> {
        let key = key.clone();
        self.0.write(move |file| session_rows::end(file, &key, at))
    }

    fn end_vouched(&self, by: &Voucher, at: Timestamp) -> Answer<()> {
        let by = by.clone();
        self.0.write(move |file| session_rows::end_vouched(file, &by, at))
    }

    fn ended_since(&self, at: Timestamp) -> Answer<Vec<SessionRecord>> {
        self.read(move |file| session_rows::ended_since(file, at))
    }

    fn delete_ended(&self, before: Timestamp) -> Answer<u64> {
        self.0.write(move |file| session_rows::delete_ended(file, before))
    }

    fn spend_totp_step(&self, account: &str, step: u64) -> Answer<Spending> {
        self.spend(account, move |factor| factor.spend_step(step))
    }

    fn spend_recovery_code(&self, account: &str, code: &[KeyDigest]) -> Answer<Spending> {
        let code = code.to_vec();
        self.spend(account, move |factor| factor.spend_recovery_code(&code))
    }

    fn note_source(&self, account: &str, source: &str, at: Timestamp, keep: usize) -> Answer<()> {
        let (account, source) = (account.to_owned(), source.to_owned());
        self.0.write(move |file| account_rows::note_source(file, &account, &source, at, keep))
    }

    fn knows_source(&self, account: &str, source: &str, since: Timestamp) -> Answer<bool> {
        let (account, source) = (account.to_owned(), source.to_owned());
        self.read(move |file| account_rows::knows_source(file, &account, &source, since))
    }

    fn insert_tenant(&self, tenant: TenantRecord) -> Answer<()> {
        self.0.write(move |file| tenant_rows::insert(file, &tenant))
    }

    fn tenant(&self, id: &str) -> Answer<Option<TenantRecord>> {
        let id = id.to_owned();
        self.read(move |file| tenant_rows::by_id(file, &id))
    }

    fn tenants(&self, after: Option<&str>, limit: usize) -> Answer<Vec<TenantRecord>> {
        let after = after.map(str::to_owned);
        self.read(move |file| tenant_rows::list(file, after.as_deref(), limit))
    }

    fn change_tenant(&self, id: &str, change: TenantChange) -> Answer<Option<TenantRecord>> {
        let id = id.to_owned();
        self.0.write(move |file| {
            let Some(mut tenant) = tenant_rows::by_id(file, &id)? else { return Ok(None) };
            change.clone().apply(&mut tenant);
            tenant_rows::update(file, &tenant)?;
            Ok(Some(tenant))
        })
    }
}

impl SqliteAccountStore {
    /// Changes the second factor of an account, unless that is refused.
    fn spend(
        &self,
        account: &str,
        step: impl Fn(&mut SecondFactor) -> Option<()> + Send + 'static,
    ) -> Answer<Spending> {
        let id = account.to_owned();
        self.0.write(move |file| {
            let Some(mut account) = account_rows::by_id(file, &id)? else { return Ok(Spending::Refused) };
            let Some(()) = step(&mut account.second_factor) else { return Ok(Spending::Refused) };
            account_rows::update(file, &account)?;
            Ok(Spending::Spent)
        })
    }
}

impl fmt::Debug for SqliteAccountStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.describe("SqliteAccountStore", f)
    }
}
