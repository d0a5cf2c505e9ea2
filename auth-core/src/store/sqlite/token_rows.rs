//! Tokens as rows, and the statements that read and write them.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use crate::api_key::KeyDigest;
use crate::clock::Timestamp;
use crate::opaque::{TokenRecord, TokenStatus};
use crate::store::{TokenScope, TokenUse};

use super::fault::Fault;
use super::rows::{json, names, unreadable};

/// How many ended tokens are removed in one step: some hundred milliseconds at most.
const REMOVED_AT_ONCE: i64 = 5_000;

/// Reads one row of `SELECT * FROM opaque_tokens`.
pub(super) fn record(row: &Row<'_>) -> Result<TokenRecord, rusqlite::Error> {
    let mut record = TokenRecord::new(
        row.get::<_, Arc<str>>("id")?,
        KeyDigest::from_bytes(row.get("digest")?),
        row.get::<_, Arc<str>>("pepper")?,
        (row.get::<_, Arc<str>>("issuer")?, row.get::<_, Arc<str>>("subject")?),
        Timestamp::from_unix_micros(row.get("created")?),
        Timestamp::from_unix_micros(row.get("ends")?),
    );
    record.tenant = row.get("tenant")?;
    record.plan = row.get("plan")?;
    record.permissions = names(row, "permissions")?;
    record.roles = names(row, "roles")?;
    record.scopes = names(row, "scopes")?;
    record.session = row.get("session")?;
    record.idle_limit = idle_limit(row)?;
    record.last_seen = Timestamp::from_unix_micros(row.get("last_seen")?);
    record.status = status(row)?;
    Ok(record)
}

pub(super) fn by_id(file: &Connection, id: &str) -> Result<Option<TokenRecord>, Fault> {
    Ok(file.prepare_cached("SELECT * FROM opaque_tokens WHERE id = ?1")?.query_row([id], record).optional()?)
}

pub(super) fn by_digest(file: &Connection, digest: &KeyDigest) -> Result<Option<TokenRecord>, Fault> {
    let mut statement = file.prepare_cached("SELECT * FROM opaque_tokens WHERE digest = ?1")?;
    Ok(statement.query_row([digest.as_bytes()], record).optional()?)
}

pub(super) fn in_scope(file: &Connection, scope: &TokenScope) -> Result<Vec<TokenRecord>, Fault> {
    let (condition, given) = condition(scope);
    let mut statement =
        file.prepare_cached(&format!("SELECT * FROM opaque_tokens WHERE {condition} ORDER BY created, id"))?;
    Ok(statement.query_map(rusqlite::params_from_iter(given), record)?.collect::<Result<_, _>>()?)
}

pub(super) fn revoke(file: &Connection, scope: &TokenScope) -> Result<u64, Fault> {
    let (condition, given) = condition(scope);
    let revoked = file
        .prepare_cached(&format!(
            "UPDATE opaque_tokens SET status = 'revoked' WHERE {condition} AND status <> 'revoked'"
        ))?
        .execute(rusqlite::params_from_iter(given))?;
    Ok(u64::try_from(revoked).unwrap_or(u64::MAX))
}

/// One of three fixed texts, and what fills it in.
fn condition(scope: &TokenScope) -> (&'static str, Vec<&str>) {
    match scope {
        TokenScope::Id(id) => ("id = ?1", vec![id]),
        TokenScope::Session { issuer, id } => ("issuer = ?1 AND session = ?2", vec![issuer, id]),
        TokenScope::Subject { issuer, subject } => ("issuer = ?1 AND subject = ?2", vec![issuer, subject]),
    }
}

pub(super) fn insert(file: &Connection, record: &TokenRecord) -> Result<(), Fault> {
    let mut statement = file.prepare_cached(
        "INSERT INTO opaque_tokens (id, digest, pepper, issuer, subject, tenant, plan, permissions, roles, scopes,
             session, created, ends, idle_limit, last_seen, status)
         VALUES (:id, :digest, :pepper, :issuer, :subject, :tenant, :plan, :permissions, :roles, :scopes, :session,
             :created, :ends, :idle_limit, :last_seen, :status)",
    )?;
    let micros = |limit: Duration| i64::try_from(limit.as_micros()).unwrap_or(i64::MAX);
    statement.execute(named_params! {
        ":id": &record.id,
        ":digest": record.digest.as_bytes(),
        ":pepper": &record.pepper,
        ":issuer": &record.issuer,
        ":subject": &record.subject,
        ":tenant": &record.tenant,
        ":plan": &record.plan,
        ":permissions": json(record.permissions.iter()),
        ":roles": json(record.roles.iter()),
        ":scopes": json(record.scopes.iter()),
        ":session": &record.session,
        ":created": record.created.unix_micros(),
        ":ends": record.ends.unix_micros(),
        ":idle_limit": record.idle_limit.map(micros),
        ":last_seen": record.last_seen.unix_micros(),
        ":status": match record.status { TokenStatus::Active => "active", TokenStatus::Revoked => "revoked" },
    })?;
    Ok(())
}

pub(super) fn record_use(file: &Connection, one: &TokenUse) -> Result<(), Fault> {
    file.prepare_cached("UPDATE opaque_tokens SET last_seen = ?2 WHERE id = ?1 AND last_seen < ?2")?
        .execute((&one.id, one.at.unix_micros()))?;
    Ok(())
}

pub(super) fn delete_ended(file: &Connection, before: Timestamp) -> Result<u64, Fault> {
    let removed = file
        .prepare_cached(
            "DELETE FROM opaque_tokens WHERE id IN (SELECT id FROM opaque_tokens
             WHERE min(ends, coalesce(last_seen + idle_limit, ends)) < ?1 LIMIT ?2)",
        )?
        .execute([before.unix_micros(), REMOVED_AT_ONCE])?;
    Ok(u64::try_from(removed).unwrap_or(u64::MAX))
}

pub(super) fn idle_limit(row: &Row<'_>) -> Result<Option<Duration>, rusqlite::Error> {
    let Some(micros) = row.get::<_, Option<i64>>("idle_limit")? else { return Ok(None) };
    let micros = u64::try_from(micros).map_err(|error| unreadable("idle_limit", error))?;
    Ok(Some(Duration::from_micros(micros)))
}

fn status(row: &Row<'_>) -> Result<TokenStatus, rusqlite::Error> {
    match row.get::<_, String>("status")?.as_str() {
        "active" => Ok(TokenStatus::Active),
        "revoked" => Ok(TokenStatus::Revoked),
        _ => Err(unreadable("status", crate::ConfigError::new("it is none of the known ones"))),
    }
}
