//! Accounts as rows, and the statements that read and write them.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use crate::account::{AccountRecord, AccountStatus, LoginName, PasswordHash, SealedSecret, SecondFactor};
use crate::api_key::KeyDigest;
use crate::clock::Timestamp;
use crate::store::AccountScope;

use super::fault::Fault;
use super::rows::{json, names, networks, texts, time, unreadable};

/// Reads one row of `SELECT * FROM accounts`.
fn record(row: &Row<'_>) -> Result<AccountRecord, rusqlite::Error> {
    let created = Timestamp::from_unix_micros(row.get("created")?);
    let mut record = AccountRecord::new(row.get::<_, Arc<str>>("id")?, created);
    record.email = login_name(row, "email")?;
    record.user_name = login_name(row, "user_name")?;
    record.name = row.get("name")?;
    record.tenant = row.get("tenant")?;
    record.plan = row.get("plan")?;
    record.kind = row.get("kind")?;
    record.roles = names(row, "roles")?;
    record.permissions = names(row, "permissions")?;
    record.networks = networks(row, "networks")?;
    record.status = status(row)?;
    record.email_verified = time(row, "email_verified")?;
    record.password = row.get::<_, Option<String>>("password")?.map(|text| hash("password", &text)).transpose()?;
    let recent = texts(row, "recent_passwords")?;
    record.recent_passwords = recent.iter().map(|text| hash("recent_passwords", text)).collect::<Result<_, _>>()?;
    record.generation = number(row, "generation")?;
    record.second_factor = second_factor(row)?;
    record.password_changed = time(row, "password_changed")?;
    record.last_login = time(row, "last_login")?;
    Ok(record)
}

pub(super) fn by_id(file: &Connection, id: &str) -> Result<Option<AccountRecord>, Fault> {
    Ok(file.prepare_cached("SELECT * FROM accounts WHERE id = ?1")?.query_row([id], record).optional()?)
}

pub(super) fn by_login(file: &Connection, folded: &str) -> Result<Option<AccountRecord>, Fault> {
    let mut statement =
        file.prepare_cached("SELECT * FROM accounts WHERE id = (SELECT account FROM login_names WHERE folded = ?1)")?;
    Ok(statement.query_row([folded], record).optional()?)
}

pub(super) fn list(
    file: &Connection,
    scope: &AccountScope,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<AccountRecord>, Fault> {
    let (condition, tenant) = match scope {
        AccountScope::All => ("?1 IS NULL", None),
        AccountScope::Tenant(tenant) => ("tenant = ?1", Some(tenant)),
    };
    let following = match after {
        None => "?2 IS NULL",
        Some(_) => "(created, id) > (SELECT created, id FROM accounts WHERE id = ?2)",
    };
    let mut statement = file.prepare_cached(&format!(
        "SELECT * FROM accounts WHERE {condition} AND {following} ORDER BY created, id LIMIT ?3"
    ))?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(statement.query_map((tenant, after, limit), record)?.collect::<Result<_, _>>()?)
}

pub(super) fn insert(file: &Connection, record: &AccountRecord) -> Result<(), Fault> {
    write(
        file,
        "INSERT INTO accounts (id, email, user_name, name, tenant, plan, kind, roles, permissions, networks, status,
             email_verified, password, recent_passwords, generation, factor, factor_secret, factor_since, factor_step,
             recovery, created, password_changed, last_login)
         VALUES (:id, :email, :user_name, :name, :tenant, :plan, :kind, :roles, :permissions, :networks, :status,
             :email_verified, :password, :recent_passwords, :generation, :factor, :factor_secret, :factor_since,
             :factor_step, :recovery, :created, :password_changed, :last_login)",
        record,
    )?;
    add_names(file, record)
}

/// Writes everything but the names it is found by.
pub(super) fn update(file: &Connection, record: &AccountRecord) -> Result<(), Fault> {
    write(
        file,
        "UPDATE accounts SET email = :email, user_name = :user_name, name = :name, tenant = :tenant, plan = :plan,
             kind = :kind, roles = :roles, permissions = :permissions, networks = :networks, status = :status,
             email_verified = :email_verified, password = :password, recent_passwords = :recent_passwords,
             generation = :generation, factor = :factor, factor_secret = :factor_secret, factor_since = :factor_since,
             factor_step = :factor_step, recovery = :recovery, created = :created,
             password_changed = :password_changed, last_login = :last_login
         WHERE id = :id",
        record,
    )
}

/// Writes the names it is found by; a conflict where one is another account's.
pub(super) fn rename(file: &Connection, record: &AccountRecord) -> Result<(), Fault> {
    file.prepare_cached("DELETE FROM login_names WHERE account = ?1")?.execute([&record.id])?;
    add_names(file, record)
}

fn add_names(file: &Connection, record: &AccountRecord) -> Result<(), Fault> {
    let mut statement = file.prepare_cached("INSERT INTO login_names (folded, account) VALUES (?1, ?2)")?;
    for name in record.login_names() {
        statement.execute([name.folded(), &record.id])?;
    }
    Ok(())
}

fn write(file: &Connection, statement: &str, record: &AccountRecord) -> Result<(), Fault> {
    let (factor, secret, since, step, recovery) = match &record.second_factor {
        SecondFactor::None => ("none", None, None, None, None),
        SecondFactor::Enrolling { secret, since } => ("enrolling", Some(secret), Some(*since), None, None),
        SecondFactor::Confirmed { secret, last_step, recovery } => {
            ("confirmed", Some(secret), None, Some(signed(*last_step)), Some(recovery))
        }
    };
    file.prepare_cached(statement)?.execute(named_params! {
        ":id": &record.id,
        ":email": record.email.as_ref().map(LoginName::written),
        ":user_name": record.user_name.as_ref().map(LoginName::written),
        ":name": &record.name,
        ":tenant": &record.tenant,
        ":plan": &record.plan,
        ":kind": &record.kind,
        ":roles": json(record.roles.iter()),
        ":permissions": json(record.permissions.iter()),
        ":networks": record.networks.as_ref().map(|set| json(set.iter())),
        ":status": match record.status { AccountStatus::Active => "active", AccountStatus::Disabled => "disabled" },
        ":email_verified": record.email_verified.map(Timestamp::unix_micros),
        ":password": record.password.as_ref().map(PasswordHash::as_str),
        ":recent_passwords": json(record.recent_passwords.iter().map(PasswordHash::as_str)),
        ":generation": signed(record.generation),
        ":factor": factor,
        ":factor_secret": secret.map(SealedSecret::as_bytes),
        ":factor_since": since.map(Timestamp::unix_micros),
        ":factor_step": step,
        ":recovery": recovery.map(|codes| codes.iter().flat_map(|code| *code.as_bytes()).collect::<Vec<u8>>()),
        ":created": record.created.unix_micros(),
        ":password_changed": record.password_changed.map(Timestamp::unix_micros),
        ":last_login": record.last_login.map(Timestamp::unix_micros),
    })?;
    Ok(())
}

pub(super) fn note_source(
    file: &Connection,
    account: &str,
    source: &str,
    at: Timestamp,
    keep: usize,
) -> Result<(), Fault> {
    file.prepare_cached(
        "INSERT INTO login_sources (account, source, seen) SELECT id, ?2, ?3 FROM accounts WHERE id = ?1
         ON CONFLICT (account, source) DO UPDATE SET seen = max(seen, excluded.seen)",
    )?
    .execute((account, source, at.unix_micros()))?;
    file.prepare_cached(
        "DELETE FROM login_sources WHERE account = ?1 AND source NOT IN
             (SELECT source FROM login_sources WHERE account = ?1 ORDER BY seen DESC, source LIMIT ?2)",
    )?
    .execute((account, i64::try_from(keep).unwrap_or(i64::MAX)))?;
    Ok(())
}

pub(super) fn knows_source(file: &Connection, account: &str, source: &str, since: Timestamp) -> Result<bool, Fault> {
    let mut statement =
        file.prepare_cached("SELECT 1 FROM login_sources WHERE account = ?1 AND source = ?2 AND seen >= ?3")?;
    Ok(statement.exists((account, source, since.unix_micros()))?)
}

/// SQLite has no unsigned numbers. None of ours gets anywhere near the end of the signed ones.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn number(row: &Row<'_>, column: &'static str) -> Result<u64, rusqlite::Error> {
    u64::try_from(row.get::<_, i64>(column)?).map_err(|error| unreadable(column, error))
}

fn login_name(row: &Row<'_>, column: &'static str) -> Result<Option<LoginName>, rusqlite::Error> {
    let Some(written) = row.get::<_, Option<String>>(column)? else { return Ok(None) };
    LoginName::fold(&written).map(Some).map_err(|error| unreadable(column, error))
}

fn hash(column: &'static str, text: &str) -> Result<PasswordHash, rusqlite::Error> {
    PasswordHash::parse(text).map_err(|error| unreadable(column, error))
}

fn status(row: &Row<'_>) -> Result<AccountStatus, rusqlite::Error> {
    match row.get_ref("status")?.as_str()? {
        "active" => Ok(AccountStatus::Active),
        "disabled" => Ok(AccountStatus::Disabled),
        _ => Err(unreadable("status", crate::ConfigError::new("it is none of the known ones"))),
    }
}

fn second_factor(row: &Row<'_>) -> Result<SecondFactor, rusqlite::Error> {
    let secret = || Ok::<_, rusqlite::Error>(SealedSecret::from_bytes(row.get::<_, Vec<u8>>("factor_secret")?));
    match row.get_ref("factor")?.as_str()? {
        "none" => Ok(SecondFactor::None),
        "enrolling" => Ok(SecondFactor::Enrolling {
            secret: secret()?,
            since: Timestamp::from_unix_micros(row.get("factor_since")?),
        }),
        "confirmed" => {
            let codes: Vec<u8> = row.get("recovery")?;
            let (codes, _) = codes.as_chunks::<32>();
            let recovery = codes.iter().map(|code| KeyDigest::from_bytes(*code)).collect();
            Ok(SecondFactor::Confirmed { secret: secret()?, last_step: number(row, "factor_step")?, recovery })
        }
        _ => Err(unreadable("factor", crate::ConfigError::new("it is none of the known ones"))),
    }
}
