//! `gateway clients`: making, showing, changing, rotating and deleting OAuth clients.

use std::path::PathBuf;
use std::sync::Arc;

use auth_core::client::{ClientRecord, ClientStatus, Grant};
use auth_core::issue::{FreshClient, NewClient};
use auth_core::{Now, Timestamp};
use serde_json::{Value, json};

use super::administration::{
    DataDirectory, Desk, actor, changed_networks, networks, now, or_dash, permissions, plan, refused, say_done,
    say_one, texts, time,
};
use super::client_arguments::{ClientsCommand, CreateClient, ListClients, RotateClient};
use super::{Failure, One, Output, Whose, columns, say, warn_of_unknown_permissions};
use crate::config::{Config, Store};
use crate::start::waiting_runtime;

/// How many are read in one step.
const PAGE: usize = 500;

/// Does it, and prints the answer.
pub(super) fn run(command: &ClientsCommand) -> Result<(), Failure> {
    let runtime = waiting_runtime()?;
    let changing = |one: &One| runtime.block_on(change(command, &desk(&one.whose)?, one));
    match command {
        ClientsCommand::Create(arguments) => {
            let config = configured(&arguments.whose)?;
            warn_of_unknown_permissions(&config, &arguments.permissions);
            let desk = Desk::of(&arguments.whose, config, DataDirectory::ToBeMade)?;
            desk.warn_of_unknown_plan(arguments.plan.as_deref());
            let acting = desk.administration.by(actor(), now());
            let fresh = runtime.block_on(acting.create_client(wanted(arguments, now())?)).map_err(refused)?;
            say_fresh(&fresh, arguments.output)
        }
        ClientsCommand::List(arguments) => runtime.block_on(list(arguments, &desk(&arguments.all.whose)?)),
        ClientsCommand::Rotate(arguments) => {
            let RotateClient { one, overlap } = arguments;
            let desk = desk(&one.whose)?;
            let usual = desk.config.clients.as_ref().map(|clients| clients.overlap).unwrap_or_default();
            let acting = desk.administration.by(actor(), now());
            let fresh = runtime.block_on(acting.rotate_client(&one.id, overlap.unwrap_or(usual))).map_err(refused)?;
            say_fresh(&fresh, one.output)
        }
        ClientsCommand::Delete(one) => {
            let desk = desk(&one.whose)?;
            let acting = desk.administration.by(actor(), now());
            runtime.block_on(acting.delete_client(&one.id)).map_err(refused)?;
            say_done(
                &format!("{} is deleted", one.id),
                &json!({ "client_id": one.id, "status": "deleted" }),
                one.output,
            )
        }
        ClientsCommand::Show(one) | ClientsCommand::Disable(one) | ClientsCommand::Enable(one) => changing(one),
        ClientsCommand::SetPlan(arguments) => changing(&arguments.one),
        ClientsCommand::SetPermissions(arguments) => changing(&arguments.one),
        ClientsCommand::SetNetworks(arguments) => changing(&arguments.one),
        ClientsCommand::SetGrants(arguments) => changing(&arguments.one),
        ClientsCommand::SetKeys(arguments) => changing(&arguments.one),
        ClientsCommand::SetExpiry(arguments) => changing(&arguments.one),
    }
}

fn configured(whose: &Whose) -> Result<Config, Failure> {
    let config = whose.configuration()?;
    let Some(settings) = &config.clients else {
        return Err(Failure::Usage("the configuration has no [clients]".to_owned()));
    };
    if settings.store == Store::Memory {
        let why = "`store = \"memory\"` keeps clients in the serving process, where no command can reach them";
        return Err(Failure::Usage(why.to_owned()));
    }
    Ok(config)
}

/// Over a data directory that is there already.
fn desk(whose: &Whose) -> Result<Desk, Failure> {
    Desk::of(whose, configured(whose)?, DataDirectory::ToBeThere)
}

async fn list(arguments: &ListClients, desk: &Desk) -> Result<(), Failure> {
    let acting = desk.administration.by(actor(), now());
    let mut clients: Vec<ClientRecord> = Vec::new();
    loop {
        let after = clients.last().map(|client| Arc::clone(&client.id));
        let page = acting.clients(arguments.tenant.as_deref(), after.as_deref(), PAGE).await.map_err(refused)?;
        let is_last = page.len() < PAGE;
        clients.extend(page);
        if is_last {
            break;
        }
    }
    let now = now();
    if arguments.all.output == Output::Json {
        let all = clients.iter().map(|client| described(client, now)).collect();
        return say(&format!("{:#}\n", Value::Array(all)));
    }
    let heads = ["ID", "NAME", "TENANT", "PLAN", "ENVIRONMENT", "PERMISSIONS", "GRANTS", "STATUS", "ENDS", "LAST USED"];
    let rows = clients.iter().map(|client| {
        [
            client.id.to_string(),
            client.name.to_string(),
            or_dash(client.tenant.as_deref()),
            or_dash(client.plan.as_deref()),
            or_dash(client.environment.as_deref()),
            client.permissions.iter().collect::<Vec<_>>().join(","),
            client.grants.iter().map(Grant::as_str).collect::<Vec<_>>().join(","),
            status(client, now).to_owned(),
            or_dash(time(client.expires).as_deref()),
            or_dash(time(client.last_used).as_deref()),
        ]
    });
    say(&columns(heads, rows))
}

async fn change(command: &ClientsCommand, desk: &Desk, one: &One) -> Result<(), Failure> {
    let now = now();
    let acting = desk.administration.by(actor(), now);
    let (changed, done) = match command {
        ClientsCommand::Disable(_) => (acting.disable_client(&one.id).await, "is disabled"),
        ClientsCommand::Enable(_) => (acting.enable_client(&one.id).await, "is enabled"),
        ClientsCommand::SetPlan(arguments) => {
            desk.warn_of_unknown_plan(arguments.plan.as_deref());
            (acting.set_client_plan(&one.id, plan(arguments)).await, "is on another plan")
        }
        ClientsCommand::SetPermissions(arguments) => {
            warn_of_unknown_permissions(&desk.config, &arguments.permissions);
            (acting.set_client_permissions(&one.id, permissions(arguments)).await, "has other permissions")
        }
        ClientsCommand::SetNetworks(arguments) => {
            (acting.set_client_networks(&one.id, changed_networks(arguments)?).await, "works from other networks")
        }
        ClientsCommand::SetGrants(arguments) => {
            let grants = arguments.grants.iter().copied().collect();
            (acting.set_client_grants(&one.id, grants).await, "has other grants")
        }
        ClientsCommand::SetKeys(arguments) => {
            let read = |file: &PathBuf| {
                let text = std::fs::read_to_string(file);
                text.map_err(|error| Failure::Obstacle(format!("cannot read {}: {error}", file.display())))
            };
            let keys = arguments.jwks_file.as_ref().map(read).transpose()?;
            (acting.set_client_keys(&one.id, keys.map(Arc::from)).await, "has other keys")
        }
        ClientsCommand::SetExpiry(arguments) => {
            let end = arguments.expires_in.map(|span| now.wall.saturating_add(span));
            (acting.set_client_expiry(&one.id, end).await, "has another end")
        }
        _ => return say_one(&described(&*acting.client(&one.id).await.map_err(refused)?, now), one.output),
    };
    let client = changed.map_err(refused)?;
    say_done(&format!("{} {done}", client.id), &described(&client, now), one.output)
}

fn wanted(arguments: &CreateClient, now: Now) -> Result<NewClient, Failure> {
    let text = |text: &Option<String>| text.as_deref().map(Arc::from);
    let mut wanted = NewClient::new(arguments.name.as_str());
    wanted.id = text(&arguments.id);
    wanted.tenant = text(&arguments.tenant);
    wanted.plan = text(&arguments.plan);
    wanted.environment = text(&arguments.environment);
    wanted.permissions = arguments.permissions.iter().map(String::as_str).collect();
    wanted.networks = networks(&arguments.networks)?;
    if !arguments.grants.is_empty() {
        wanted.grants = arguments.grants.iter().copied().collect();
    }
    wanted.expires = arguments.expires_in.map(|span| now.wall.saturating_add(span));
    Ok(wanted)
}

/// Both on lines of their own, for programs to read; everything about the client to those who ask for JSON.
fn say_fresh(fresh: &FreshClient, output: Output) -> Result<(), Failure> {
    let (id, secret) = (&fresh.record.id, fresh.secret.expose_text().unwrap_or_default());
    if output == Output::Json {
        let mut json = described(&fresh.record, now());
        json["client_secret"] = json!(secret);
        return say(&format!("{json:#}\n"));
    }
    eprintln!("the secret of {id} is not shown again");
    say(&format!("{id}\n{secret}\n"))
}

fn status(client: &ClientRecord, now: Now) -> &'static str {
    match client.status {
        ClientStatus::Disabled => "disabled",
        ClientStatus::Active if !client.is_usable(now.wall) => "ended",
        ClientStatus::Active => "active",
    }
}

/// Everything about a client that is no secret.
fn described(client: &ClientRecord, now: Now) -> Value {
    let in_force = client.secrets.iter().filter(|secret| secret.is_in_force(now.wall));
    let secrets = in_force.map(|secret| match secret.ends {
        None => format!("made {}", secret.created.to_rfc3339()),
        Some(end) => format!("made {}, ends {}", secret.created.to_rfc3339(), Timestamp::to_rfc3339(end)),
    });
    json!({
        "client_id": &*client.id,
        "name": &*client.name,
        "tenant": client.tenant.as_deref(),
        "plan": client.plan.as_deref(),
        "environment": client.environment.as_deref(),
        "permissions": client.permissions.iter().collect::<Vec<_>>(),
        "networks": texts(client.networks.as_ref()),
        "grants": client.grants.iter().map(Grant::as_str).collect::<Vec<_>>(),
        "status": status(client, now),
        "created": client.created.to_rfc3339(),
        "ends": time(client.expires),
        "last_used": time(client.last_used),
        "secrets": secrets.collect::<Vec<_>>(),
        "public_keys": client.public_keys.as_deref(),
    })
}
