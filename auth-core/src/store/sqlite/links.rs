//! Links in a file.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{OptionalExtension as _, Row};

use crate::account::AccountLink;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::store::{Answer, LinkStore, Removal};

use super::handle::Handle;

/// Keeps links in an SQLite file, which may be the one that accounts are kept in.
///
/// Nothing is kept in memory, so what another process changed is seen at once. One thread per store owns the file; dropping
/// the store does what was asked of it so far and ends it.
pub struct SqliteLinkStore(Handle<()>);

impl SqliteLinkStore {
    /// Opens the file, creating it where there is none, and brings its tables to the newest form.
    ///
    /// # Errors
    /// Those of [`SqliteKeyStore::open`](super::SqliteKeyStore::open).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Handle::open(path.as_ref(), "links", ()).map(Self)
    }
}

const LINKED: &str = "SELECT account FROM account_links WHERE issuer = ?1 AND subject = ?2";

impl LinkStore for SqliteLinkStore {
    fn linked(&self, issuer: &str, subject: &str) -> Answer<Option<Arc<str>>> {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        self.0.read(move |worker| {
            worker.still_there()?;
            let mut statement = worker.file.prepare_cached(LINKED)?;
            Ok(statement.query_row((&issuer, &subject), |row| row.get(0)).optional()?)
        })
    }

    fn link(&self, link: AccountLink) -> Answer<Arc<str>> {
        self.0.write(move |file| {
            file.prepare_cached(
                "INSERT INTO account_links (issuer, subject, account, created) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING",
            )?
            .execute((&link.issuer, &link.subject, &link.account, link.created.unix_micros()))?;
            Ok(file.prepare_cached(LINKED)?.query_row((&link.issuer, &link.subject), |row| row.get(0))?)
        })
    }

    fn links(&self, account: &str) -> Answer<Vec<AccountLink>> {
        let account = account.to_owned();
        self.0.read(move |worker| {
            worker.still_there()?;
            let mut statement = worker.file.prepare_cached(
                "SELECT issuer, subject, account, created FROM account_links WHERE account = ?1 ORDER BY issuer, subject",
            )?;
            Ok(statement.query_map([&account], record)?.collect::<Result<_, _>>()?)
        })
    }

    fn unlink(&self, issuer: &str, subject: &str) -> Answer<Removal> {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        self.0.write(move |file| {
            let removed = file
                .prepare_cached("DELETE FROM account_links WHERE issuer = ?1 AND subject = ?2")?
                .execute((&issuer, &subject))?;
            Ok(if removed == 1 { Removal::Removed } else { Removal::Absent })
        })
    }
}

fn record(row: &Row<'_>) -> Result<AccountLink, rusqlite::Error> {
    let (issuer, subject, account): (Arc<str>, Arc<str>, Arc<str>) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(AccountLink::new(issuer, subject, account, Timestamp::from_unix_micros(row.get(3)?)))
}

impl fmt::Debug for SqliteLinkStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.describe("SqliteLinkStore", f)
    }
}
