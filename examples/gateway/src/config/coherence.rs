//! What no section can know alone: names that lead from one to another, and parts that nothing uses.

use std::collections::BTreeSet;

use super::failed_attempts::whose_address;
use super::section::Gaps;
use super::suggest::nearest;
use super::{Access, Config, Credentials, Kind, Route};
use crate::problem::{Placed, Problem};

/// Everything that does not fit together.
///
/// What seems to be missing from a section with gaps is not complained of.
pub(super) fn problems(config: &Config, gaps: &Gaps) -> Vec<Problem> {
    let mut problems = Vec::new();
    twice(&mut problems, "another upstream", config.upstreams.iter().map(|upstream| &upstream.name));
    same_place_or_name(config, &mut problems);
    kinds_without_source(config, gaps, &mut problems);
    if !gaps.are_in("credentials") {
        unused_kinds(config, &mut problems);
        credentials_of_routes(config, &mut problems);
    }
    if !gaps.are_in("upstreams") {
        let known: Vec<&str> = config.upstreams.iter().map(|upstream| upstream.name.value.as_str()).collect();
        let named = config.routes.iter().filter_map(|route| route.upstream.as_ref());
        problems.extend(named.filter_map(|name| unknown(name, &known, "[[upstreams]]")));
    }
    let types = config.accounts.iter().flat_map(|accounts| &accounts.types);
    twice(&mut problems, "another type", types.clone().map(|known| &known.name));
    twice(&mut problems, "another demo account", config.demo_users.iter().map(|user| &user.name));
    let types: Vec<&str> = types.map(|known| known.name.value.as_str()).collect();
    if !gaps.are_in("accounts") && !types.is_empty() {
        let named = config.demo_users.iter().filter_map(|user| user.kind.as_ref());
        problems.extend(named.filter_map(|name| unknown(name, &types, "[[accounts.types]]")));
    }
    twice(&mut problems, "another plan", config.plans.iter().map(|plan| &plan.name));
    if !gaps.are_in("plans") {
        problems.extend(plans(config));
    }
    if !gaps.are_in("routes") {
        let known: Vec<String> = config.routes.iter().map(Route::name).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let named = config.plans.iter().flat_map(|plan| &plan.limits).flat_map(|limit| &limit.routes).flatten();
        problems.extend(named.filter_map(|name| unknown(name, &known, "[[routes]]")));
    }
    if let Some(clients) = config.clients.as_ref().filter(|_| config.tokens.is_none() && !gaps.are_in("tokens")) {
        problems.push(clients.place.problem("nothing signs the tokens of clients: write [tokens]"));
    }
    if !gaps.are_in("issuers") {
        let known: Vec<&str> = config.issuers.iter().map(|issuer| issuer.issuer.as_str()).collect();
        let named = config.clients.iter().flat_map(|clients| &clients.exchanged).map(|exchanged| &exchanged.issuer);
        problems.extend(named.clone().filter_map(|name| unknown(name, &known, "[[issuers]]")));
        twice(&mut problems, "another entry", named);
    }
    problems.extend(super::admin::problems(config));
    problems.extend(super::forward_auth::problems(config));
    if !["assertions", "upstreams"].iter().any(|section| gaps.are_in(section)) {
        problems.extend(super::assertions::problems(config));
    }
    if !gaps.are_in("accounts") && !gaps.are_in("endpoints") {
        problems.extend(super::messages::problems(config));
    }
    problems.extend(whose_address(config));
    problems
}

/// What is wrong between plans and whoever names them.
pub(super) fn plans(config: &Config) -> Vec<Problem> {
    let mut problems = Vec::new();
    let known: Vec<&str> = config.plans.iter().map(|plan| plan.name.value.as_str()).collect();
    let named = config.limits.plans_named().chain(&config.demo_plans);
    problems.extend(named.filter_map(|name| unknown(name, &known, "[[plans]]")));
    let anonymous = config.limits.anonymous.as_ref().map(|name| name.value.as_str());
    let (default, anybody) = (config.limits.default_plan.as_ref(), known.iter().find(|name| Some(**name) != anonymous));
    if let (None, Some(_)) = (default, anybody) {
        problems.push(
            config
                .limits
                .place
                .problem("there are plans, but no `default_plan`: name the one of callers who have none in [limits]"),
        );
    }
    let others = config
        .limits
        .plans_named()
        .filter(|name| config.limits.anonymous.as_ref().is_none_or(|own| own.place != name.place));
    for name in others.chain(&config.demo_plans).filter(|name| Some(name.value.as_str()) == anonymous) {
        problems.push(name.place.problem("is the plan of callers without a credential: name another"));
    }
    problems
}

fn twice<'c>(problems: &mut Vec<Problem>, what: &str, names: impl Iterator<Item = &'c Placed<String>>) {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(&name.value) {
            problems.push(name.place.problem(format!("{what} has this name already")));
        }
    }
}

fn same_place_or_name(config: &Config, problems: &mut Vec<Problem>) {
    let mut seen: Vec<&Credentials> = Vec::new();
    for credentials in &config.credentials {
        if seen.iter().any(|earlier| earlier.source.is_same_place(&credentials.source)) {
            problems.push(
                credentials.place.problem("other credentials travel at the same place already: add its kinds there"),
            );
        } else if seen.iter().any(|earlier| earlier.name.eq_ignore_ascii_case(&credentials.name)) {
            problems.push(credentials.place.problem(format!(
                "other credentials are named `{}` already: give these a `name` of their own",
                credentials.name
            )));
        }
        seen.push(credentials);
    }
}

fn kinds_without_source(config: &Config, gaps: &Gaps, problems: &mut Vec<Problem>) {
    let has_issuer = !config.issuers.is_empty() || config.tokens.is_some();
    let has_issuer = has_issuer || gaps.are_in("issuers") || gaps.are_in("tokens");
    let has_keys = config.api_keys.is_some() || gaps.are_in("api_keys");
    let has_opaque_tokens = config.opaque_tokens.is_some() || gaps.are_in("opaque_tokens");
    let has_server = !config.introspection.is_empty() || gaps.are_in("introspection");
    for kind in config.credentials.iter().flat_map(|credentials| &credentials.kinds) {
        let missing = match kind.value {
            Kind::Jwt if !has_issuer => "nobody issues tokens: write [[issuers]] or [tokens]",
            Kind::ApiKey if !has_keys => "nothing says what API keys look like: write [api_keys]",
            Kind::Opaque if !has_opaque_tokens => "nothing says what opaque tokens look like: write [opaque_tokens]",
            Kind::Introspected if !has_server => {
                "nothing says who is asked what these are good for: write [[introspection]]"
            }
            Kind::Jwt | Kind::ApiKey | Kind::Opaque | Kind::Introspected => continue,
        };
        problems.push(kind.place.problem(missing));
    }
}

/// An issuer whose tokens are taken nowhere is a mistake: its author believes that callers can log in with it.
fn unused_kinds(config: &Config, problems: &mut Vec<Problem>) {
    let takes =
        |kind| config.credentials.iter().flat_map(|credentials| &credentials.kinds).any(|taken| taken.value == kind);
    let message = |kind| format!("nothing takes these: name the kind \"{kind}\" in one of [[credentials]]");
    if !takes(Kind::Jwt) {
        let places = config.issuers.iter().map(|issuer| &issuer.place);
        problems
            .extend(places.chain(config.tokens.iter().map(|tokens| &tokens.place)).map(|p| p.problem(message("jwt"))));
    }
    if !takes(Kind::ApiKey) {
        problems.extend(config.api_keys.iter().map(|keys| keys.place.problem(message("api_key"))));
    }
    if !takes(Kind::Introspected) {
        let places = config.introspection.iter().map(|server| &server.place);
        problems.extend(places.map(|place| place.problem(message("introspected"))));
    }
    if !takes(Kind::Opaque) {
        problems.extend(config.opaque_tokens.iter().map(|tokens| tokens.place.problem(message("opaque"))));
    }
}

fn credentials_of_routes(config: &Config, problems: &mut Vec<Problem>) {
    let known: Vec<&str> = config.credentials.iter().map(|credentials| credentials.name.as_str()).collect();
    for route in &config.routes {
        let names = route.credentials.iter().flatten();
        problems.extend(names.filter_map(|name| unknown(name, &known, "[[credentials]]")));
        if known.is_empty() && needs_a_caller(route) {
            problems.push(route.place.problem("needs a caller, but no credentials are taken: write [[credentials]]"));
        }
    }
}

fn needs_a_caller(route: &Route) -> bool {
    matches!(route.access, Access::Authenticated | Access::Needs(_))
}

fn unknown(name: &Placed<String>, known: &[&str], section: &str) -> Option<Problem> {
    if known.contains(&name.value.as_str()) {
        return None;
    }
    let hint = match nearest(&name.value, known.iter().copied()) {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None if known.is_empty() => format!("there are no {section}"),
        None => format!("there are {}", known.join(", ")),
    };
    Some(name.place.problem(format!("none of {section} is named `{}`: {hint}", name.value.escape_debug())))
}
