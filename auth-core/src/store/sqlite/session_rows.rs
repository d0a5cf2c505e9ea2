//! Sessions and their refresh tokens as rows, and the statements that read and write them.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Params, Row, named_params};

use crate::account::{
    AccountRecord, Found, RefreshToken, Refreshed, SessionRecord, SessionStatus, Standing, TenantStatus, Turn, Voucher,
    Written, is_usable,
};
use crate::api_key::KeyDigest;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::store::SessionKey;

use super::account_rows::{number, signed};
use super::fault::Fault;
use super::rows::{json, names, time};
use super::token_rows::idle_limit;
use super::{account_rows, tenant_rows};

/// How many are removed in one step: some hundred milliseconds at most.
const REMOVED_AT_ONCE: i64 = 5_000;

/// Reads one row of such a query.
fn record(row: &Row<'_>) -> Result<SessionRecord, rusqlite::Error> {
    let mut record = SessionRecord::new(
        row.get::<_, Arc<str>>("id")?,
        row.get::<_, Arc<str>>("account")?,
        number(row, "generation")?,
        Timestamp::from_unix_micros(row.get("created")?),
        Timestamp::from_unix_micros(row.get("ends")?),
    );
    record.key = row.get("key")?;
    record.client = row.get("client")?;
    record.vouched_by = match (row.get::<_, Option<Arc<str>>>("voucher")?, row.get("vouched_subject")?) {
        (Some(issuer), Some(subject)) => Some(Voucher::Provider { issuer, subject }),
        (Some(partner), None) => Some(Voucher::Partner(partner)),
        (None, _) => None,
    };
    if row.get_ref("permissions")? != ValueRef::Null {
        record.permissions = Some(names(row, "permissions")?);
    }
    record.idle_limit = idle_limit(row)?;
    record.last_used = Timestamp::from_unix_micros(row.get("last_used")?);
    record.status = time(row, "ended")?.map_or(SessionStatus::Open, SessionStatus::Ended);
    record.refresh = match (row.get("digest")?, row.get::<_, Option<Arc<str>>>("pepper")?) {
        (Some(digest), Some(pepper)) => Some(RefreshToken::new(KeyDigest::from_bytes(digest), pepper)),
        _ => None,
    };
    Ok(record)
}

/// The sessions that one of several fixed conditions holds for.
fn query(file: &Connection, condition: &'static str, given: impl Params) -> Result<Vec<SessionRecord>, Fault> {
    let mut statement = file.prepare_cached(&format!(
        "SELECT s.*, t.digest, t.pepper FROM account_sessions s
         LEFT JOIN refresh_tokens t ON t.session = s.id AND t.spent IS NULL WHERE {condition}"
    ))?;
    Ok(statement.query_map(given, record)?.collect::<Result<_, _>>()?)
}

pub(super) fn one(file: &Connection, key: &SessionKey) -> Result<Option<SessionRecord>, Fault> {
    let digests = match key {
        SessionKey::Id(id) => return Ok(query(file, "s.id = ?1", [id])?.pop()),
        SessionKey::Token(digests) => digests,
    };
    for digest in digests {
        let condition = "s.id = (SELECT session FROM refresh_tokens WHERE digest = ?1)";
        if let Some(session) = query(file, condition, [digest.as_bytes()])?.pop() {
            return Ok(Some(session));
        }
    }
    Ok(None)
}

pub(super) fn of_account(file: &Connection, account: &str) -> Result<Vec<SessionRecord>, Fault> {
    query(file, "s.account = ?1 ORDER BY s.created, s.id", [account])
}

pub(super) fn ended_since(file: &Connection, at: Timestamp) -> Result<Vec<SessionRecord>, Fault> {
    query(file, "s.ended >= ?1 ORDER BY s.ended, s.id", [at.unix_micros()])
}

pub(super) fn open(file: &Connection, session: &SessionRecord, most: usize) -> Result<Vec<Arc<str>>, Fault> {
    let account = account_rows::by_id(file, &session.account)?.ok_or(StoreError::Conflict)?;
    if !is_usable(&account, tenant_of(file, &account)?, session) {
        return Err(StoreError::Conflict.into());
    }
    let ended_before = make_room(file, session, most)?;
    let micros = |limit: Duration| i64::try_from(limit.as_micros()).unwrap_or(i64::MAX);
    file.prepare_cached(
        "INSERT INTO account_sessions
             (id, account, generation, key, client, voucher, vouched_subject, permissions, created, ends, idle_limit,
             last_used, ended)
         VALUES (:id, :account, :generation, :key, :client, :voucher, :vouched_subject, :permissions, :created, :ends,
             :idle_limit, :last_used, :ended)",
    )?
    .execute(named_params! {
        ":voucher": session.vouched_by.as_ref().map(|by| said_by(by).0),
        ":vouched_subject": session.vouched_by.as_ref().and_then(|by| said_by(by).1),
        ":id": &session.id,
        ":account": &session.account,
        ":generation": signed(session.generation),
        ":key": &session.key,
        ":client": &session.client,
        ":permissions": session.permissions.as_ref().map(|names| json(names.iter())),
        ":created": session.created.unix_micros(),
        ":ends": session.ends.unix_micros(),
        ":idle_limit": session.idle_limit.map(micros),
        ":last_used": session.last_used.unix_micros(),
        ":ended": ended(session),
    })?;
    if let Some(token) = &session.refresh {
        add_token(file, &session.id, token)?;
    }
    file.prepare_cached("UPDATE accounts SET last_login = max(coalesce(last_login, ?2), ?2) WHERE id = ?1")?
        .execute((&session.account, session.created.unix_micros()))?;
    Ok(ended_before)
}

/// Ends the oldest of the other sessions of the account, so that with the next one there are at most so many.
fn make_room(file: &Connection, next: &SessionRecord, most: usize) -> Result<Vec<Arc<str>>, Fault> {
    let Ok(kept) = i64::try_from(most.saturating_sub(1)) else { return Ok(Vec::new()) };
    let mut statement = file.prepare_cached(
        "UPDATE account_sessions SET ended = ?2 WHERE id IN (
             SELECT id FROM account_sessions WHERE account = ?1 AND ended IS NULL AND ends > ?2
                 AND (idle_limit IS NULL OR last_used + idle_limit > ?2)
             ORDER BY created DESC, id DESC LIMIT -1 OFFSET ?3)
         RETURNING id",
    )?;
    let given = (&next.account, next.created.unix_micros(), kept);
    Ok(statement.query_map(given, |row| row.get(0))?.collect::<Result<_, _>>()?)
}

fn tenant_of(file: &Connection, account: &AccountRecord) -> Result<Option<TenantStatus>, Fault> {
    let Some(tenant) = &account.tenant else { return Ok(None) };
    Ok(tenant_rows::by_id(file, tenant)?.map(|tenant| tenant.status))
}

/// Fails on a token that is or was in force anywhere.
fn add_token(file: &Connection, session: &str, token: &RefreshToken) -> Result<(), Fault> {
    file.prepare_cached("INSERT INTO refresh_tokens (digest, pepper, session) VALUES (?1, ?2, ?3)")?.execute((
        token.digest.as_bytes(),
        &token.pepper,
        session,
    ))?;
    Ok(())
}

pub(super) fn refresh(file: &Connection, key: &SessionKey, turn: &Turn) -> Result<Refreshed, Fault> {
    let Some((session, found)) = find(file, key)? else { return Ok(Refreshed::Unknown) };
    let account = account_rows::by_id(file, &session.account)?;
    let tenant = account.as_ref().map(|account| tenant_of(file, account)).transpose()?.flatten();
    let replaced = session.refresh.clone();
    let (answer, written) = Standing { session, found, account: account.map(Arc::new), tenant }.turned(turn);
    let (Refreshed::Good { session, .. } | Refreshed::Reused(session)) = &answer else { return Ok(answer) };
    if let (Written::Succession, Some(replaced), Some(successor)) = (written, replaced, &session.refresh) {
        file.prepare_cached("UPDATE refresh_tokens SET spent = ?2, successor = ?3 WHERE digest = ?1")?.execute((
            replaced.digest.as_bytes(),
            turn.at.unix_micros(),
            successor.digest.as_bytes(),
        ))?;
        add_token(file, &session.id, successor)?;
    }
    if written != Written::Nothing {
        update(file, session)?;
    }
    Ok(answer)
}

/// The session, and what is known of the token it was found by.
fn find(file: &Connection, key: &SessionKey) -> Result<Option<(SessionRecord, Found)>, Fault> {
    let Some(session) = one(file, key)? else { return Ok(None) };
    let SessionKey::Token(digests) = key else { return Ok(Some((session, Found::ById))) };
    let mut statement =
        file.prepare_cached("SELECT spent, successor FROM refresh_tokens WHERE digest = ?1 AND session = ?2")?;
    for digest in digests {
        let found = statement.query_row((digest.as_bytes(), &session.id), |row| {
            Ok(match (time(row, "spent")?, row.get("successor")?) {
                (Some(at), Some(successor)) => Found::Spent { at, successor: KeyDigest::from_bytes(successor) },
                _ => Found::Current,
            })
        });
        if let Some(found) = found.optional()? {
            return Ok(Some((session, found)));
        }
    }
    Ok(None)
}

pub(super) fn end(file: &Connection, key: &SessionKey, at: Timestamp) -> Result<Option<SessionRecord>, Fault> {
    let Some(mut session) = one(file, key)?.filter(|session| session.status == SessionStatus::Open) else {
        return Ok(None);
    };
    session.status = SessionStatus::Ended(at);
    update(file, &session)?;
    Ok(Some(session))
}

/// Ends every open session of an account, and answers their ids.
pub(super) fn end_all(file: &Connection, account: &str, at: Timestamp) -> Result<Vec<Arc<str>>, Fault> {
    let mut statement = file
        .prepare_cached("UPDATE account_sessions SET ended = ?2 WHERE account = ?1 AND ended IS NULL RETURNING id")?;
    Ok(statement.query_map((account, at.unix_micros()), |row| row.get(0))?.collect::<Result<_, _>>()?)
}

pub(super) fn end_vouched(file: &Connection, by: &Voucher, at: Timestamp) -> Result<(), Fault> {
    let (voucher, subject) = said_by(by);
    file.prepare_cached(
        "UPDATE account_sessions SET ended = ?3 WHERE voucher = ?1 AND vouched_subject IS ?2 AND ended IS NULL",
    )?
    .execute((voucher, subject, at.unix_micros()))?;
    Ok(())
}

/// Who vouched, and for which of its subjects.
fn said_by(by: &Voucher) -> (&str, Option<&str>) {
    match by {
        Voucher::Partner(id) => (id, None),
        Voucher::Provider { issuer, subject } => (issuer, Some(subject)),
    }
}

/// Writes what use and end change.
fn update(file: &Connection, session: &SessionRecord) -> Result<(), Fault> {
    file.prepare_cached("UPDATE account_sessions SET last_used = ?2, ended = ?3 WHERE id = ?1")?.execute((
        &session.id,
        session.last_used.unix_micros(),
        ended(session),
    ))?;
    Ok(())
}

fn ended(session: &SessionRecord) -> Option<i64> {
    match session.status {
        SessionStatus::Open => None,
        SessionStatus::Ended(at) => Some(at.unix_micros()),
    }
}

/// Tokens go before their sessions, so that what is left after a step is found by the next.
pub(super) fn delete_ended(file: &Connection, before: Timestamp) -> Result<u64, Fault> {
    let given = [before.unix_micros(), REMOVED_AT_ONCE];
    let tokens = file
        .prepare_cached(
            "DELETE FROM refresh_tokens WHERE digest IN (SELECT t.digest FROM account_sessions s
             JOIN refresh_tokens t ON t.session = s.id WHERE s.ends < ?1 LIMIT ?2)",
        )?
        .execute(given)?;
    let sessions = file
        .prepare_cached(
            "DELETE FROM account_sessions WHERE id IN (SELECT id FROM account_sessions s WHERE s.ends < ?1
             AND NOT EXISTS (SELECT 1 FROM refresh_tokens WHERE session = s.id) LIMIT ?2)",
        )?
        .execute(given)?;
    Ok(u64::try_from(tokens + sessions).unwrap_or(u64::MAX))
}
