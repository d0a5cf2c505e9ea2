//! `gateway trust`: partners whose word opens sessions.

use std::fs;
use std::path::PathBuf;

use auth_core::trust::{PublicKeys, Reach, TrustRecord, TrustStatus};
use clap::builder::{BoolishValueParser, TypedValueParser as _};
use clap::{ArgAction, Args, Subcommand};
use serde_json::{Value, json};

use super::administration::{DataDirectory, Desk, actor, now, or_dash, refused, say_done, say_one};
use super::administration_arguments::{ListAll, One};
use super::{Failure, Output, Whose, columns, say};
use crate::start::waiting_runtime;

/// What to do with partners.
#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// Register a partner: from then on, what it signs logs its users in.
    Add(Box<AddPartner>),
    /// Show a partner, by its id or its issuer.
    Show(One),
    /// Show which partners there are.
    List(ListAll),
    /// Give a partner other keys in the place of those before.
    SetKeys(SetKeys),
    /// Take nothing of a partner any more, until `enable`. Sessions that it opened go on: `users end-sessions` ends them.
    Disable(One),
    /// Take what a partner signs again.
    Enable(One),
    /// Forget a partner, and end every session that it opened.
    Remove(One),
}

/// The partner to register.
#[derive(Args, Debug)]
pub struct AddPartner {
    /// Whose configuration and data.
    #[command(flatten)]
    pub whose: Whose,
    /// What its assertions have as `iss`.
    #[arg(long)]
    pub issuer: String,
    /// Its public keys: PEM, one or more in a file, or a JWK Set.
    #[arg(long, value_name = "FILE")]
    pub keys: PathBuf,
    /// The tenant whose accounts it may speak for.
    #[arg(long, required_unless_present = "every_tenant")]
    pub tenant: Option<String>,
    /// It may speak for every account, of whatever tenant.
    #[arg(long, conflicts_with = "tenant")]
    pub every_tenant: bool,
    /// What it is called.
    #[arg(long)]
    pub name: Option<String>,
    /// Answer in JSON.
    #[arg(long = "json", action = ArgAction::SetTrue, value_parser = BoolishValueParser::new().map(Output::from))]
    pub output: Output,
}

/// Other keys.
#[derive(Args, Debug)]
pub struct SetKeys {
    /// Whose.
    #[command(flatten)]
    pub one: One,
    /// The public keys: PEM, one or more in a file, or a JWK Set.
    #[arg(long, value_name = "FILE")]
    pub keys: PathBuf,
}

/// Does it, and prints the answer.
pub(super) fn run(command: &TrustCommand) -> Result<(), Failure> {
    let runtime = waiting_runtime()?;
    match command {
        TrustCommand::Add(arguments) => {
            let desk = desk(&arguments.whose, DataDirectory::ToBeMade)?;
            runtime.block_on(add(arguments, &desk))
        }
        TrustCommand::List(arguments) => {
            let desk = desk(&arguments.whose, DataDirectory::ToBeThere)?;
            runtime.block_on(list(arguments, &desk))
        }
        TrustCommand::Show(one)
        | TrustCommand::SetKeys(SetKeys { one, .. })
        | TrustCommand::Disable(one)
        | TrustCommand::Enable(one)
        | TrustCommand::Remove(one) => {
            let desk = desk(&one.whose, DataDirectory::ToBeThere)?;
            runtime.block_on(change(command, one, &desk))
        }
    }
}

fn desk(whose: &Whose, directory: DataDirectory) -> Result<Desk, Failure> {
    let desk = Desk::for_accounts(whose, directory)?;
    if desk.config.accounts.as_ref().is_none_or(|accounts| accounts.assertions.is_none()) {
        return Err(Failure::Usage("the configuration has no [accounts.assertions]".to_owned()));
    }
    Ok(desk)
}

async fn add(arguments: &AddPartner, desk: &Desk) -> Result<(), Failure> {
    let reach = arguments.tenant.as_deref().map_or(Reach::Everybody, |tenant| Reach::Tenant(tenant.into()));
    let acting = desk.administration.by(actor(), now());
    if let Reach::Tenant(tenant) = &reach
        && acting.tenant(tenant).await.is_err()
    {
        eprintln!("warning: there is no tenant `{}` yet", tenant.escape_debug());
    }
    let keys = keys(&arguments.keys)?;
    let added = acting.add_partner(&arguments.issuer, keys, reach, arguments.name.as_deref()).await;
    let partner = added.map_err(refused)?;
    say_done(&format!("{} was registered", partner.id), &described(&partner), arguments.output)
}

async fn list(arguments: &ListAll, desk: &Desk) -> Result<(), Failure> {
    let partners = desk.administration.by(actor(), now()).partners().await.map_err(refused)?;
    if arguments.output == Output::Json {
        return say(&format!("{:#}\n", Value::Array(partners.iter().map(described).collect())));
    }
    let rows = partners.iter().map(|partner| {
        [
            partner.id.to_string(),
            partner.issuer.to_string(),
            or_dash(tenant(partner)),
            status(partner).to_owned(),
            partner.created.to_rfc3339(),
        ]
    });
    say(&columns(["ID", "ISSUER", "TENANT", "STATUS", "CREATED"], rows))
}

async fn change(command: &TrustCommand, one: &One, desk: &Desk) -> Result<(), Failure> {
    let acting = desk.administration.by(actor(), now());
    let (changed, done) = match command {
        TrustCommand::Disable(_) => (acting.disable_partner(&one.id).await, "is disabled"),
        TrustCommand::Enable(_) => (acting.enable_partner(&one.id).await, "is enabled"),
        TrustCommand::SetKeys(arguments) => {
            (acting.set_partner_keys(&one.id, keys(&arguments.keys)?).await, "signs with other keys")
        }
        TrustCommand::Remove(_) => {
            let partner = acting.partner(&one.id).await.map_err(refused)?;
            (acting.remove_partner(&one.id).await.map(|()| partner), "is forgotten")
        }
        _ => return say_one(&described(&acting.partner(&one.id).await.map_err(refused)?), one.output),
    };
    let partner = changed.map_err(refused)?;
    say_done(&format!("{} {done}", partner.id), &described(&partner), one.output)
}

fn keys(file: &PathBuf) -> Result<PublicKeys, Failure> {
    let wrong = |why: &dyn std::fmt::Display| Failure::Usage(format!("{}: {why}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| wrong(&error))?;
    PublicKeys::parse(&text).map_err(|error| wrong(&error))
}

fn tenant(partner: &TrustRecord) -> Option<&str> {
    match &partner.reach {
        Reach::Tenant(tenant) => Some(tenant),
        Reach::Everybody => None,
    }
}

fn status(partner: &TrustRecord) -> &'static str {
    match partner.status {
        TrustStatus::Active => "active",
        TrustStatus::Disabled => "disabled",
    }
}

fn described(partner: &TrustRecord) -> Value {
    json!({
        "id": &*partner.id,
        "issuer": &*partner.issuer,
        "name": partner.name.as_deref(),
        "tenant": tenant(partner),
        "status": status(partner),
        "created": partner.created.to_rfc3339(),
    })
}
