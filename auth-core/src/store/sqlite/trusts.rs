//! Partners in a file.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::store::{Answer, Removal, TrustStore};
use crate::trust::{PublicKeys, Reach, TrustChange, TrustRecord, TrustStatus};

use super::fault::Fault;
use super::handle::Handle;
use super::rows::unreadable;

/// Keeps partners in an SQLite file, which may be the one that accounts are kept in.
///
/// Nothing is kept in memory, so what another process changed is seen at once. One thread per store owns the file; dropping
/// the store does what was asked of it so far and ends it.
pub struct SqliteTrustStore(Handle<()>);

impl SqliteTrustStore {
    /// Opens the file, creating it where there is none, and brings its tables to the newest form.
    ///
    /// # Errors
    /// Those of [`SqliteKeyStore::open`](super::SqliteKeyStore::open).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Handle::open(path.as_ref(), "trusts", ()).map(Self)
    }
}

impl TrustStore for SqliteTrustStore {
    fn insert(&self, record: TrustRecord) -> Answer<()> {
        self.0.write(move |file| {
            write(
                file,
                "INSERT INTO trusts (id, issuer, name, keys, tenant, status, created)
                 VALUES (:id, :issuer, :name, :keys, :tenant, :status, :created)",
                &record,
            )
        })
    }

    fn by_issuer(&self, issuer: &str) -> Answer<Option<TrustRecord>> {
        let issuer = issuer.to_owned();
        self.0.read(move |worker| {
            worker.still_there()?;
            let mut statement = worker.file.prepare_cached("SELECT * FROM trusts WHERE issuer = ?1")?;
            Ok(statement.query_row([&issuer], record).optional()?)
        })
    }

    fn list(&self) -> Answer<Vec<TrustRecord>> {
        self.0.read(move |worker| {
            worker.still_there()?;
            let mut statement = worker.file.prepare_cached("SELECT * FROM trusts ORDER BY created, id")?;
            Ok(statement.query_map([], record)?.collect::<Result<_, _>>()?)
        })
    }

    fn change(&self, id: &str, change: TrustChange) -> Answer<Option<TrustRecord>> {
        let id = id.to_owned();
        self.0.write(move |file| {
            let mut statement = file.prepare_cached("SELECT * FROM trusts WHERE id = ?1")?;
            let Some(mut found) = statement.query_row([&id], record).optional()? else { return Ok(None) };
            change.clone().apply(&mut found);
            write(
                file,
                "UPDATE trusts SET issuer = :issuer, name = :name, keys = :keys, tenant = :tenant, status = :status,
                     created = :created WHERE id = :id",
                &found,
            )?;
            Ok(Some(found))
        })
    }

    fn delete(&self, id: &str) -> Answer<Removal> {
        let id = id.to_owned();
        self.0.write(move |file| {
            let removed = file.prepare_cached("DELETE FROM trusts WHERE id = ?1")?.execute([&id])?;
            Ok(if removed == 1 { Removal::Removed } else { Removal::Absent })
        })
    }
}

/// Reads one row of `SELECT * FROM trusts`.
fn record(row: &Row<'_>) -> Result<TrustRecord, rusqlite::Error> {
    let keys = PublicKeys::parse(row.get_ref("keys")?.as_str()?).map_err(|error| unreadable("keys", error))?;
    let tenant: Option<Arc<str>> = row.get("tenant")?;
    let mut record = TrustRecord::new(
        row.get::<_, Arc<str>>("id")?,
        row.get::<_, Arc<str>>("issuer")?,
        keys,
        tenant.map_or(Reach::Everybody, Reach::Tenant),
        Timestamp::from_unix_micros(row.get("created")?),
    );
    record.name = row.get("name")?;
    record.status = match row.get_ref("status")?.as_str()? {
        "active" => TrustStatus::Active,
        "disabled" => TrustStatus::Disabled,
        _ => return Err(unreadable("status", crate::ConfigError::new("it is none of the known ones"))),
    };
    Ok(record)
}

fn write(file: &Connection, statement: &str, record: &TrustRecord) -> Result<(), Fault> {
    file.prepare_cached(statement)?.execute(named_params! {
        ":id": &record.id,
        ":issuer": &record.issuer,
        ":name": &record.name,
        ":keys": record.keys.as_text(),
        ":tenant": match &record.reach { Reach::Tenant(tenant) => Some(tenant), Reach::Everybody => None },
        ":status": match record.status { TrustStatus::Active => "active", TrustStatus::Disabled => "disabled" },
        ":created": record.created.unix_micros(),
    })?;
    Ok(())
}

impl fmt::Debug for SqliteTrustStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.describe("SqliteTrustStore", f)
    }
}
