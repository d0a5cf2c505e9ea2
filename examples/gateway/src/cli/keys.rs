//! `gateway keys`: making, showing, changing, revoking and rotating API keys.

use std::sync::Arc;

use auth_core::api_key::{ApiKeyRecord, KeyStatus};
use auth_core::issue::{MintedKey, NewKey};
use auth_core::store::KeyScope;
use auth_core::{Clock as _, Now, SystemClock, Timestamp};
use serde_json::{Value, json};

use super::administration::{
    DataDirectory, Desk, actor, changed_networks, networks, permissions, plan, refused, say_done, say_one, texts,
};
use super::{CreateKey, Failure, KeysCommand, ListKeys, One, Output, RotateKey, Whose, columns, say};
use crate::config::{Config, Store};
use crate::start::waiting_runtime;

/// Does it, and prints the answer.
pub(super) fn run(command: &KeysCommand) -> Result<(), Failure> {
    let now = SystemClock.now();
    let runtime = waiting_runtime()?;
    match command {
        KeysCommand::Create(arguments) => {
            let config = configured(&arguments.whose)?;
            warn_of_unknown_permissions(&config, &arguments.permissions);
            let environment = config.api_keys.as_ref().and_then(|keys| keys.environment.as_deref().map(Arc::from));
            let wanted = wanted(arguments, environment, now)?;
            let desk = Desk::of(&arguments.whose, config, DataDirectory::ToBeMade)?;
            let acting = desk.administration.by(actor(), now);
            let minted = runtime.block_on(acting.create_key(wanted)).map_err(refused)?;
            say_minted(&minted, arguments.output)
        }
        KeysCommand::List(arguments) => {
            let desk = desk(&arguments.whose)?;
            let acting = desk.administration.by(actor(), now);
            let records = runtime.block_on(acting.keys(&scope(arguments), None, usize::MAX)).map_err(refused)?;
            say(&listed(&records, now, arguments.output))
        }
        KeysCommand::Revoke(arguments) => {
            let desk = desk(&arguments.whose)?;
            let acting = desk.administration.by(actor(), now);
            let record = runtime.block_on(acting.revoke_key(&arguments.id)).map_err(refused)?;
            say(&format!("{} ({}…) is revoked\n", record.id, record.shown))
        }
        KeysCommand::Rotate(arguments) => {
            let desk = desk(&arguments.whose)?;
            let RotateKey { id, overlap, output, .. } = arguments;
            let acting = desk.administration.by(actor(), now);
            let minted = runtime.block_on(acting.rotate_key(id, *overlap)).map_err(refused)?;
            say_minted(&minted, *output)
        }
        KeysCommand::Show(one) | KeysCommand::Disable(one) | KeysCommand::Enable(one) => {
            runtime.block_on(change(command, &desk(&one.whose)?, one, now))
        }
        KeysCommand::SetPlan(arguments) => {
            runtime.block_on(change(command, &desk(&arguments.one.whose)?, &arguments.one, now))
        }
        KeysCommand::SetPermissions(arguments) => {
            runtime.block_on(change(command, &desk(&arguments.one.whose)?, &arguments.one, now))
        }
        KeysCommand::SetNetworks(arguments) => {
            runtime.block_on(change(command, &desk(&arguments.one.whose)?, &arguments.one, now))
        }
    }
}

fn configured(whose: &Whose) -> Result<Config, Failure> {
    let config = whose.configuration()?;
    let Some(settings) = &config.api_keys else {
        return Err(Failure::Usage("the configuration has no [api_keys]".to_owned()));
    };
    if settings.store == Store::Memory {
        let why = "`store = \"memory\"` keeps keys in the serving process, where no command can reach them";
        return Err(Failure::Usage(why.to_owned()));
    }
    Ok(config)
}

/// Over a data directory that is there already.
fn desk(whose: &Whose) -> Result<Desk, Failure> {
    Desk::of(whose, configured(whose)?, DataDirectory::ToBeThere)
}

async fn change(command: &KeysCommand, desk: &Desk, one: &One, now: Now) -> Result<(), Failure> {
    let acting = desk.administration.by(actor(), now);
    let (changed, done) = match command {
        KeysCommand::Disable(_) => (acting.disable_key(&one.id).await, "is disabled"),
        KeysCommand::Enable(_) => (acting.enable_key(&one.id).await, "is enabled"),
        KeysCommand::SetPlan(arguments) => {
            desk.warn_of_unknown_plan(arguments.plan.as_deref());
            (acting.set_key_plan(&one.id, plan(arguments)).await, "is on another plan")
        }
        KeysCommand::SetPermissions(arguments) => {
            warn_of_unknown_permissions(&desk.config, &arguments.permissions);
            (acting.set_key_permissions(&one.id, permissions(arguments)).await, "has other permissions")
        }
        KeysCommand::SetNetworks(arguments) => {
            (acting.set_key_networks(&one.id, changed_networks(arguments)?).await, "works from other networks")
        }
        _ => return say_one(&described(&acting.key(&one.id).await.map_err(refused)?, Some(now)), one.output),
    };
    let key = changed.map_err(refused)?;
    say_done(&format!("{} ({}…) {done}", key.id, key.shown), &described(&key, Some(now)), one.output)
}

/// A permission that no route needs is most likely misspelt; it may still mean something to the upstream.
pub(super) fn warn_of_unknown_permissions(config: &Config, permissions: &[String]) {
    let implies = config.permissions.implies.iter();
    let named = implies.flat_map(|(name, implied)| std::iter::once(name).chain(implied)).map(String::as_str);
    let known: Vec<&str> = config.permissions_needed().into_iter().chain(named).collect();
    for permission in permissions.iter().filter(|name| !name.contains('*') && !known.contains(&name.as_str())) {
        eprintln!("warning: no route needs `{permission}`; the routes need {}", config.permissions_needed().join(", "));
    }
}

fn wanted(arguments: &CreateKey, environment: Option<Arc<str>>, now: Now) -> Result<NewKey, Failure> {
    let text = |text: &Option<String>| text.as_deref().map(Arc::from);
    let mut wanted = NewKey::new(arguments.name.as_str(), arguments.owner.as_str());
    wanted.description = text(&arguments.description);
    wanted.tenant = text(&arguments.tenant);
    wanted.plan = text(&arguments.plan);
    wanted.permissions = arguments.permissions.iter().map(String::as_str).collect();
    wanted.roles = arguments.roles.iter().map(String::as_str).collect();
    wanted.environment = text(&arguments.environment).or(environment);
    wanted.expires = arguments.expires_in.map(|span| now.wall.saturating_add(span));
    wanted.networks = networks(&arguments.networks)?;
    Ok(wanted)
}

fn scope(arguments: &ListKeys) -> KeyScope {
    arguments.tenant.as_deref().map_or(KeyScope::All, |tenant| KeyScope::Tenant(tenant.into()))
}

fn say_minted(minted: &MintedKey, output: Output) -> Result<(), Failure> {
    let key = minted.key.expose_text().unwrap_or_default();
    if output == Output::Json {
        let mut json = described(&minted.record, None);
        json["key"] = json!(key);
        return say(&format!("{json:#}\n"));
    }
    eprintln!("{} was made; the key is not shown again", minted.record.id);
    say(&format!("{key}\n"))
}

fn listed(records: &[ApiKeyRecord], now: Now, output: Output) -> String {
    if output == Output::Json {
        let all: Vec<Value> = records.iter().map(|record| described(record, Some(now))).collect();
        return format!("{:#}\n", Value::Array(all));
    }
    let heads = ["ID", "BEGINS", "NAME", "OWNER", "TENANT", "PERMISSIONS", "STATUS", "ENDS", "LAST USED"];
    let rows = records.iter().map(|record| {
        let text = |text: &Option<Arc<str>>| text.as_deref().unwrap_or("-").to_owned();
        let time = |time: Option<Timestamp>| time.map_or_else(|| "-".to_owned(), Timestamp::to_rfc3339);
        [
            record.id.to_string(),
            format!("{}…", record.shown),
            record.name.to_string(),
            record.owner.to_string(),
            text(&record.tenant),
            record.permissions.iter().collect::<Vec<_>>().join(","),
            status(record, now).to_owned(),
            time(record.end()),
            time(record.last_used),
        ]
    });
    columns(heads, rows)
}

fn status(record: &ApiKeyRecord, now: Now) -> &'static str {
    match record.status {
        KeyStatus::Revoked => "revoked",
        KeyStatus::Disabled => "disabled",
        KeyStatus::Suspended => "suspended",
        KeyStatus::Active if record.check(now.wall).is_err() => "ended",
        KeyStatus::Active if record.succession.is_some() => "replaced",
        KeyStatus::Active => "active",
    }
}

/// Everything about a key that is no secret.
fn described(record: &ApiKeyRecord, now: Option<Now>) -> Value {
    let time = |time: Option<Timestamp>| time.map(Timestamp::to_rfc3339);
    let mut json = json!({
        "id": &*record.id,
        "begins": &*record.shown,
        "name": &*record.name,
        "description": record.description.as_deref(),
        "owner": &*record.owner,
        "tenant": record.tenant.as_deref(),
        "plan": record.plan.as_deref(),
        "environment": record.environment.as_deref(),
        "permissions": record.permissions.iter().collect::<Vec<_>>(),
        "networks": texts(record.networks.as_ref()),
        "roles": record.roles.iter().collect::<Vec<_>>(),
        "created": record.created.to_rfc3339(),
        "ends": time(record.end()),
        "last_used": time(record.last_used),
        "rotated_from": record.rotated_from.as_deref(),
        "replaced_by": record.succession.as_ref().map(|succession| &*succession.successor),
    });
    if let Some(now) = now {
        json["status"] = json!(status(record, now));
    }
    json
}
