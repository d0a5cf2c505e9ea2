//! OAuth clients in a file.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use crate::client::{ClientChange, ClientRecord};
use crate::error::StoreError;
use crate::store::{Answer, ClientScope, ClientStore, Removal};

use super::client_rows;
use super::fault::Fault;
use super::handle::Handle;

/// Keeps OAuth clients in an SQLite file, which may be the one that keys and accounts are kept in.
///
/// What was answered is on the disk, and seen by every process at once: nothing is kept in memory. One thread per store owns
/// the file; dropping the store does what was asked of it so far and ends it.
pub struct SqliteClientStore(Handle<()>);

impl SqliteClientStore {
    /// Opens the file, creating it where there is none, and brings its tables to the newest form.
    ///
    /// # Errors
    /// Those of [`SqliteKeyStore::open`](super::SqliteKeyStore::open).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Handle::open(path.as_ref(), "clients", ()).map(Self)
    }

    fn read<T: Send + 'static>(
        &self,
        step: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Answer<T> {
        self.0.read(move |worker| {
            worker.still_there()?;
            // one moment: a client and its secrets are read by two statements
            let moment = worker.file.unchecked_transaction()?;
            step(&moment)
        })
    }
}

impl ClientStore for SqliteClientStore {
    fn insert(&self, client: ClientRecord) -> Answer<()> {
        self.0.write(move |file| client_rows::insert(file, &client))
    }

    fn by_id(&self, id: &str) -> Answer<Option<Arc<ClientRecord>>> {
        let id = id.to_owned();
        self.read(move |file| Ok(client_rows::by_id(file, &id)?.map(Arc::new)))
    }

    fn list(&self, scope: &ClientScope, after: Option<&str>, limit: usize) -> Answer<Vec<ClientRecord>> {
        let (scope, after) = (scope.clone(), after.map(str::to_owned));
        self.read(move |file| client_rows::list(file, &scope, after.as_deref(), limit))
    }

    fn change(&self, id: &str, change: ClientChange) -> Answer<Option<ClientRecord>> {
        let id = id.to_owned();
        self.0.write(move |file| {
            let Some(mut client) = client_rows::by_id(file, &id)? else { return Ok(None) };
            change.clone().apply(&mut client)?;
            client_rows::update(file, &client)?;
            if matches!(change, ClientChange::Rotate { .. }) {
                client_rows::replace_secrets(file, &client)?;
            }
            Ok(Some(client))
        })
    }

    fn delete(&self, id: &str) -> Answer<Removal> {
        let id = id.to_owned();
        self.0.write(move |file| client_rows::delete(file, &id))
    }
}

impl fmt::Debug for SqliteClientStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.describe("SqliteClientStore", f)
    }
}
