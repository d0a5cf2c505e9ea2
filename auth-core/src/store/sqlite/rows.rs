//! Records as rows, and the statements that read and write them.

use std::sync::Arc;

use rusqlite::types::Type;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Row, named_params};

use crate::api_key::{ApiKeyRecord, KeyDigest, KeyStatus, Succession};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::names::Names;
use crate::network::NetworkSet;
use crate::store::{KeyScope, KeyUse, Removal};

use super::fault::Fault;

/// Reads one row of `SELECT * FROM api_keys`.
pub(super) fn record(row: &Row<'_>) -> Result<ApiKeyRecord, rusqlite::Error> {
    let mut record = ApiKeyRecord::new(
        row.get::<_, Arc<str>>("id")?,
        KeyDigest::from_bytes(row.get("digest")?),
        row.get::<_, Arc<str>>("pepper")?,
        row.get::<_, Arc<str>>("issuer")?,
        row.get::<_, Arc<str>>("owner")?,
        Timestamp::from_unix_micros(row.get("created")?),
    );
    record.shown = row.get("shown")?;
    record.name = row.get("name")?;
    record.description = row.get("description")?;
    record.tenant = row.get("tenant")?;
    record.plan = row.get("plan")?;
    record.environment = row.get("environment")?;
    record.permissions = names(row, "permissions")?;
    record.roles = names(row, "roles")?;
    record.networks = networks(row, "networks")?;
    record.owner_networks = networks(row, "owner_networks")?;
    record.expires = time(row, "expires")?;
    record.status = status(row)?;
    record.last_used = time(row, "last_used")?;
    record.rotated_from = row.get("rotated_from")?;
    record.succession = match (row.get("successor")?, time(row, "overlap_end")?) {
        (Some(successor), Some(overlap_end)) => Some(Succession { successor, overlap_end }),
        _ => None,
    };
    Ok(record)
}

pub(super) fn by_id(file: &Connection, id: &str) -> Result<Option<ApiKeyRecord>, Fault> {
    one(file.prepare_cached("SELECT * FROM api_keys WHERE id = ?1")?, [id])
}

pub(super) fn by_digest(file: &Connection, digest: &KeyDigest) -> Result<Option<ApiKeyRecord>, Fault> {
    one(file.prepare_cached("SELECT * FROM api_keys WHERE digest = ?1")?, [digest.as_bytes()])
}

pub(super) fn in_scope(file: &Connection, scope: &KeyScope) -> Result<Vec<ApiKeyRecord>, Fault> {
    match scope {
        KeyScope::All => all(file.prepare_cached("SELECT * FROM api_keys ORDER BY created, id")?, []),
        KeyScope::Owner { issuer, subject } => all(
            file.prepare_cached("SELECT * FROM api_keys WHERE issuer = ?1 AND owner = ?2 ORDER BY created, id")?,
            [issuer, subject],
        ),
        KeyScope::Tenant(tenant) => {
            all(file.prepare_cached("SELECT * FROM api_keys WHERE tenant = ?1 ORDER BY created, id")?, [tenant])
        }
    }
}

/// Each scope takes the same two values, so that one statement does for both of its conditions.
pub(super) fn page(
    file: &Connection,
    scope: &KeyScope,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<ApiKeyRecord>, Fault> {
    let (in_scope, one, other) = match scope {
        KeyScope::All => ("?1 IS NULL AND ?2 IS NULL", None, None),
        KeyScope::Owner { issuer, subject } => ("issuer = ?1 AND owner = ?2", Some(issuer), Some(subject)),
        KeyScope::Tenant(tenant) => ("tenant = ?1 AND ?2 IS NULL", Some(tenant), None),
    };
    let statement = file.prepare_cached(&format!(
        "SELECT * FROM api_keys WHERE {in_scope} AND (?3 IS NULL OR (created, id) >
             (SELECT created, id FROM api_keys WHERE id = ?3 AND {in_scope})) ORDER BY created, id LIMIT ?4"
    ))?;
    all(statement, (one, other, after, i64::try_from(limit).unwrap_or(i64::MAX)))
}

/// Whether an owner may have another key, counted as by `takes_room`.
pub(super) fn is_room(file: &Connection, record: &ApiKeyRecord, most: usize) -> Result<(), Fault> {
    let Ok(most) = i64::try_from(most) else { return Ok(()) };
    let mut statement = file.prepare_cached(
        "SELECT count(*) FROM api_keys WHERE issuer = ?1 AND owner = ?2 AND status <> 'revoked'
             AND (expires IS NULL OR expires > ?3) AND (overlap_end IS NULL OR overlap_end > ?3)",
    )?;
    let given = (&record.issuer, &record.owner, record.created.unix_micros());
    let theirs: i64 = statement.query_row(given, |row| row.get(0))?;
    if theirs < most { Ok(()) } else { Err(StoreError::Full.into()) }
}

/// How many keys one step notes or removes at the most.
const AT_ONCE: i64 = 1_000;

/// Notes at `now` which keys were revoked, and removes those that were noted at `before` or earlier.
pub(super) fn delete_revoked(file: &Connection, now: Timestamp, before: Timestamp) -> Result<u64, Fault> {
    let mut delete = file.prepare_cached(
        "DELETE FROM api_keys WHERE id IN (SELECT id FROM api_keys WHERE status = 'revoked' AND revoked <= ?1 LIMIT ?2)",
    )?;
    let removed = delete.execute([before.unix_micros(), AT_ONCE])?;
    let mut note = file.prepare_cached(
        "UPDATE api_keys SET revoked = ?1 WHERE id IN
             (SELECT id FROM api_keys WHERE status = 'revoked' AND revoked IS NULL LIMIT ?2)",
    )?;
    let noted = note.execute([now.unix_micros(), AT_ONCE])?;
    Ok(u64::try_from(removed + noted).unwrap_or(u64::MAX))
}

pub(super) fn insert(file: &Connection, record: &ApiKeyRecord) -> Result<(), Fault> {
    let mut statement = file.prepare_cached(
        "INSERT INTO api_keys (id, digest, pepper, shown, name, description, issuer, owner, tenant, plan, environment,
             permissions, roles, networks, created, expires, status, last_used, rotated_from, successor, overlap_end,
             suspended, owner_networks)
         VALUES (:id, :digest, :pepper, :shown, :name, :description, :issuer, :owner, :tenant, :plan, :environment,
             :permissions, :roles, :networks, :created, :expires, :status, :last_used, :rotated_from, :successor,
             :overlap_end, :suspended, :owner_networks)",
    )?;
    statement.execute(named_params! {
        ":id": &record.id,
        ":digest": record.digest.as_bytes(),
        ":pepper": &record.pepper,
        ":shown": &record.shown,
        ":name": &record.name,
        ":description": &record.description,
        ":issuer": &record.issuer,
        ":owner": &record.owner,
        ":tenant": &record.tenant,
        ":plan": &record.plan,
        ":environment": &record.environment,
        ":permissions": json(record.permissions.iter()),
        ":roles": json(record.roles.iter()),
        ":networks": record.networks.as_ref().map(|set| json(set.iter())),
        ":owner_networks": record.owner_networks.as_ref().map(|set| json(set.iter())),
        ":created": record.created.unix_micros(),
        ":expires": record.expires.map(Timestamp::unix_micros),
        ":status": status_name(record.status),
        ":suspended": record.status == KeyStatus::Suspended,
        ":last_used": record.last_used.map(Timestamp::unix_micros),
        ":rotated_from": &record.rotated_from,
        ":successor": record.succession.as_ref().map(|succession| &succession.successor),
        ":overlap_end": record.succession.as_ref().map(|succession| succession.overlap_end.unix_micros()),
    })?;
    Ok(())
}

/// Writes everything that changes and rotations can touch.
pub(super) fn update(file: &Connection, record: &ApiKeyRecord) -> Result<(), Fault> {
    let mut statement = file.prepare_cached(
        "UPDATE api_keys SET name = :name, description = :description, plan = :plan, permissions = :permissions,
             roles = :roles, networks = :networks, expires = :expires, status = :status, successor = :successor,
             overlap_end = :overlap_end, suspended = :suspended, owner_networks = :owner_networks
         WHERE id = :id",
    )?;
    statement.execute(named_params! {
        ":id": &record.id,
        ":name": &record.name,
        ":description": &record.description,
        ":plan": &record.plan,
        ":permissions": json(record.permissions.iter()),
        ":roles": json(record.roles.iter()),
        ":networks": record.networks.as_ref().map(|set| json(set.iter())),
        ":owner_networks": record.owner_networks.as_ref().map(|set| json(set.iter())),
        ":expires": record.expires.map(Timestamp::unix_micros),
        ":status": status_name(record.status),
        ":suspended": record.status == KeyStatus::Suspended,
        ":successor": record.succession.as_ref().map(|succession| &succession.successor),
        ":overlap_end": record.succession.as_ref().map(|succession| succession.overlap_end.unix_micros()),
    })?;
    Ok(())
}

pub(super) fn delete(file: &Connection, id: &str) -> Result<Removal, Fault> {
    let removed = file.prepare_cached("DELETE FROM api_keys WHERE id = ?1")?.execute([id])?;
    Ok(if removed == 0 { Removal::Absent } else { Removal::Removed })
}

pub(super) fn record_use(file: &Connection, one: &KeyUse) -> Result<(), Fault> {
    file.prepare_cached("UPDATE api_keys SET last_used = max(coalesce(last_used, ?2), ?2) WHERE id = ?1")?
        .execute((&one.id, one.at.unix_micros()))?;
    let Some(rehash) = &one.rehash else { return Ok(()) };
    file.prepare_cached("UPDATE OR IGNORE api_keys SET digest = ?2, pepper = ?3 WHERE id = ?1 AND digest IS NOT ?2")?
        .execute((&one.id, rehash.digest.as_bytes(), &rehash.pepper))?;
    Ok(())
}

fn one(mut statement: CachedStatement<'_>, given: impl Params) -> Result<Option<ApiKeyRecord>, Fault> {
    Ok(statement.query_row(given, record).optional()?)
}

fn all(mut statement: CachedStatement<'_>, given: impl Params) -> Result<Vec<ApiKeyRecord>, Fault> {
    Ok(statement.query_map(given, record)?.collect::<Result<_, _>>()?)
}

pub(super) fn json<T: ToString>(texts: impl Iterator<Item = T>) -> String {
    texts.map(|text| text.to_string()).collect::<serde_json::Value>().to_string()
}

pub(super) fn names(row: &Row<'_>, column: &'static str) -> Result<Names, rusqlite::Error> {
    Ok(texts(row, column)?.iter().map(String::as_str).collect())
}

pub(super) fn texts(row: &Row<'_>, column: &'static str) -> Result<Vec<String>, rusqlite::Error> {
    parsed(column, &row.get::<_, String>(column)?)
}

pub(super) fn networks(row: &Row<'_>, column: &'static str) -> Result<Option<Arc<NetworkSet>>, rusqlite::Error> {
    let Some(text) = row.get::<_, Option<String>>(column)? else { return Ok(None) };
    let texts: Vec<String> = parsed(column, &text)?;
    let set = NetworkSet::parse(texts.iter().map(String::as_str)).map_err(|error| unreadable(column, error))?;
    Ok(Some(Arc::new(set)))
}

fn parsed(column: &'static str, text: &str) -> Result<Vec<String>, rusqlite::Error> {
    serde_json::from_str(text).map_err(|error| unreadable(column, error))
}

pub(super) fn time(row: &Row<'_>, column: &'static str) -> Result<Option<Timestamp>, rusqlite::Error> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_unix_micros))
}

const fn status_name(status: KeyStatus) -> &'static str {
    match status {
        KeyStatus::Active | KeyStatus::Suspended => "active",
        KeyStatus::Disabled => "disabled",
        KeyStatus::Revoked => "revoked",
    }
}

fn status(row: &Row<'_>) -> Result<KeyStatus, rusqlite::Error> {
    let name: String = row.get("status")?;
    if row.get("suspended")? && name == "active" {
        return Ok(KeyStatus::Suspended);
    }
    [KeyStatus::Active, KeyStatus::Disabled, KeyStatus::Revoked]
        .into_iter()
        .find(|status| status_name(*status) == name)
        .ok_or_else(|| unreadable("status", crate::ConfigError::new("it is none of the known ones")))
}

/// An error that names the column and says what is wrong with its value.
pub(super) fn unreadable(column: &str, error: impl std::error::Error) -> rusqlite::Error {
    let described = format!("the column `{column}` is not readable: {error}");
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, described.into())
}
