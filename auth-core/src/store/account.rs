//! What a store of accounts promises.

use std::sync::Arc;

use crate::account::{
    AccountChange, AccountRecord, Changed, LoginName, Refreshed, SessionRecord, TenantChange, TenantRecord, Turn,
    Voucher,
};
use crate::api_key::KeyDigest;
use crate::clock::Timestamp;

use super::Answer;

/// Keeps accounts, their sessions and their tenants.
///
/// Every operation is one atomic step, whatever else happens at the same moment in this process or another one; what
/// was answered is in force for every operation that begins afterwards. Nothing here is on the path of a request that
/// brings a token: verification does not ask.
pub trait AccountStore: Send + Sync + 'static {
    /// Adds an account, and the tenant that is made for it where one is; all of it is there afterwards, or nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`](crate::StoreError::Conflict) where its id, one of its login names or the tenant's id is
    /// there already. Of several that add the same name at once, in whatever spelling, all but one get this.
    fn insert(&self, account: AccountRecord, tenant: Option<TenantRecord>) -> Answer<()>;

    /// The account with this id.
    fn by_id(&self, id: &str) -> Answer<Option<Arc<AccountRecord>>>;

    /// The account that is logged in to with this name, as its address or as its user name.
    fn by_login(&self, name: &LoginName) -> Answer<Option<Arc<AccountRecord>>>;

    /// The accounts in scope, the oldest first: at most so many, from the one that follows `after` on, an account's id.
    /// Nothing follows an account that is not there.
    fn list(&self, scope: &AccountScope, after: Option<&str>, limit: usize) -> Answer<Vec<AccountRecord>>;

    /// Changes an account, and answers what it is then; `None` where there is no such account.
    ///
    /// A change that moves the generation ends every open session of the account in the same step, so that afterwards
    /// there is none of the generation before, and [`open_session`](Self::open_session) opens none.
    ///
    /// # Errors
    /// [`StoreError::Conflict`](crate::StoreError::Conflict) where a login name is another account's, or where what the
    /// [change](AccountChange) says about the state before is not so. Nothing is changed then.
    fn change(&self, id: &str, change: AccountChange, at: Timestamp) -> Answer<Option<Changed>>;

    /// Adds a session, and notes its beginning as the account's last login.
    ///
    /// # Errors
    /// [`StoreError::Conflict`](crate::StoreError::Conflict) unless the account is there, active and in the session's very
    /// generation, and its tenant, where one is kept here, is active: so a login that was overtaken by a change of
    /// password leaves nothing behind. The same where the session's id or its token is there already.
    fn open_session(&self, session: SessionRecord) -> Answer<()> {
        self.open_session_within(session, usize::MAX).map(|opened| opened.map(|_| ()))
    }

    /// The same, and ends the oldest of the account's other sessions that are open and not over by then, so that it has at
    /// most so many; all in one step. Answers the ids of those that it ended.
    ///
    /// # Errors
    /// Those of [`open_session`](Self::open_session); then nothing was ended.
    fn open_session_within(&self, session: SessionRecord, most: usize) -> Answer<Vec<Arc<str>>>;

    /// Refreshes a session by its refresh token, or by its id where something else proved that the caller has it.
    ///
    /// - The token in force is spent and its successor takes its place; without a successor it stays. By id, no token
    ///   changes. The session's idle end moves, its absolute end never does (T17).
    /// - A spent token whose successor is in force and that was spent less than the grace ago is answered the same once
    ///   more, and nothing changes: of a hundred callers with one token, all get the one successor (T16).
    /// - Any other spent token ends the session in the same step, and with it the whole family (T15).
    ///
    /// A session whose account is disabled or has moved on a generation, or whose tenant is disabled, counts as ended.
    ///
    /// # Errors
    /// [`StoreError::Conflict`](crate::StoreError::Conflict) where the successor is a token of some session already.
    fn refresh(&self, key: &SessionKey, turn: Turn) -> Answer<Refreshed>;

    /// The session, open or not, until it is [deleted](Self::delete_ended).
    fn session(&self, key: &SessionKey) -> Answer<Option<SessionRecord>>;

    /// The sessions of an account, ended ones too, the oldest first.
    fn sessions(&self, account: &str) -> Answer<Vec<SessionRecord>>;

    /// Ends a session, for good; answers it where it was open. Of several that end it at once, one is answered it.
    fn end_session(&self, key: &SessionKey, at: Timestamp) -> Answer<Option<SessionRecord>>;

    /// Ends, for good and in one step, every open session that was opened by that word, whichever account it is of.
    fn end_vouched(&self, by: &Voucher, at: Timestamp) -> Answer<()>;

    /// The sessions that were ended at that time or later, the first ended first.
    ///
    /// Read at start, to put them on the list of what is revoked once more: a crash may have come between the two.
    fn ended_since(&self, at: Timestamp) -> Answer<Vec<SessionRecord>>;

    /// Removes sessions whose absolute end lies before that instant, and the tokens that were theirs; answers how many
    /// sessions and tokens were removed.
    ///
    /// One step removes at least one of them where there is any, and may leave others for the next call, so that no writer
    /// waits for long. Until then every token of a session is recognised.
    fn delete_ended(&self, before: Timestamp) -> Answer<u64>;

    /// Spends a time step of the confirmed second factor: refused unless it is later than the newest spent one. Of several
    /// that spend one step at once, one succeeds.
    fn spend_totp_step(&self, account: &str, step: u64) -> Answer<Spending>;

    /// Spends a recovery code of the confirmed second factor, given as its digests under every pepper in use: refused
    /// unless it is one of those left. Of several that spend one code at once, one succeeds.
    fn spend_recovery_code(&self, account: &str, code: &[KeyDigest]) -> Answer<Spending>;

    /// Notes that a login from this network succeeded, and forgets all but the newest `keep` of the account. A time never
    /// moves back, and an account that is not there is passed over.
    fn note_source(&self, account: &str, source: &str, at: Timestamp, keep: usize) -> Answer<()>;

    /// Whether a login from this network was noted at that time or later.
    fn knows_source(&self, account: &str, source: &str, since: Timestamp) -> Answer<bool>;

    /// Adds a tenant.
    ///
    /// # Errors
    /// [`StoreError::Conflict`](crate::StoreError::Conflict) where its id is there already.
    fn insert_tenant(&self, tenant: TenantRecord) -> Answer<()>;

    /// The tenant with this id.
    fn tenant(&self, id: &str) -> Answer<Option<TenantRecord>>;

    /// The tenants, the oldest first: at most so many, from the one that follows `after` on, a tenant's id. Nothing follows
    /// a tenant that is not there.
    fn tenants(&self, after: Option<&str>, limit: usize) -> Answer<Vec<TenantRecord>>;

    /// Changes a tenant, and answers what it is then; `None` where there is no such tenant.
    fn change_tenant(&self, id: &str, change: TenantChange) -> Answer<Option<TenantRecord>>;
}

/// Which accounts to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountScope {
    /// Every account.
    All,
    /// The accounts of one tenant.
    Tenant(Arc<str>),
}

impl AccountScope {
    pub(super) fn covers(&self, account: &AccountRecord) -> bool {
        match self {
            Self::All => true,
            Self::Tenant(tenant) => account.tenant.as_ref() == Some(tenant),
        }
    }
}

/// Which session is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionKey {
    /// The one with this id.
    Id(Arc<str>),
    /// The one that a refresh token belongs to, spent or not, given as the token's digests under every pepper in use.
    Token(Vec<KeyDigest>),
}

/// What spending something that can be used once came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spending {
    /// It was there, and is spent now.
    Spent,
    /// It was spent before, or never there: nothing was changed.
    Refused,
}
