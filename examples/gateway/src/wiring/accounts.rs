//! From `[accounts]` to what works on them.

use std::sync::Arc;

use auth_core::Secret;
use auth_core::api_key::Peppers;
use auth_core::issue::{
    AccountParts, Accounts, Assertions, LoginThrottle, MessageQuotas, MessageThrottle, Messages, PasswordCost,
    PasswordPolicy, Provisioning, RefreshTokens, Rotation, Seal, SecondFactorRule, SecondFactors, SingleSignOn,
    SsoSettings, StateRule, Strangers, ThrottleQuotas, UnverifiedEmail, UserType,
};
use auth_core::limit::Quota;
use auth_core::opaque::TokenFormat;
use auth_core::policy::PermissionModel;
use auth_core::store::{AccountStore, LimitStore, LinkStore, OnceStore, TrustStore};
use auth_core::{Clock, ConfigError};

use super::Keys;
use super::Logins;
use super::peppers::{at, peppers};
use crate::config::{self, RotationRule, SecondFactorNeeded, SsoState, WebhookSecret};
use crate::fetch::HttpFetch;
use crate::messages::{Outbox, Webhook, WebhookMessenger};
use crate::problem::Problem;

/// What accounts take besides their configuration.
pub(super) struct Needed<'n> {
    pub(super) store: Arc<dyn AccountStore>,
    pub(super) logins: &'n Logins,
    pub(super) partners: Arc<dyn TrustStore>,
    pub(super) used_once: Arc<dyn OnceStore>,
    pub(super) links: Arc<dyn LinkStore>,
    pub(super) limit_store: Arc<dyn LimitStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) pepper: &'n Secret,
    pub(super) issuer: &'n auth_core::issue::AccessTokenIssuer,
    pub(super) keys: Option<&'n Keys>,
    pub(super) permissions: &'n PermissionModel,
    pub(super) revocations: Option<auth_core::revocation::Revocations>,
    pub(super) webhook_secret: &'n Secret,
    pub(super) outbox: Outbox,
}

pub(super) fn accounts(settings: &config::Accounts, needed: Needed<'_>) -> Result<Accounts, Vec<Problem>> {
    let rules = &settings.passwords;
    let policy = policy(rules).map_err(at(&rules.place))?;
    let cost = rules
        .cost
        .map_or(Ok(PasswordCost::default()), |(memory, passes, lanes)| PasswordCost::new(memory, passes, lanes));
    let cost = cost.map_err(at(&rules.place))?;
    let passwords = needed.logins.passwords(cost).map_err(at(&settings.place))?;
    let peppers = peppers(&settings.peppers, &settings.place, needed.pepper)?;
    let mut parts = AccountParts::new(Arc::clone(&needed.store), passwords, needed.issuer.clone());
    parts.policy = policy;
    parts.session_life = settings.session_life;
    parts.session_idle = settings.session_idle;
    parts.revocations.clone_from(&needed.revocations);
    parts.most_sessions = settings.max_sessions;
    parts.keys = needed.keys.map(|keys| keys.service.clone());
    parts.permissions = needed.permissions.clone();
    parts.id_prefix = settings.id_prefix.as_str().into();
    parts.tenant_prefix = settings.tenant_prefix.as_str().into();
    if let Some(rules) = &settings.messages {
        let (limit_store, clock) = (Arc::clone(&needed.limit_store), Arc::clone(&needed.clock));
        let throttle = MessageThrottle::new(message_quotas(rules), limit_store, clock);
        let mut messages = messages(rules, &needed, peppers.clone())?;
        messages.throttle = Some(throttle);
        parts.messages = Some(messages);
    }
    if settings.require_verified_email.is_some() {
        parts.unverified_email = UnverifiedEmail::Refused;
    }
    if let Some(needed_of) = &settings.second_factor_needed {
        parts.second_factor_rule = second_factor_rule(&needed_of.value, needed.permissions);
    }
    if let Some(rules) = &settings.assertions {
        let audience = rules.audience.as_deref().unwrap_or(needed.issuer.issuer());
        let assertions = Assertions::new(needed.partners, Arc::clone(&needed.used_once), audience);
        parts.assertions = Some(assertions.max_lifetime(rules.max_lifetime));
    }
    if let Some(rules) = &settings.sso {
        let seal = seal(settings, needed.pepper)?;
        let fetch = Arc::new(HttpFetch::new(&rules.tls, rules.private_networks.clone()));
        let sso = SingleSignOn::new(sso_settings(rules), fetch, seal, Arc::clone(&needed.used_once), needed.links);
        parts.sso = Some(sso.map_err(at(&rules.place))?);
    }
    parts.types = settings.types.iter().map(user_type).collect();
    parts.unknown_names = settings.unknown_names;
    let throttle = LoginThrottle::new(quotas(&settings.throttle), needed.limit_store, needed.clock);
    parts.throttle = Some(needed.logins.throttled(throttle));
    if let Some(rules) = &settings.refresh {
        let format = TokenFormat::new(&rules.prefix.value).map_err(at(&rules.prefix.place))?;
        let rotation = match rules.rotation {
            RotationRule::Rotate => Rotation::Rotate { grace: rules.grace },
            RotationRule::Reuse => Rotation::Reuse,
        };
        parts.refresh = Some(RefreshTokens::new(format, peppers.clone(), rotation));
    }
    if let Some(service) = &settings.second_factor {
        let seal = seal(settings, needed.pepper)?;
        parts.second_factors = Some(SecondFactors { service: service.as_str().into(), seal, peppers });
    }
    Ok(Accounts::new(parts))
}

fn messages(rules: &config::Messages, needed: &Needed<'_>, peppers: Peppers) -> Result<Messages, Vec<Problem>> {
    let generated = || {
        let found = WebhookSecret::read(needed.webhook_secret);
        found.ok_or_else(|| {
            vec![rules.place.problem("the file webhook-secret in the data directory is damaged: remove it")]
        })
    };
    let secret = rules.secret.clone().map_or_else(generated, Ok)?;
    let to = Arc::new(Webhook::new(rules, &secret));
    let mut messages = Messages::new(Arc::new(WebhookMessenger { to, outbox: needed.outbox.clone() }), peppers);
    messages.reset_life = rules.reset_life.unwrap_or(messages.reset_life);
    messages.verification_life = rules.verification_life.unwrap_or(messages.verification_life);
    Ok(messages)
}

fn message_quotas(rules: &config::Messages) -> MessageQuotas {
    let mut quotas = MessageQuotas::default();
    quotas.account = rules.per_account.unwrap_or(quotas.account);
    quotas.source = rules.per_source.unwrap_or(quotas.source);
    quotas
}

/// Whoever has a permission by another that brings it along has it.
fn second_factor_rule(needed: &SecondFactorNeeded, model: &PermissionModel) -> SecondFactorRule {
    match needed {
        SecondFactorNeeded::Everybody => SecondFactorRule::Everybody,
        SecondFactorNeeded::Whoever { types, roles, permissions } => SecondFactorRule::Whoever {
            kinds: types.iter().collect(),
            roles: roles.iter().collect(),
            permissions: permissions.iter().flat_map(|permission| model.sufficient_for(permission)).collect(),
        },
    }
}

fn sso_settings(rules: &config::Sso) -> SsoSettings {
    let arcs = |texts: &[String]| texts.iter().map(|text| text.as_str().into()).collect();
    let mut settings = SsoSettings::new(rules.issuer.value.as_str(), rules.client_id.as_str(), "");
    settings.client_secret.clone_from(&rules.client_secret);
    settings.redirect_uris = arcs(&rules.redirect_uris);
    if let Some(scopes) = &rules.scopes {
        settings.scopes = arcs(scopes);
    }
    settings.state = match rules.state {
        SsoState::Required => StateRule::Required,
        SsoState::Optional => StateRule::DangerByAddress,
    };
    settings.userinfo = rules.userinfo;
    settings.email = rules.email;
    if let Some(rules) = &rules.provision {
        settings.strangers = Strangers::Provision(Provisioning {
            tenant: rules.tenant_for(),
            plan: rules.plan.as_ref().map(|plan| plan.value.as_str().into()),
            kind: rules.kind.as_deref().map(Arc::from),
            roles: rules.roles.iter().collect(),
            permissions: rules.permissions.iter().collect(),
        });
    }
    settings
}

/// The first configured pepper seals; the others, and the one of the data directory, open what they sealed before.
fn seal(settings: &config::Accounts, generated: &Secret) -> Result<Seal, Vec<Problem>> {
    let configured = settings.peppers.iter().map(|pepper| (&pepper.secret, &pepper.id.place));
    let mut seal: Option<Seal> = None;
    for (secret, place) in configured.chain([(generated, &settings.place)]) {
        let next = match seal {
            None => Seal::new(secret),
            Some(seal) => seal.with_previous(secret),
        };
        seal = Some(next.map_err(at(place))?);
    }
    seal.ok_or_else(Vec::new)
}

fn user_type(settings: &config::UserType) -> UserType {
    let name = settings.name.value.as_str().into();
    UserType { name, permissions: settings.permissions.iter().collect() }
}

fn policy(rules: &config::PasswordRules) -> Result<PasswordPolicy, ConfigError> {
    let mut policy = PasswordPolicy::default();
    if rules.min_length.is_some() || rules.max_length.is_some() {
        policy = policy.length(rules.min_length.unwrap_or(8), rules.max_length.unwrap_or(256))?;
    }
    policy = rules.classes.iter().fold(policy, |policy, class| policy.requiring(*class));
    Ok(if rules.recent > 0 { policy.not_the_last(rules.recent) } else { policy })
}

fn quotas(rules: &config::Throttle) -> ThrottleQuotas {
    let mut quotas = ThrottleQuotas::default();
    let set = |quota: &mut Quota, configured: Option<Quota>| *quota = configured.unwrap_or(*quota);
    set(&mut quotas.pair, rules.pair);
    set(&mut quotas.source, rules.source);
    set(&mut quotas.strangers, rules.strangers);
    set(&mut quotas.trickle, rules.trickle);
    quotas
}
