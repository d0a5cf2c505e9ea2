//! What SQLite complains about, as what a store may answer.

use rusqlite::ErrorCode;

use crate::error::StoreError;

/// Why a step failed, as long as it matters whether SQLite was merely busy.
#[derive(Debug)]
pub(super) enum Fault {
    /// SQLite said so.
    Sqlite(rusqlite::Error),
    /// The step itself said so.
    Store(StoreError),
}

impl Fault {
    pub(super) fn unreadable(why: &str) -> Self {
        Self::Store(StoreError::Corrupt(why.to_owned()))
    }

    /// Whether another connection was in the way and trying again helps.
    pub(super) fn is_busy(&self) -> bool {
        let Self::Sqlite(error) = self else { return false };
        matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }

    /// Whether one row holds something unreadable, while SQLite itself is well.
    pub(super) fn is_about_a_row(&self) -> bool {
        matches!(self, Self::Sqlite(error) if error.sqlite_error_code().is_none())
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// SQLite's messages name tables and columns, never values.
impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        let error = match fault {
            Fault::Store(error) => return error,
            Fault::Sqlite(error) => error,
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => Self::Conflict,
            Some(ErrorCode::NotADatabase) => {
                Self::Corrupt("it is no SQLite database and was left as it is; name another file or restore it".into())
            }
            // without a code it is a value of the wrong type or form, found while reading a row
            Some(ErrorCode::DatabaseCorrupt) | None => Self::Corrupt(error.to_string()),
            Some(_) => Self::Unavailable(error.to_string()),
        }
    }
}
