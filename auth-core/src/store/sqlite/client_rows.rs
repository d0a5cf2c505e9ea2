//! Clients as rows, and the statements that read and write them.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use crate::api_key::KeyDigest;
use crate::client::{ClientRecord, ClientSecret, ClientStatus, Grant};
use crate::clock::Timestamp;
use crate::store::{ClientScope, Removal};

use super::fault::Fault;
use super::rows::{json, names, networks, texts, time, unreadable};

/// Reads one row of `SELECT * FROM clients`; secrets stand elsewhere.
fn record(row: &Row<'_>) -> Result<ClientRecord, rusqlite::Error> {
    let created = Timestamp::from_unix_micros(row.get("created")?);
    let mut record = ClientRecord::new(row.get::<_, Arc<str>>("id")?, created);
    record.name = row.get("name")?;
    record.tenant = row.get("tenant")?;
    record.environment = row.get("environment")?;
    record.plan = row.get("plan")?;
    record.permissions = names(row, "permissions")?;
    record.networks = networks(row, "networks")?;
    let unknown = |column| unreadable(column, crate::ConfigError::new("it is none of the known ones"));
    let grants = texts(row, "grants")?;
    let grants: Option<_> = grants.iter().map(|name| Grant::from_name(name)).collect();
    record.grants = grants.ok_or_else(|| unknown("grants"))?;
    record.public_keys = row.get("public_keys")?;
    record.status = match row.get_ref("status")?.as_str()? {
        "active" => ClientStatus::Active,
        "disabled" => ClientStatus::Disabled,
        _ => return Err(unknown("status")),
    };
    record.expires = time(row, "expires")?;
    record.tokens_from = time(row, "tokens_from")?;
    record.last_used = time(row, "last_used")?;
    Ok(record)
}

fn secret(row: &Row<'_>) -> Result<ClientSecret, rusqlite::Error> {
    let created = Timestamp::from_unix_micros(row.get("created")?);
    let digest = KeyDigest::from_bytes(row.get("digest")?);
    let mut secret = ClientSecret::new(digest, row.get::<_, Arc<str>>("pepper")?, created);
    secret.ends = time(row, "ends")?;
    Ok(secret)
}

fn with_secrets(file: &Connection, mut client: ClientRecord) -> Result<ClientRecord, Fault> {
    let mut statement = file.prepare_cached("SELECT * FROM client_secrets WHERE client = ?1 ORDER BY place")?;
    client.secrets = statement.query_map([&client.id], secret)?.collect::<Result<_, _>>()?;
    Ok(client)
}

pub(super) fn by_id(file: &Connection, id: &str) -> Result<Option<ClientRecord>, Fault> {
    let found = file.prepare_cached("SELECT * FROM clients WHERE id = ?1")?.query_row([id], record).optional()?;
    found.map(|client| with_secrets(file, client)).transpose()
}

pub(super) fn list(
    file: &Connection,
    scope: &ClientScope,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<ClientRecord>, Fault> {
    let following = match after {
        None => "?1 IS NULL",
        Some(_) => "(created, id) > (SELECT created, id FROM clients WHERE id = ?1)",
    };
    let (within, tenant) = match scope {
        ClientScope::All => ("?2 IS NULL", None),
        ClientScope::Tenant(tenant) => ("tenant = ?2", Some(tenant)),
    };
    let mut statement = file.prepare_cached(&format!(
        "SELECT * FROM clients WHERE {following} AND {within} ORDER BY created, id LIMIT ?3"
    ))?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found: Vec<ClientRecord> = statement.query_map((after, tenant, limit), record)?.collect::<Result<_, _>>()?;
    found.into_iter().map(|client| with_secrets(file, client)).collect()
}

pub(super) fn insert(file: &Connection, client: &ClientRecord) -> Result<(), Fault> {
    write(
        file,
        "INSERT INTO clients (id, name, tenant, environment, plan, permissions, networks, grants, public_keys, status,
             created, expires, tokens_from, last_used)
         VALUES (:id, :name, :tenant, :environment, :plan, :permissions, :networks, :grants, :public_keys, :status,
             :created, :expires, :tokens_from, :last_used)",
        client,
    )?;
    replace_secrets(file, client)
}

pub(super) fn update(file: &Connection, client: &ClientRecord) -> Result<(), Fault> {
    write(
        file,
        "UPDATE clients SET name = :name, tenant = :tenant, environment = :environment, plan = :plan,
             permissions = :permissions, networks = :networks, grants = :grants, public_keys = :public_keys,
             status = :status, created = :created, expires = :expires, tokens_from = :tokens_from,
             last_used = :last_used
         WHERE id = :id",
        client,
    )
}

fn write(file: &Connection, statement: &str, client: &ClientRecord) -> Result<(), Fault> {
    file.prepare_cached(statement)?.execute(named_params! {
        ":id": &client.id,
        ":name": &client.name,
        ":tenant": &client.tenant,
        ":environment": &client.environment,
        ":plan": &client.plan,
        ":permissions": json(client.permissions.iter()),
        ":networks": client.networks.as_ref().map(|set| json(set.iter())),
        ":grants": json(client.grants.iter()),
        ":public_keys": &client.public_keys,
        ":status": match client.status { ClientStatus::Active => "active", ClientStatus::Disabled => "disabled" },
        ":created": client.created.unix_micros(),
        ":expires": client.expires.map(Timestamp::unix_micros),
        ":tokens_from": client.tokens_from.map(Timestamp::unix_micros),
        ":last_used": client.last_used.map(Timestamp::unix_micros),
    })?;
    Ok(())
}

pub(super) fn replace_secrets(file: &Connection, client: &ClientRecord) -> Result<(), Fault> {
    file.prepare_cached("DELETE FROM client_secrets WHERE client = ?1")?.execute([&client.id])?;
    let mut statement = file.prepare_cached(
        "INSERT INTO client_secrets (client, place, digest, pepper, created, ends) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for (place, secret) in (0_i64..).zip(&client.secrets) {
        statement.execute((
            &client.id,
            place,
            secret.digest.as_bytes(),
            &secret.pepper,
            secret.created.unix_micros(),
            secret.ends.map(Timestamp::unix_micros),
        ))?;
    }
    Ok(())
}

pub(super) fn delete(file: &Connection, id: &str) -> Result<Removal, Fault> {
    file.prepare_cached("DELETE FROM client_secrets WHERE client = ?1")?.execute([id])?;
    let removed = file.prepare_cached("DELETE FROM clients WHERE id = ?1")?.execute([id])?;
    Ok(if removed == 0 { Removal::Absent } else { Removal::Removed })
}
