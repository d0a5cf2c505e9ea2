//! `gateway tenants`: those who have users together.

use std::sync::Arc;

use auth_core::account::{TenantRecord, TenantStatus};
use serde_json::{Value, json};

use super::administration::{
    DataDirectory, Desk, actor, changed_networks, networks, now, or_dash, plan, refused, say_done, say_one, texts,
};
use super::administration_arguments::{CreateTenant, ListAll, One, TenantsCommand};
use super::{Failure, Output, Whose, columns, say};
use crate::start::waiting_runtime;

/// How many are read in one step.
const PAGE: usize = 500;

/// Does it, and prints the answer.
pub(super) fn run(command: &TenantsCommand) -> Result<(), Failure> {
    let there = |whose: &Whose| Desk::for_accounts(whose, DataDirectory::ToBeThere);
    let runtime = waiting_runtime()?;
    let changing = |one: &One| runtime.block_on(change(command, &there(&one.whose)?, one));
    match command {
        TenantsCommand::Create(arguments) => {
            let desk = Desk::for_accounts(&arguments.one.whose, DataDirectory::ToBeMade)?;
            runtime.block_on(create(arguments, &desk))
        }
        TenantsCommand::List(arguments) => runtime.block_on(list(arguments, &there(&arguments.whose)?)),
        TenantsCommand::Show(one) | TenantsCommand::Disable(one) | TenantsCommand::Enable(one) => changing(one),
        TenantsCommand::SetPlan(arguments) => changing(&arguments.one),
        TenantsCommand::SetNetworks(arguments) => changing(&arguments.one),
    }
}

async fn create(arguments: &CreateTenant, desk: &Desk) -> Result<(), Failure> {
    desk.warn_of_unknown_plan(arguments.plan.as_deref());
    let (name, plan) = (arguments.name.as_deref(), arguments.plan.as_deref().map(Arc::from));
    let acting = desk.administration.by(actor(), now());
    let tenant = acting.create_tenant(&arguments.one.id, name, plan, networks(&arguments.networks)?).await;
    let tenant = tenant.map_err(refused)?;
    say_done(&format!("{} was made", tenant.id), &described(&tenant), arguments.one.output)
}

async fn list(arguments: &ListAll, desk: &Desk) -> Result<(), Failure> {
    let acting = desk.administration.by(actor(), now());
    let mut tenants: Vec<TenantRecord> = Vec::new();
    loop {
        let after = tenants.last().map(|tenant| Arc::clone(&tenant.id));
        let page = acting.tenants(after.as_deref(), PAGE).await.map_err(refused)?;
        let is_last = page.len() < PAGE;
        tenants.extend(page);
        if is_last {
            break;
        }
    }
    if arguments.output == Output::Json {
        return say(&format!("{:#}\n", Value::Array(tenants.iter().map(described).collect())));
    }
    let heads = ["ID", "NAME", "PLAN", "STATUS", "CREATED"];
    let rows = tenants.iter().map(|tenant| {
        [
            tenant.id.to_string(),
            tenant.name.to_string(),
            or_dash(tenant.plan.as_deref()),
            status(tenant).to_owned(),
            tenant.created.to_rfc3339(),
        ]
    });
    say(&columns(heads, rows))
}

async fn change(command: &TenantsCommand, desk: &Desk, one: &One) -> Result<(), Failure> {
    let acting = desk.administration.by(actor(), now());
    let (changed, done) = match command {
        TenantsCommand::Disable(_) => (acting.disable_tenant(&one.id).await, "is disabled"),
        TenantsCommand::Enable(_) => (acting.enable_tenant(&one.id).await, "is enabled"),
        TenantsCommand::SetPlan(arguments) => {
            desk.warn_of_unknown_plan(arguments.plan.as_deref());
            (acting.set_tenant_plan(&one.id, plan(arguments)).await, "is on another plan")
        }
        TenantsCommand::SetNetworks(arguments) => {
            let networks = changed_networks(arguments)?;
            (acting.set_tenant_networks(&one.id, networks).await, "logs in from other networks")
        }
        _ => return say_one(&described(&acting.tenant(&one.id).await.map_err(refused)?), one.output),
    };
    let tenant = changed.map_err(refused)?;
    say_done(&format!("{} {done}", tenant.id), &described(&tenant), one.output)
}

fn status(tenant: &TenantRecord) -> &'static str {
    match tenant.status {
        TenantStatus::Active => "active",
        TenantStatus::Disabled => "disabled",
    }
}

fn described(tenant: &TenantRecord) -> Value {
    json!({
        "id": &*tenant.id,
        "name": &*tenant.name,
        "plan": tenant.plan.as_deref(),
        "networks": texts(tenant.networks.as_ref()),
        "status": status(tenant),
        "created": tenant.created.to_rfc3339(),
    })
}
