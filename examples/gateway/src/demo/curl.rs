//! Lines to paste into a shell, to see the gateway pass and refuse.

use std::fmt::Write as _;

use auth_core::credential::Source;
use auth_core::endpoint::{Endpoint, LoginBy};
use serde_json::Value;

use super::{ACCOUNTS, DemoKey, Document, least};
use crate::config::{Access, Config, Kind, Needs, Route};
use crate::problem::Placed;

/// What to paste into a shell to see the gateway pass and refuse.
pub fn curl_lines(config: &Config, document: &Document) -> String {
    let mut lines = String::new();
    let mut say = |what: &str, options: &str, path: &str| {
        // a text takes whatever is written
        let _ = writeln!(lines, "  # {what}\n  curl -i {options}'{}{path}'", document.base_url);
    };
    let is_guarded = |route: &&Route| {
        matches!(route.access, Access::Needs(_)) && answers_get(config, route) && route.networks.is_none()
    };
    let guarded = config.routes.iter().find(is_guarded);
    if let Some(route) = guarded {
        let path = sample(route, document.users.first().map_or(ACCOUNTS[0].1, |user| &user.tenant));
        if let Some(header) = header(config, Kind::Jwt, document.bearer.as_deref()) {
            say("a token with every permission: 200", &header, &path);
        }
        let key = |key: Option<&DemoKey>| header(config, Kind::ApiKey, key.map(|key| key.key.as_str()));
        if let Some(header) = key(document.api_keys.first()) {
            say("an API key with every permission: 200", &header, &path);
        }
        if let Some(header) = key(document.api_keys.last()).filter(|_| document.api_keys.len() > 1)
            && let Some(beyond) = beyond(config)
        {
            say("an API key with the least permission, where it is not enough: 403", &header, &beyond);
        }
        say("no credential: 401", "", &path);
    }
    if let Some((path, content)) = login(config, document) {
        say("logging in: 200", &format!("-H 'Content-Type: application/json' -d '{content}' "), path);
    }
    let is_open = |route: &&Route| route.access == Access::Public && answers_get(config, route);
    if let Some(route) = config.routes.iter().find(is_open) {
        say("a route for everybody: 200", "", &sample(route, ""));
    }
    lines
}

/// Where the first account logs in, and what it sends for that.
fn login<'c>(config: &'c Config, document: &Document) -> Option<(&'c str, Value)> {
    let endpoints = &config.endpoints;
    let at = endpoints.list.iter().find(|at| at.endpoint == Endpoint::Login)?;
    let user = document.users.first().filter(|user| user.totp_secret.is_none())?;
    let called = |member: &str| {
        let renamed = endpoints.names.iter().find(|(name, _)| name.value == member);
        renamed.map_or(member, |(_, name)| name).to_owned()
    };
    let name = match config.accounts.as_ref()?.login_by {
        LoginBy::Email => (called("email"), Value::from(&*user.email)),
        LoginBy::UserName => (called("user_name"), Value::from(&*user.username)),
    };
    let password = (called("password"), Value::from(&*user.password));
    Some((&at.route.path.value, Value::from_iter([name, password])))
}

/// The rule that GET meets on that route's path is this one.
fn answers_get(config: &Config, route: &Route) -> bool {
    let names_get = |route: &Route| route.methods.as_ref().is_some_and(|names| names.iter().any(|name| name == "GET"));
    let other_does = config.routes.iter().any(|other| other.path.value == route.path.value && names_get(other));
    names_get(route) || (route.methods.is_none() && !other_does)
}

/// A path that the least permission is not enough for.
fn beyond(config: &Config) -> Option<String> {
    let model = crate::wiring::permissions(config);
    let held = least(config).iter().map(String::as_str).collect();
    let refuses = |access: &Access| match access {
        Access::Needs(Needs::Permission(name)) => !model.grants(&held, name),
        _ => false,
    };
    let route = config.routes.iter().find(|route| refuses(&route.access) && answers_get(config, route))?;
    Some(sample(route, ACCOUNTS[1].1))
}

/// A path of the route, in that tenant where it belongs to one.
fn sample(route: &Route, tenant: &str) -> String {
    let of_tenant = route.tenant.as_ref().map(|parameter| format!("{{{}}}", parameter.value));
    let segment = |segment: &str| match segment {
        own if Some(own) == of_tenant.as_deref() => tenant.to_owned(),
        other if other.starts_with("{*") => "hello".to_owned(),
        other if other.starts_with('{') => "1".to_owned(),
        other => other.to_owned(),
    };
    route.path.value.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// How a credential of that kind is sent, as options of curl.
fn header(config: &Config, kind: Kind, credential: Option<&str>) -> Option<String> {
    let credential = credential?;
    let takes = |kinds: &[Placed<Kind>]| kinds.iter().any(|taken| taken.value == kind);
    let places = config.credentials.iter().filter(|credentials| takes(&credentials.kinds));
    // a header of its own first: it shows best what is what
    let mut sources: Vec<&Source> = places.map(|credentials| &credentials.source).collect();
    sources.sort_by_key(|source| !matches!(source, Source::Header { .. }));
    match sources.first()? {
        Source::Authorization { scheme } => Some(format!("-H 'Authorization: {scheme} {credential}' ")),
        Source::Header { name } => Some(format!("-H '{name}: {credential}' ")),
        Source::Cookie { name } => Some(format!("-b '{name}={credential}' ")),
        Source::Query { .. } => None,
    }
}
