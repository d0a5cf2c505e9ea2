//! Sessions and their refresh tokens.

use std::collections::HashSet;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use crate::account::{Found, Refreshed, SessionRecord, SessionStatus, Standing, Turn, Voucher, Written, is_usable};
use crate::api_key::KeyDigest;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::store::SessionKey;

use super::State;

/// A refresh token that is or was in force.
pub(super) struct Token {
    session: Arc<str>,
    /// When it was spent, and what took its place.
    spent: Option<(Timestamp, KeyDigest)>,
}

impl State {
    pub(super) fn open_session(&mut self, session: SessionRecord, most: usize) -> Result<Vec<Arc<str>>, StoreError> {
        let account = self.accounts.get(&session.account).ok_or(StoreError::Conflict)?;
        if !is_usable(account, self.tenant_status(account), &session) || self.sessions.contains_key(&session.id) {
            return Err(StoreError::Conflict);
        }
        if let Some(token) = &session.refresh {
            self.add_token(token.digest, &session.id)?;
        }
        if let Some(account) = self.accounts.get_mut(&session.account).map(Arc::make_mut) {
            account.last_login = account.last_login.max(Some(session.created));
        }
        let ended = self.make_room(&session, most);
        self.sessions.insert(Arc::clone(&session.id), session);
        Ok(ended)
    }

    /// Ends the oldest of the other sessions, so that with this one there are at most so many.
    fn make_room(&mut self, next: &SessionRecord, most: usize) -> Vec<Arc<str>> {
        let is_open = |session: &SessionRecord| {
            session.account == next.account && session.status == SessionStatus::Open && session.end() > next.created
        };
        let mut open: Vec<_> = self.sessions.values_mut().filter(|session| is_open(session)).collect();
        open.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
        let too_many = (open.len() + 1).saturating_sub(most).min(open.len());
        let oldest = open.into_iter().take(too_many);
        oldest
            .map(|session| {
                session.status = SessionStatus::Ended(next.created);
                Arc::clone(&session.id)
            })
            .collect()
    }

    pub(super) fn refresh(&mut self, key: &SessionKey, turn: &Turn) -> Result<Refreshed, StoreError> {
        let Some((session, found)) = self.find(key) else { return Ok(Refreshed::Unknown) };
        let session = session.clone();
        let account = self.accounts.get(&session.account).cloned();
        let tenant = account.as_ref().and_then(|account| self.tenant_status(account));
        let replaced = session.refresh.clone();
        let (answer, written) = Standing { session, found, account, tenant }.turned(turn);
        if let Refreshed::Good { session, .. } | Refreshed::Reused(session) = &answer
            && written != Written::Nothing
        {
            if let (Written::Succession, Some(replaced), Some(successor)) = (written, replaced, &session.refresh) {
                self.add_token(successor.digest, &session.id)?;
                if let Some(token) = self.tokens.get_mut(&replaced.digest) {
                    token.spent = Some((turn.at, successor.digest));
                }
            }
            self.sessions.insert(Arc::clone(&session.id), SessionRecord::clone(session));
        }
        Ok(answer)
    }

    pub(super) fn find(&self, key: &SessionKey) -> Option<(&SessionRecord, Found)> {
        let digests = match key {
            SessionKey::Id(id) => return self.sessions.get(id).map(|session| (session, Found::ById)),
            SessionKey::Token(digests) => digests,
        };
        let token = digests.iter().find_map(|digest| self.tokens.get(digest))?;
        let found = token.spent.map_or(Found::Current, |(at, successor)| Found::Spent { at, successor });
        self.sessions.get(&token.session).map(|session| (session, found))
    }

    fn add_token(&mut self, digest: KeyDigest, session: &Arc<str>) -> Result<(), StoreError> {
        match self.tokens.entry(digest) {
            Entry::Occupied(_) => Err(StoreError::Conflict),
            Entry::Vacant(place) => {
                place.insert(Token { session: Arc::clone(session), spent: None });
                Ok(())
            }
        }
    }

    pub(super) fn end_session(&mut self, key: &SessionKey, at: Timestamp) -> Option<SessionRecord> {
        let id = self.find(key).map(|(session, _)| Arc::clone(&session.id))?;
        let session = self.sessions.get_mut(&id).filter(|session| session.status == SessionStatus::Open)?;
        session.status = SessionStatus::Ended(at);
        Some(session.clone())
    }

    pub(super) fn end_vouched(&mut self, by: &Voucher, at: Timestamp) {
        for session in self.sessions.values_mut() {
            if session.vouched_by.as_ref() == Some(by) && session.status == SessionStatus::Open {
                session.status = SessionStatus::Ended(at);
            }
        }
    }

    pub(super) fn ended_since(&self, at: Timestamp) -> Vec<SessionRecord> {
        let ended = |session: &SessionRecord| match session.status {
            SessionStatus::Ended(then) => Some(then),
            SessionStatus::Open => None,
        };
        let since = self.sessions.values().filter(|session| ended(session).is_some_and(|then| then >= at));
        let mut since: Vec<_> = since.cloned().collect();
        since.sort_by_key(ended);
        since
    }

    pub(super) fn delete_ended(&mut self, before: Timestamp) -> u64 {
        let kept = self.sessions.len() + self.tokens.len();
        let over = self.sessions.extract_if(.., |_, session| session.ends < before);
        let over: HashSet<Arc<str>> = over.map(|(id, _)| id).collect();
        self.tokens.retain(|_, token| !over.contains(&token.session));
        u64::try_from(kept - self.sessions.len() - self.tokens.len()).unwrap_or(u64::MAX)
    }
}
