//! `gateway users`: those who have an account.

use std::sync::Arc;

use auth_core::account::{AccountLink, AccountRecord, AccountStatus, LoginName, SecondFactor};
use auth_core::issue::{Administering, NewAccount, TenantFor};
use serde_json::{Value, json};

use super::administration::{
    DataDirectory, Desk, Password, actor, changed_networks, networks, now, or_dash, permissions, plan, refused,
    say_done, say_one, texts, time,
};
use super::administration_arguments::{CreateUser, Linked, ListUsers, One, ResetPassword, UsersCommand};
use super::{Failure, Output, Whose, columns, say, warn_of_unknown_permissions};
use crate::start::waiting_runtime;

/// How many are read in one step.
const PAGE: usize = 500;

/// Does it, and prints the answer.
pub(super) fn run(command: &UsersCommand) -> Result<(), Failure> {
    let there = |whose: &Whose| Desk::for_accounts(whose, DataDirectory::ToBeThere);
    let runtime = waiting_runtime()?;
    let changing = |one: &One| runtime.block_on(change(command, &there(&one.whose)?, one));
    match command {
        UsersCommand::Create(arguments) => {
            let desk = Desk::for_accounts(&arguments.whose, DataDirectory::ToBeMade)?;
            runtime.block_on(create(arguments, &desk))
        }
        UsersCommand::List(arguments) => runtime.block_on(list(arguments, &there(&arguments.all.whose)?)),
        UsersCommand::ResetPassword(arguments) => {
            runtime.block_on(reset_password(arguments, &there(&arguments.one.whose)?))
        }
        UsersCommand::Show(one)
        | UsersCommand::Disable(one)
        | UsersCommand::Enable(one)
        | UsersCommand::EndSessions(one)
        | UsersCommand::RemoveSecondFactor(one) => changing(one),
        UsersCommand::Link(arguments) | UsersCommand::Unlink(arguments) => {
            runtime.block_on(link(command, arguments, &there(&arguments.one.whose)?))
        }
        UsersCommand::Links(one) => runtime.block_on(links(one, &there(&one.whose)?)),
        UsersCommand::SetPlan(arguments) => changing(&arguments.one),
        UsersCommand::SetPermissions(arguments) => changing(&arguments.one),
        UsersCommand::SetNetworks(arguments) => changing(&arguments.one),
    }
}

async fn create(arguments: &CreateUser, desk: &Desk) -> Result<(), Failure> {
    warn_of_unknown_permissions(&desk.config, &arguments.permissions);
    desk.warn_of_unknown_plan(arguments.plan.as_deref());
    let text = |text: &Option<String>| text.as_deref().map(Arc::from);
    let password = if arguments.no_password { None } else { Some(Password::from(&arguments.password)?) };
    let mut wanted = NewAccount::new();
    wanted.email.clone_from(&arguments.email);
    wanted.user_name.clone_from(&arguments.user_name);
    wanted.password = password.as_ref().map(|password| password.secret.clone());
    wanted.name = text(&arguments.name);
    wanted.tenant = match &arguments.tenant {
        Some(tenant) => TenantFor::Existing(tenant.as_str().into()),
        None if arguments.own_tenant => TenantFor::Own,
        None => TenantFor::Nobody,
    };
    wanted.plan = text(&arguments.plan);
    wanted.kind = text(&arguments.kind);
    wanted.roles = arguments.roles.iter().map(String::as_str).collect();
    wanted.permissions = arguments.permissions.iter().map(String::as_str).collect();
    wanted.networks = networks(&arguments.networks)?;
    let user = desk.administration.by(actor(), now()).create_user(wanted).await.map_err(refused)?;
    say_secret(&user, password.as_ref(), "was made", arguments.output)
}

async fn link(command: &UsersCommand, arguments: &Linked, desk: &Desk) -> Result<(), Failure> {
    let configured = desk.config.accounts.as_ref().and_then(|accounts| accounts.sso.as_ref());
    let issuer = arguments.issuer.as_deref().or_else(|| configured.map(|sso| sso.issuer.value.as_str()));
    let issuer =
        issuer.ok_or_else(|| Failure::Usage("the configuration has no [accounts.sso]: name `--issuer`".into()))?;
    let acting = desk.administration.by(actor(), now());
    let user = acting.user_named(&arguments.one.id).await.map_err(refused)?;
    let subject = &arguments.subject;
    let done = if let UsersCommand::Link(_) = command {
        acting.link_user(&user.id, issuer, subject).await.map_err(refused)?;
        format!("{} is {subject} at {issuer}", user.id)
    } else {
        acting.unlink_user(&user.id, issuer, subject).await.map_err(refused)?;
        format!("{} is {subject} at {issuer} no longer", user.id)
    };
    say_done(&done, &json!({ "id": &*user.id, "issuer": issuer, "subject": subject }), arguments.one.output)
}

async fn links(one: &One, desk: &Desk) -> Result<(), Failure> {
    let acting = desk.administration.by(actor(), now());
    let user = acting.user_named(&one.id).await.map_err(refused)?;
    let links = acting.links_of(&user.id).await.map_err(refused)?;
    if one.output == Output::Json {
        let of = |link: &AccountLink| json!({ "issuer": &*link.issuer, "subject": &*link.subject, "created": link.created.to_rfc3339() });
        return say(&format!("{:#}\n", Value::Array(links.iter().map(of).collect())));
    }
    let rows = links.iter().map(|link| [link.issuer.to_string(), link.subject.to_string(), link.created.to_rfc3339()]);
    say(&columns(["ISSUER", "SUBJECT", "SINCE"], rows))
}

async fn reset_password(arguments: &ResetPassword, desk: &Desk) -> Result<(), Failure> {
    let password = Password::from(&arguments.password)?;
    let acting = desk.administration.by(actor(), now());
    let user = acting.user_named(&arguments.one.id).await.map_err(refused)?;
    let user = acting.reset_password(&user.id, password.secret.clone()).await.map_err(refused)?;
    say_secret(&user, Some(&password), "has another password, and the sessions are ended", arguments.one.output)
}

/// The password goes to standard output where nobody knows it yet, alone.
fn say_secret(user: &AccountRecord, password: Option<&Password>, done: &str, output: Output) -> Result<(), Failure> {
    let shown = password.and_then(Password::shown);
    match (output, shown) {
        (Output::Json, shown) => {
            let mut json = described(user);
            if let Some(shown) = shown {
                json["password"] = json!(shown);
            }
            say(&format!("{json:#}\n"))
        }
        (Output::Text, Some(shown)) => {
            eprintln!("{} {done}; the password is not shown again", user.id);
            say(&format!("{shown}\n"))
        }
        (Output::Text, None) => say(&format!("{} {done}\n", user.id)),
    }
}

async fn list(arguments: &ListUsers, desk: &Desk) -> Result<(), Failure> {
    let acting = desk.administration.by(actor(), now());
    let mut users: Vec<AccountRecord> = Vec::new();
    loop {
        let after = users.last().map(|user| Arc::clone(&user.id));
        let page = acting.users(arguments.tenant.as_deref(), after.as_deref(), PAGE).await.map_err(refused)?;
        let is_last = page.len() < PAGE;
        users.extend(page);
        if is_last {
            break;
        }
    }
    if arguments.all.output == Output::Json {
        return say(&format!("{:#}\n", Value::Array(users.iter().map(described).collect())));
    }
    let heads = ["ID", "EMAIL", "USER NAME", "TENANT", "PLAN", "PERMISSIONS", "STATUS", "LAST LOGIN"];
    let rows = users.iter().map(|user| {
        [
            user.id.to_string(),
            or_dash(written(user.email.as_ref())),
            or_dash(written(user.user_name.as_ref())),
            or_dash(user.tenant.as_deref()),
            or_dash(user.plan.as_deref()),
            user.permissions.iter().collect::<Vec<_>>().join(","),
            status(user).to_owned(),
            or_dash(time(user.last_login).as_deref()),
        ]
    });
    say(&columns(heads, rows))
}

async fn change(command: &UsersCommand, desk: &Desk, one: &One) -> Result<(), Failure> {
    let acting = desk.administration.by(actor(), now());
    let id = acting.user_named(&one.id).await.map_err(refused)?.id.clone();
    let (user, done) = changed(command, desk, &acting, &id).await?;
    match done {
        None => say_one(&described(&user), one.output),
        Some(done) => say_done(&format!("{} {done}", user.id), &described(&user), one.output),
    }
}

/// The user afterwards, and what is said of it.
async fn changed(
    command: &UsersCommand,
    desk: &Desk,
    acting: &Administering<'_>,
    id: &str,
) -> Result<(AccountRecord, Option<&'static str>), Failure> {
    let (changed, done) = match command {
        UsersCommand::Disable(_) => (acting.disable_user(id).await, "is disabled; its sessions are ended"),
        UsersCommand::Enable(_) => (acting.enable_user(id).await, "is enabled"),
        UsersCommand::RemoveSecondFactor(_) => {
            (acting.remove_second_factor(id).await, "needs no second factor any more; its sessions are ended")
        }
        UsersCommand::EndSessions(_) => (acting.end_sessions(id).await, "has no open sessions any more"),
        UsersCommand::SetPlan(arguments) => {
            desk.warn_of_unknown_plan(arguments.plan.as_deref());
            (acting.set_user_plan(id, plan(arguments)).await, "is on another plan")
        }
        UsersCommand::SetPermissions(arguments) => {
            warn_of_unknown_permissions(&desk.config, &arguments.permissions);
            (acting.set_user_permissions(id, permissions(arguments)).await, "has other permissions")
        }
        UsersCommand::SetNetworks(arguments) => {
            (acting.set_user_networks(id, changed_networks(arguments)?).await, "logs in from other networks")
        }
        _ => return Ok((acting.user(id).await.map_err(refused)?.as_ref().clone(), None)),
    };
    Ok((changed.map_err(refused)?, Some(done)))
}

fn written(name: Option<&LoginName>) -> Option<&str> {
    name.map(|name| &**name.written())
}

fn status(user: &AccountRecord) -> &'static str {
    match user.status {
        AccountStatus::Active => "active",
        AccountStatus::Disabled => "disabled",
    }
}

/// Everything about a user that is no secret.
fn described(user: &AccountRecord) -> Value {
    json!({
        "id": &*user.id,
        "email": written(user.email.as_ref()),
        "user_name": written(user.user_name.as_ref()),
        "name": user.name.as_deref(),
        "tenant": user.tenant.as_deref(),
        "plan": user.plan.as_deref(),
        "type": user.kind.as_deref(),
        "roles": user.roles.iter().collect::<Vec<_>>(),
        "permissions": user.permissions.iter().collect::<Vec<_>>(),
        "networks": texts(user.networks.as_ref()),
        "status": status(user),
        "email_verified": time(user.email_verified),
        "second_factor": match user.second_factor {
            SecondFactor::None => "none",
            SecondFactor::Enrolling { .. } => "enrolling",
            SecondFactor::Confirmed { .. } => "confirmed",
        },
        "created": user.created.to_rfc3339(),
        "last_login": time(user.last_login),
    })
}
