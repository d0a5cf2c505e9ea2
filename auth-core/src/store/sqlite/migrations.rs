//! The one way in which the file's tables come to be and change.
//!
//! Each step is applied once, in order, in one transaction with the number that says so (`PRAGMA user_version`).
//! Steps are never edited after a release; what is wrong with one is put right by the next. A file that a newer
//! version wrote is refused, since this one cannot know what its tables mean.

use rusqlite::{Connection, TransactionBehavior};

use super::fault::Fault;

/// Says in the file's header whose it is: `auth` in ASCII.
const APPLICATION_ID: i32 = 0x6175_7468;

const STEPS: &[&str] = &[
    include_str!("0001_api_keys.sql"),
    include_str!("0002_opaque_tokens.sql"),
    include_str!("0003_revocations.sql"),
    include_str!("0004_accounts.sql"),
    include_str!("0005_usage.sql"),
    include_str!("0006_suspended_keys.sql"),
    include_str!("0007_trust.sql"),
    include_str!("0008_links.sql"),
    include_str!("0009_clients.sql"),
    include_str!("0010_owner_networks.sql"),
    include_str!("0011_session_clients.sql"),
    include_str!("0012_revoked_keys.sql"),
    include_str!("0013_session_vouchers.sql"),
];

/// Whether the file is empty or ours, without changing it.
pub(super) fn recognise(file: &Connection) -> Result<(), Fault> {
    // one transaction: between two reads another process could have created the tables
    let moment = file.unchecked_transaction()?;
    let application: i32 = moment.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application == APPLICATION_ID {
        return known_version(&moment).map(|_| ());
    }
    let tables: i64 = moment.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != 0 || tables != 0 {
        return Err(Fault::unreadable("it belongs to another program; name another file"));
    }
    Ok(())
}

/// Brings the tables to the newest form. Several processes may do so at once; each step is applied by one of them.
pub(super) fn apply(file: &mut Connection) -> Result<(), Fault> {
    if known_version(file)? == STEPS.len() {
        return Ok(());
    }
    let transaction = file.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // somebody else may have been faster while the lock was waited for
    let done = known_version(&transaction)?;
    for step in STEPS.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", u32::try_from(STEPS.len()).unwrap_or(u32::MAX))?;
    Ok(transaction.commit()?)
}

fn known_version(file: &Connection) -> Result<usize, Fault> {
    let version: i64 = file.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match usize::try_from(version) {
        Ok(known) if known <= STEPS.len() => Ok(known),
        _ => Err(Fault::unreadable(&format!(
            "its tables have version {version} and this program knows versions up to {}; run the newer program",
            STEPS.len()
        ))),
    }
}
