//! Tenants as rows, and the statements that read and write them.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use crate::account::{TenantRecord, TenantStatus};
use crate::clock::Timestamp;

use super::fault::Fault;
use super::rows::{json, networks, unreadable};

/// Reads one row of `SELECT * FROM tenants`.
fn record(row: &Row<'_>) -> Result<TenantRecord, rusqlite::Error> {
    let mut record = TenantRecord::new(
        row.get::<_, Arc<str>>("id")?,
        row.get::<_, Arc<str>>("name")?,
        Timestamp::from_unix_micros(row.get("created")?),
    );
    record.plan = row.get("plan")?;
    record.networks = networks(row, "networks")?;
    record.status = match row.get_ref("status")?.as_str()? {
        "active" => TenantStatus::Active,
        "disabled" => TenantStatus::Disabled,
        _ => return Err(unreadable("status", crate::ConfigError::new("it is none of the known ones"))),
    };
    Ok(record)
}

pub(super) fn by_id(file: &Connection, id: &str) -> Result<Option<TenantRecord>, Fault> {
    Ok(file.prepare_cached("SELECT * FROM tenants WHERE id = ?1")?.query_row([id], record).optional()?)
}

pub(super) fn list(file: &Connection, after: Option<&str>, limit: usize) -> Result<Vec<TenantRecord>, Fault> {
    let following = match after {
        None => "?1 IS NULL",
        Some(_) => "(created, id) > (SELECT created, id FROM tenants WHERE id = ?1)",
    };
    let mut statement =
        file.prepare_cached(&format!("SELECT * FROM tenants WHERE {following} ORDER BY created, id LIMIT ?2"))?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(statement.query_map((after, limit), record)?.collect::<Result<_, _>>()?)
}

pub(super) fn insert(file: &Connection, record: &TenantRecord) -> Result<(), Fault> {
    write(
        file,
        "INSERT INTO tenants (id, name, plan, networks, status, created)
         VALUES (:id, :name, :plan, :networks, :status, :created)",
        record,
    )
}

pub(super) fn update(file: &Connection, record: &TenantRecord) -> Result<(), Fault> {
    write(
        file,
        "UPDATE tenants SET name = :name, plan = :plan, networks = :networks, status = :status, created = :created
         WHERE id = :id",
        record,
    )
}

fn write(file: &Connection, statement: &str, record: &TenantRecord) -> Result<(), Fault> {
    file.prepare_cached(statement)?.execute(named_params! {
        ":id": &record.id,
        ":name": &record.name,
        ":plan": &record.plan,
        ":networks": record.networks.as_ref().map(|set| json(set.iter())),
        ":status": match record.status { TenantStatus::Active => "active", TenantStatus::Disabled => "disabled" },
        ":created": record.created.unix_micros(),
    })?;
    Ok(())
}
