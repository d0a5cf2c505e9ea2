//! From `[endpoints]` to what answers them.

use std::sync::Arc;

use auth_core::endpoint::{
    AccessCookie, AccountEndpoints, AdminEndpoints, Endpoints, KeyEndpoints, OAuthEndpoints, Registration, Usage,
    Words, member,
};
use auth_core::gate::Gate;
use auth_core::issue::{AccessTokenIssuer, Accounts, Administration, Clients};
use auth_core::revocation::Revocations;
use auth_core::usage::UsageCounts;
use auth_core::verify::Verifier;

use super::{Keys, OpaqueTokens};
use crate::config::{self, Config, EndpointAt};
use crate::problem::{Placed, Problem};

/// What endpoints work on.
#[derive(Clone, Copy, Default)]
pub(super) struct Tools<'t> {
    pub(super) keys: Option<&'t Keys>,
    pub(super) own_tokens: Option<&'t AccessTokenIssuer>,
    pub(super) accounts: Option<&'t Accounts>,
    pub(super) clients: Option<&'t Clients>,
    pub(super) opaque_tokens: Option<&'t OpaqueTokens>,
    pub(super) revocations: Option<&'t Revocations>,
    pub(super) administration: Option<&'t Administration>,
    /// How much keys are used, where that is counted.
    pub(super) usage: Option<&'t UsageCounts>,
    /// Where budgets are asked; there when it is built.
    pub(super) gate: Option<&'t Gate>,
}

/// The endpoints; each is put together alone first, so that each problem has its place.
pub(super) fn endpoints(config: &Config, tools: Tools<'_>) -> Result<Endpoints, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut words = Words::default().times(config.endpoints.times);
    if let Some(word) = config.endpoints.token_type {
        words = words.token_type_as(word.as_str());
    }
    for (member, name) in &config.endpoints.names {
        match words.clone().call(&member.value, name.as_str()) {
            Ok(changed) => words = changed,
            Err(error) => problems.push(member.place.problem(error.to_string())),
        }
    }
    if let (Some(accounts), Some(settings)) = (tools.accounts, &config.accounts)
        && let Err(found) = about_accounts(config, tools, accounts, settings)
    {
        problems.extend(found);
    }
    for at in &config.endpoints.list {
        if let Err(errors) = put_together(config, tools, &words, std::slice::from_ref(at)) {
            problems.extend(errors);
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    put_together(config, tools, &words, &config.endpoints.list)
}

/// Endpoints that are about messages refuse what they are asked where nobody delivers any, which is seldom meant.
pub(super) fn warn_without_messenger(config: &Config) {
    if config.accounts.as_ref().is_some_and(|accounts| accounts.messages.is_some()) {
        return;
    }
    for at in config.endpoints.list.iter().filter(|at| at.endpoint.is_about_messages()) {
        let problem = at.place.problem("nobody delivers messages, so this is answered 409: write [accounts.messages]");
        tracing::warn!(%problem, "an endpoint has nothing to do");
    }
}

fn put_together(
    config: &Config,
    tools: Tools<'_>,
    words: &Words,
    list: &[EndpointAt],
) -> Result<Endpoints, Vec<Problem>> {
    let mut builder = Endpoints::builder().words(words.clone());
    if let (Some(keys), Some(settings)) = (tools.keys, &config.api_keys) {
        let known = config.permissions_known();
        builder = builder.keys(
            KeyEndpoints::new(keys.service.clone(), known)
                .environment(keys.environment.clone())
                .lifetime(settings.lifetime)
                .overlap(settings.overlap)
                .keys_need(settings.keys_need.as_deref())
                .usage_from(tools.usage.cloned()),
        );
    }
    if let (Some(accounts), Some(settings)) = (tools.accounts, &config.accounts) {
        builder = builder.accounts(about_accounts(config, tools, accounts, settings)?);
    }
    if let (Some(administration), Some(settings)) = (tools.administration, &config.admin) {
        let (prefix, needs) = (settings.prefix.value.as_str(), settings.needs.as_str());
        let environment = tools.keys.and_then(|keys| keys.environment.clone());
        builder = builder.admin(AdminEndpoints::new(administration.clone(), prefix, needs).environment(environment));
    }
    if let (Some(clients), Some(settings)) = (tools.clients, &config.clients) {
        builder = builder.oauth(oauth(config, tools, clients, settings)?);
    }
    if let Some(issuer) = tools.own_tokens {
        builder = builder.issuer(issuer.clone());
    }
    for at in list {
        let members = at.answer.as_ref().map(|members| members.iter().map(|member| member.value.as_str()));
        let status = at.status.as_ref().map(|Placed { value, .. }| u16::try_from(*value).unwrap_or(u16::MAX));
        builder = builder.at_with(at.endpoint, &at.route.path.value, Some(at.method()), members, status);
    }
    let place = || list.last().map(|at| at.place.clone());
    builder
        .build()
        .map_err(|errors| errors.iter().filter_map(|error| Some(place()?.problem(error.to_string()))).collect())
}

fn oauth(
    config: &Config,
    tools: Tools<'_>,
    clients: &Clients,
    settings: &config::Clients,
) -> Result<OAuthEndpoints, Vec<Problem>> {
    let endpoints = OAuthEndpoints::new(clients.clone());
    let mut endpoints = endpoints.map_err(|error| vec![settings.place.problem(error.to_string())])?;
    let keys = tools.keys.map(|keys| Arc::new(keys.verifier.clone()) as Arc<dyn Verifier>);
    let opaque = tools.opaque_tokens.map(|tokens| Arc::new(tokens.verifier.clone()) as Arc<dyn Verifier>);
    endpoints.others = keys.into_iter().chain(opaque).collect();
    endpoints.revocations = tools.revocations.cloned();
    endpoints.accounts = tools.accounts.cloned();
    endpoints.subjects = super::issuers::exchanged(config)?;
    endpoints.introspect = settings.introspect.as_deref().map(Arc::from);
    endpoints.targets = settings.targets.iter().map(|name| name.as_str().into()).collect();
    endpoints.base_url = config.server.public_url.as_ref().map(|url| url.to_string().into());
    Ok(endpoints)
}

fn about_accounts(
    config: &Config,
    tools: Tools<'_>,
    accounts: &Accounts,
    settings: &config::Accounts,
) -> Result<AccountEndpoints, Vec<Problem>> {
    let mut endpoints = AccountEndpoints::new(accounts.clone());
    let mut problems = Vec::new();
    endpoints.login_by = settings.login_by;
    let rules = &settings.registration;
    endpoints.registration = Registration {
        tenant: rules.tenant_for(),
        plan: rules.plan.as_ref().map(|plan| plan.value.as_str().into()),
        kind: rules.kind.as_deref().map(Arc::from),
        roles: rules.roles.iter().collect(),
        permissions: rules.permissions.iter().collect(),
    };
    let mut members = |names: &Option<Vec<Placed<String>>>| {
        let mut known = Vec::new();
        for name in names.as_ref()? {
            match member(&name.value) {
                Ok(member) => known.push(member),
                Err(error) => problems.push(name.place.problem(error.to_string())),
            }
        }
        Some(known)
    };
    endpoints.user = members(&config.endpoints.user);
    let usage = members(&config.endpoints.usage);
    if settings.login_by_key {
        endpoints.keys = tools.keys.map(|keys| keys.verifier.clone());
    }
    if let (Some(limit), Some(gate)) = (&settings.usage, tools.gate) {
        endpoints.usage = Some(Usage { gate: gate.clone(), limit: limit.value.as_str().into(), members: usage });
    }
    if let Some(name) = &settings.cookie {
        match AccessCookie::new(&name.value) {
            Ok(cookie) => endpoints.cookie = Some(cookie),
            Err(error) => problems.push(name.place.problem(error.to_string())),
        }
    }
    if problems.is_empty() { Ok(endpoints) } else { Err(problems) }
}
