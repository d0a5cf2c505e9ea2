//! A connection to a file that is ours.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use crate::error::StoreError;

use super::fault::Fault;
use super::migrations;
use super::worker::{PAUSE, READ_PATIENCE};

/// How long opening waits for another process that is just creating the tables.
const OPENING_PATIENCE: Duration = Duration::from_secs(5);

/// Opens the file, creates it where there is none, and brings its tables to the newest form.
pub(super) fn connect(path: &Path) -> Result<Connection, Fault> {
    create(path).map_err(|error| StoreError::Unavailable(format!("it cannot be opened: {error}")))?;
    let mut file =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    file.busy_timeout(OPENING_PATIENCE)?;
    file.set_prepared_statement_cache_capacity(32);
    // nothing is written before it is known whose file it is
    migrations::recognise(&file)?;
    if file.is_readonly("main")? {
        return Err(StoreError::Unavailable("it may not be written".into()).into());
    }
    let mode = write_ahead(&file)?;
    if mode != "wal" {
        return Err(StoreError::Unavailable("its file system has no shared memory; use a local disk".into()).into());
    }
    // FULL synchronises the log before every answer; triggers and views in the file run nothing but plain SQL
    file.execute_batch("PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")?;
    migrations::apply(&mut file)?;
    file.busy_timeout(READ_PATIENCE)?;
    Ok(file)
}

/// Switches to the write-ahead log and answers the mode the file has then.
///
/// SQLite does not wait when two connections do so at once: each holds what the other needs, and both are told that
/// the file is busy. So it is tried again.
fn write_ahead(file: &Connection) -> Result<String, Fault> {
    let end = Instant::now() + OPENING_PATIENCE;
    loop {
        let switched: Result<String, _> =
            file.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)).map_err(Fault::from);
        match switched {
            Err(fault) if fault.is_busy() && Instant::now() < end => std::thread::sleep(PAUSE),
            settled => return settled,
        }
    }
}

/// Creates an empty file that nobody else may read, where there is none; SQLite takes over its mode for the log.
fn create(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
