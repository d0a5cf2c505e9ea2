//! Revocations in a file.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use crate::ConfigError;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::revocation::{Revocation, Target};
use crate::store::{Answer, Changes, Mark, RevocationStore};

use super::fault::Fault;
use super::handle::Handle;
use super::rows::unreadable;

/// How many are read or removed in one step: some ten milliseconds.
const AT_ONCE: i64 = 10_000;

/// Keeps revocations in an SQLite file, which may be the one that keys and tokens are kept in.
///
/// **Durability.** What was answered is on the disk: the write-ahead log is synchronised before the answer.
///
/// **Several processes.** What one adds, the others take up with their next look
/// ([`Revocations::refresh`](crate::revocation::Revocations::refresh)). A file that was moved, replaced or set back to an
/// older state answers errors until the program is started anew.
///
/// **Threads.** One thread per store owns the file; dropping the store does what was asked of it so far and ends it.
///
/// ```no_run
/// use std::sync::Arc;
/// use std::time::Duration;
/// use auth_core::revocation::Revocations;
/// use auth_core::store::SqliteRevocations;
/// use auth_core::{Clock, SystemClock};
///
/// # async fn start() -> Result<(), auth_core::StoreError> {
/// let store = Arc::new(SqliteRevocations::open("auth.db")?);
/// let revocations = Revocations::kept_in(store, Duration::from_secs(10), SystemClock.now()).await?;
/// # Ok(())
/// # }
/// ```
pub struct SqliteRevocations(Handle<()>);

impl SqliteRevocations {
    /// Opens the file, creating it where there is none, and brings its tables to the newest form.
    ///
    /// # Errors
    /// Those of [`SqliteKeyStore::open`](super::SqliteKeyStore::open).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Handle::open(path.as_ref(), "revocations", ()).map(Self)
    }
}

impl RevocationStore for SqliteRevocations {
    fn add(&self, revocation: Revocation) -> Answer<()> {
        self.0.write(move |file| insert(file, &revocation))
    }

    fn changes(&self, since: Mark) -> Answer<Changes> {
        self.0.read(move |worker| {
            worker.still_there()?;
            changes(&worker.file, since)
        })
    }

    fn delete_ended(&self, before: Timestamp) -> Answer<u64> {
        self.0.write(move |file| {
            let removed = file
                .prepare_cached(
                    "DELETE FROM revocations WHERE mark IN (SELECT mark FROM revocations WHERE until < ?1 LIMIT ?2)",
                )?
                .execute([before.unix_micros(), AT_ONCE])?;
            Ok(u64::try_from(removed).unwrap_or(u64::MAX))
        })
    }
}

fn insert(file: &Connection, revocation: &Revocation) -> Result<(), Fault> {
    let (kind, issuer, name) = match &revocation.target {
        Target::Credential { issuer, id } => ("credential", Some(issuer), Some(id)),
        Target::Session { issuer, id } => ("session", Some(issuer), Some(id)),
        Target::Subject { issuer, subject } => ("subject", Some(issuer), Some(subject)),
        Target::Tenant(tenant) => ("tenant", None, Some(tenant)),
        Target::Issuer(issuer) => ("issuer", Some(issuer), None),
        Target::All => ("all", None, None),
    };
    file.prepare_cached(
        "INSERT INTO revocations (kind, issuer, name, issued_before, until)
         VALUES (:kind, :issuer, :name, :issued_before, :until)",
    )?
    .execute(named_params! {
        ":kind": kind,
        ":issuer": issuer,
        ":name": name,
        ":issued_before": revocation.issued_before.map(Timestamp::unix_micros),
        ":until": revocation.until.unix_micros(),
    })?;
    Ok(())
}

fn changes(file: &Connection, since: Mark) -> Result<Changes, Fault> {
    let since = i64::try_from(since.number()).unwrap_or(i64::MAX);
    // one moment for both questions
    let moment = file.unchecked_transaction()?;
    let newest = moment
        .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'revocations'")?
        .query_row([], |row| row.get::<_, i64>(0))
        .optional()?;
    if newest.unwrap_or(0) < since {
        return Err(Fault::unreadable("it was set back to an older state; restart to read it anew"));
    }
    let mut mark = since;
    let mut statement = moment.prepare_cached("SELECT * FROM revocations WHERE mark > ?1 ORDER BY mark LIMIT ?2")?;
    let mut rows = statement.query([since, AT_ONCE])?;
    let mut revocations = Vec::new();
    while let Some(row) = rows.next()? {
        mark = row.get("mark")?;
        revocations.push(revocation(row)?);
    }
    Ok(Changes { revocations, mark: Mark::after(u64::try_from(mark).unwrap_or(0)) })
}

fn revocation(row: &Row<'_>) -> Result<Revocation, rusqlite::Error> {
    let issuer = || row.get::<_, Arc<str>>("issuer");
    let name = || row.get::<_, Arc<str>>("name");
    let target = match row.get_ref("kind")?.as_str()? {
        "credential" => Target::Credential { issuer: issuer()?, id: name()? },
        "session" => Target::Session { issuer: issuer()?, id: name()? },
        "subject" => Target::Subject { issuer: issuer()?, subject: name()? },
        "tenant" => Target::Tenant(name()?),
        "issuer" => Target::Issuer(issuer()?),
        "all" => Target::All,
        _ => return Err(unreadable("kind", ConfigError::new("it is none of the known ones"))),
    };
    let mut revocation = Revocation::new(target, Timestamp::from_unix_micros(row.get("until")?));
    revocation.issued_before = row.get::<_, Option<i64>>("issued_before")?.map(Timestamp::from_unix_micros);
    Ok(revocation)
}

impl fmt::Debug for SqliteRevocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.describe("SqliteRevocations", f)
    }
}
