//! What presenting a refresh token comes to.

use std::sync::Arc;
use std::time::Duration;

use crate::api_key::KeyDigest;
use crate::clock::Timestamp;

use super::{AccountRecord, AccountStatus, RefreshToken, SessionRecord, SessionStatus, TenantStatus};

/// How a refresh token is to be turned into its successor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// When it was presented.
    pub at: Timestamp,
    /// What takes its place; `None` where it stays in force and may be presented again and again.
    ///
    /// Whoever refreshes makes the successor's text from the presented token and a key, so that everybody who presents the
    /// same token makes the same one, and it need not be kept for whoever lost the first answer.
    pub successor: Option<RefreshToken>,
    /// For how long after it was spent the same token is answered the same again, unless its successor was used by then; also
    /// on a clock that is behind by less than that.
    /// Covers lost answers and clients that refresh twice at once; whoever stole a token has that long as well.
    pub grace: Duration,
}

/// What presenting a refresh token came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// New tokens may be given.
    Good {
        /// The session as it is now, with the refresh token that is in force.
        session: Arc<SessionRecord>,
        /// Its account.
        account: Arc<AccountRecord>,
    },
    /// The token had been spent: it or its successor was stolen. The session was open and is ended now (T15).
    Reused(Arc<SessionRecord>),
    /// The session has come to its absolute or its idle end (T17).
    Expired(Arc<SessionRecord>),
    /// The session was ended, or its account or tenant may not be used.
    Ended(Arc<SessionRecord>),
    /// No session has or had such a token.
    Unknown,
}

/// A session as it stands when it is to be refreshed. Every store decides with [`turned`](Self::turned).
pub(crate) struct Standing {
    pub(crate) session: SessionRecord,
    /// How the session was found.
    pub(crate) found: Found,
    pub(crate) account: Option<Arc<AccountRecord>>,
    /// `None` where the account has no tenant, or one that is kept elsewhere.
    pub(crate) tenant: Option<TenantStatus>,
}

/// How a session was found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// By its id: no refresh token was presented, and none changes.
    ById,
    /// By the token in force.
    Current,
    /// By a token that was in force once.
    Spent { at: Timestamp, successor: KeyDigest },
}

/// What a store has to write down of a session that was refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    Nothing,
    /// When it was last used.
    Use,
    /// When it was last used, its new token, and that the old one is spent.
    Succession,
    /// That it ended.
    End,
}

impl Turn {
    /// Whether it comes close enough to when the token was spent. It may come a little before that, from a thread or a machine
    /// whose clock is behind; a clock that was set back far would let the grace last for as long.
    fn is_within_grace(&self, spent: Timestamp) -> bool {
        spent.saturating_sub(self.grace) < self.at && self.at < spent.saturating_add(self.grace)
    }
}

impl Standing {
    /// Decides, and says what is to be written of the session that the answer holds.
    pub(crate) fn turned(self, turn: &Turn) -> (Refreshed, Written) {
        let Self { mut session, found, account, tenant } = self;
        let account = account.filter(|account| is_usable(account, tenant, &session));
        let (SessionStatus::Open, Some(account)) = (session.status, account) else {
            return (Refreshed::Ended(session.into()), Written::Nothing);
        };
        // before any end: tokens that the thief was given may outlast an idle limit
        if let Found::Spent { at, successor } = found
            && !(turn.is_within_grace(at) && is_in_force(&session, &successor))
        {
            session.status = SessionStatus::Ended(turn.at);
            return (Refreshed::Reused(session.into()), Written::End);
        }
        if session.end() <= turn.at {
            return (Refreshed::Expired(session.into()), Written::Nothing);
        }
        let written = match (found, &turn.successor) {
            (Found::Spent { .. }, _) => Written::Nothing,
            (Found::ById, _) | (Found::Current, None) => Written::Use,
            (Found::Current, Some(_)) => Written::Succession,
        };
        if written != Written::Nothing {
            session.last_used = session.last_used.max(turn.at);
        }
        if written == Written::Succession {
            session.refresh.clone_from(&turn.successor);
        }
        (Refreshed::Good { session: session.into(), account }, written)
    }
}

/// Whether a session may be opened or go on, as far as its account and tenant are concerned.
pub(crate) fn is_usable(account: &AccountRecord, tenant: Option<TenantStatus>, session: &SessionRecord) -> bool {
    account.status == AccountStatus::Active
        && account.generation == session.generation
        && tenant != Some(TenantStatus::Disabled)
}

fn is_in_force(session: &SessionRecord, digest: &KeyDigest) -> bool {
    session.refresh.as_ref().is_some_and(|token| token.digest == *digest)
}
