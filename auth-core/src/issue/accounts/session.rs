//! Refreshing and ending sessions.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::Secret;
use crate::account::{AccountRecord, Refreshed, SessionRecord, SessionStatus, TenantRecord, Turn, Voucher};
use crate::clock::{Now, Timestamp};
use crate::error::StoreError;
use crate::issue::{MintedAccessToken, Rotation};
use crate::rejection::CredentialFault;
use crate::revocation::{Revocation, Target};
use crate::store::SessionKey;

use super::bounds::KeyBounds;
use super::{AccountError, Accounts};

/// What a client is given for a login or a refresh.
#[derive(Debug)]
#[non_exhaustive]
pub struct Tokens {
    /// Whose tokens they are.
    pub account: Arc<AccountRecord>,
    /// The account's tenant, where it has one that is kept here.
    pub tenant: Option<TenantRecord>,
    /// The session that they belong to.
    pub session: Arc<str>,
    /// What is sent with every request.
    pub access: MintedAccessToken,
    /// What the next tokens are asked for with; `None` where the client keeps the one it has, or has none.
    pub refresh: Option<Secret>,
}

impl Accounts {
    /// New tokens for a refresh token (RFC 6749 section 6).
    ///
    /// # Errors
    /// [`AccountError::Token`] where the token is not good; a token that was spent before ends its session with it
    /// (RFC 9700 section 4.14.2). [`AccountError::Network`] where the account, its tenant or its key is not to be used from
    /// there; then the token is not spent.
    pub async fn refresh(&self, token: &str, client: Option<IpAddr>, now: Now) -> Result<Tokens, AccountError> {
        let (session, account, bounds, refresh) = self.turned_by(token, None, client, now).await?;
        self.tokens(account, &session, &bounds, refresh, now).await
    }

    /// Spends a refresh token of whoever owns the session; answers what follows it.
    pub(super) async fn turned_by(
        &self,
        token: &str,
        owner: Option<&str>,
        client: Option<IpAddr>,
        now: Now,
    ) -> Result<(Arc<SessionRecord>, Arc<AccountRecord>, KeyBounds, Option<Secret>), AccountError> {
        let unknown = AccountError::Token(CredentialFault::Unknown);
        let Some(tokens) = &self.0.refresh else { return Err(unknown) };
        tokens.format.check(token).map_err(AccountError::Token)?;
        let (text, successor, grace) = match tokens.rotation() {
            Rotation::Reuse => (None, None, Duration::ZERO),
            Rotation::Rotate { grace } => {
                let (text, kept) = tokens.successor(token).ok_or(AccountError::Random)?;
                (Some(text), Some(kept), grace)
            }
        };
        let key = SessionKey::Token(tokens.digests(token));
        let digest = successor.as_ref().map(|kept| kept.digest);
        let turn = Turn { at: now.wall, successor, grace };
        let (session, account, bounds) = self.turned(&key, turn, owner, client, now).await?;
        let is_in_force = session.refresh.as_ref().map(|kept| &kept.digest) == digest.as_ref();
        let refresh = match text {
            Some(text) if is_in_force => Some(text),
            Some(_) => Some(tokens.successor_in_force(token, &session).ok_or(unknown)?),
            None => None,
        };
        Ok((session, account, bounds, refresh))
    }

    /// A new access token for a session, by its id: for callers who showed an access token of it.
    ///
    /// # Errors
    /// [`AccountError::Token`] where the session is over; [`AccountError::Network`].
    pub async fn refresh_session(
        &self,
        session: &str,
        client: Option<IpAddr>,
        now: Now,
    ) -> Result<Tokens, AccountError> {
        let turn = Turn { at: now.wall, successor: None, grace: Duration::ZERO };
        let (session, account, bounds) = self.turned(&SessionKey::Id(session.into()), turn, None, client, now).await?;
        self.tokens(account, &session, &bounds, None, now).await
    }

    async fn turned(
        &self,
        key: &SessionKey,
        turn: Turn,
        owner: Option<&str>,
        client: Option<IpAddr>,
        now: Now,
    ) -> Result<(Arc<SessionRecord>, Arc<AccountRecord>, KeyBounds), AccountError> {
        self.check_source(key, owner, client).await?;
        let refused = |fault| Err(AccountError::Token(fault));
        match self.0.store.refresh(key, turn).resolve().await? {
            Refreshed::Good { session, account } => {
                let bounds = self.check_origin(&session, now).await?;
                Ok((session, account, bounds))
            }
            Refreshed::Reused(session) => {
                tracing::warn!(
                    session = &*session.id,
                    account = &*session.account,
                    "a refresh token was used again after it was spent: its session is ended"
                );
                self.revoke_sessions(&[Arc::clone(&session.id)], now).await?;
                refused(CredentialFault::Revoked)
            }
            Refreshed::Expired(_) => refused(CredentialFault::Expired),
            Refreshed::Ended(_) => refused(CredentialFault::Revoked),
            Refreshed::Unknown => refused(CredentialFault::Unknown),
        }
    }

    /// A session that was opened with an API key ends with the key.
    async fn check_origin(&self, session: &SessionRecord, now: Now) -> Result<KeyBounds, AccountError> {
        if session.key.is_none() || self.0.keys.is_none() {
            return Ok(KeyBounds::default());
        }
        if let Some(key) = self.key_of(session).await?.filter(|key| key.check(now.wall).is_ok()) {
            return Ok(KeyBounds::from(&key));
        }
        self.end_session(&session.id, now).await?;
        Err(AccountError::Token(CredentialFault::Revoked))
    }

    pub(super) async fn tokens(
        &self,
        account: Arc<AccountRecord>,
        session: &SessionRecord,
        key: &KeyBounds,
        refresh: Option<Secret>,
        now: Now,
    ) -> Result<Tokens, AccountError> {
        let tenant = self.tenant_of(&account).await?;
        let access = self.access_token(&account, tenant.as_ref(), session, key, now)?;
        Ok(Tokens { account, tenant, session: Arc::clone(&session.id), access, refresh })
    }

    /// Ends a session. From when this has answered, its tokens are refused.
    ///
    /// # Errors
    /// What went wrong in a store. Try again, which does no harm.
    pub async fn end_session(&self, id: &str, now: Now) -> Result<(), AccountError> {
        let id: Arc<str> = id.into();
        self.0.store.end_session(&SessionKey::Id(Arc::clone(&id)), now.wall).resolve().await?;
        // also where it was ended before: whoever did may have crashed before this
        self.revoke_sessions(&[id], now).await
    }

    /// The session that a refresh token belongs to, be the token spent or not.
    ///
    /// # Errors
    /// What went wrong in the store.
    pub async fn session_of(&self, token: &str) -> Result<Option<SessionRecord>, StoreError> {
        let Some(tokens) = &self.0.refresh else { return Ok(None) };
        if tokens.format.check(token).is_err() {
            return Ok(None);
        }
        self.0.store.session(&SessionKey::Token(tokens.digests(token))).resolve().await
    }

    /// Ends the session that a refresh token belongs to, if any.
    ///
    /// # Errors
    /// What went wrong in a store. Try again, which does no harm.
    pub async fn end_session_of(&self, token: &str, now: Now) -> Result<(), AccountError> {
        let Some(tokens) = &self.0.refresh else { return Ok(()) };
        let key = SessionKey::Token(tokens.digests(token));
        match self.0.store.session(&key).resolve().await? {
            Some(session) => self.end_session(&session.id, now).await,
            None => Ok(()),
        }
    }

    /// Refuses the access tokens of an account that were given until now. Its sessions go on, with what the account may do by
    /// then: whoever has a refresh token gets new ones. Without a list of revocations, the tokens live on until they end.
    ///
    /// Times of issue are whole seconds, so that tokens which are given within the next two seconds may be refused too.
    ///
    /// # Errors
    /// What went wrong in a store. Try again, which does no harm.
    pub async fn refuse_tokens_so_far(&self, account: &str, now: Now) -> Result<(), AccountError> {
        self.refuse_tokens_of(account, now, |_| true).await
    }

    /// The same for the sessions that were opened with this API key alone.
    ///
    /// # Errors
    /// What went wrong in a store. Try again, which does no harm.
    pub async fn refuse_tokens_of_key(&self, account: &str, key: &str, now: Now) -> Result<(), AccountError> {
        self.refuse_tokens_of(account, now, |session| session.key.as_deref() == Some(key)).await
    }

    async fn refuse_tokens_of(
        &self,
        account: &str,
        now: Now,
        is_meant: impl Fn(&SessionRecord) -> bool,
    ) -> Result<(), AccountError> {
        let Some(revocations) = &self.0.revocations else { return Ok(()) };
        // a token that is being signed at this moment was issued a little later than now
        let cut = now.wall.saturating_add(Duration::from_secs(1));
        let oldest = now.wall.saturating_sub(self.0.issuer.lifetime().saturating_add(super::MARGIN));
        for session in self.0.store.sessions(account).resolve().await? {
            if session.status != SessionStatus::Open || session.last_used < oldest || !is_meant(&session) {
                continue;
            }
            let target = Target::session(Arc::clone(self.issuer()), session.id);
            let revocation = Revocation::new(target, self.last_token_ends(now)).issued_before(cut);
            revocations.revoke(&revocation, now).resolve().await?;
        }
        Ok(())
    }

    /// Ends the sessions of an account that were opened with this API key, because it was taken back.
    ///
    /// # Errors
    /// What went wrong in a store. Try again, which does no harm.
    pub async fn end_sessions_of_key(&self, account: &str, key: &str, now: Now) -> Result<(), AccountError> {
        for session in self.0.store.sessions(account).resolve().await? {
            // those that have just ended too: whoever ended them may have crashed before their tokens were refused
            let is_of_key = session.key.as_deref() == Some(key) && session.ends > now.wall;
            if is_of_key {
                self.end_session(&session.id, now).await?;
            }
        }
        Ok(())
    }

    /// Ends every session that was opened by that word, whichever account it is of.
    ///
    /// # Errors
    /// What went wrong in a store. Try again, which does no harm.
    pub async fn end_sessions_vouched_by(&self, by: &Voucher, now: Now) -> Result<(), AccountError> {
        self.0.store.end_vouched(by, now.wall).resolve().await?;
        // those that ended before, too: whoever ended them may have failed before this
        let ended = self.0.store.ended_since(self.oldest_token(now)).resolve().await?;
        let of_it = ended.iter().filter(|session| session.vouched_by.as_ref() == Some(by));
        let ids: Vec<Arc<str>> = of_it.map(|session| Arc::clone(&session.id)).collect();
        self.revoke_sessions(&ids, now).await
    }

    /// Refuses the tokens of every session of an account that was ended while one of them could still live: not only of those
    /// that were ended just now, since whoever ended the others may have failed before this.
    pub(super) async fn revoke_ended(&self, account: &str, now: Now) -> Result<(), AccountError> {
        let since = self.oldest_token(now);
        let sessions = self.0.store.sessions(account).resolve().await?;
        let is_ended = |session: &&SessionRecord| matches!(session.status, SessionStatus::Ended(at) if at >= since);
        let ids: Vec<_> = sessions.iter().filter(is_ended).map(|session| Arc::clone(&session.id)).collect();
        self.revoke_sessions(&ids, now).await
    }

    /// What was signed before that has ended.
    fn oldest_token(&self, now: Now) -> Timestamp {
        now.wall.saturating_sub(self.0.issuer.lifetime().saturating_add(super::MARGIN))
    }

    /// Removes the sessions that ended by themselves and whose tokens are of no use any more. Call it now and then.
    ///
    /// # Errors
    /// What went wrong in the store.
    pub async fn delete_ended(&self, now: Now) -> Result<(), StoreError> {
        // a spent token that turns up within a day is still told to be one
        let before = now.wall.saturating_sub(Duration::from_hours(24));
        while self.0.store.delete_ended(before).resolve().await? > 0 {}
        if let Some(assertions) = &self.0.assertions {
            assertions.delete_ended(now).await?;
        }
        if let Some(sso) = &self.0.sso {
            sso.delete_ended(now).await?;
        }
        Ok(())
    }

    /// Asks the store for a session that nobody has, as a refresh would: for readiness checks.
    ///
    /// # Errors
    /// The store cannot tell now; nobody can log in or refresh.
    pub async fn ask_store(&self) -> Result<(), StoreError> {
        self.0.store.session(&SessionKey::Id("".into())).resolve().await.map(|_| ())
    }

    /// Puts on the list of revocations what was ended shortly before the process stopped: a crash may have come between the
    /// two. Call it at the start, before anything is served.
    ///
    /// # Errors
    /// What went wrong in a store.
    pub async fn resume(&self, now: Now) -> Result<(), AccountError> {
        let ended = self.0.store.ended_since(self.oldest_token(now)).resolve().await?;
        let ids: Vec<Arc<str>> = ended.iter().map(|session| Arc::clone(&session.id)).collect();
        self.revoke_sessions(&ids, now).await
    }
}
