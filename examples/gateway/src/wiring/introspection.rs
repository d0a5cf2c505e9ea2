//! From `[[introspection]]` to the verifiers that ask.

use std::cmp::Reverse;
use std::sync::Arc;

use auth_core::verify::introspection::{IntrospectionServer, IntrospectionVerifier};

use super::issuers::mapping;
use crate::config::{ClientNames, Config, Introspection};
use crate::fetch::HttpFetch;
use crate::problem::Problem;

/// One verifier for each server, those with the longest prefixes first: each token is one server's alone.
pub(super) fn verifiers(config: &Config) -> Result<Vec<IntrospectionVerifier>, Vec<Problem>> {
    let mut problems = ambiguous(config);
    let mut verifiers = Vec::new();
    for settings in &config.introspection {
        let fetch = Arc::new(HttpFetch::keeping_connections(&settings.tls, settings.private_networks.clone()));
        match IntrospectionVerifier::new(server(settings).remembering(config.remembered), fetch) {
            Ok(verifier) => verifiers.push((Reverse(prefix(settings).len()), verifier)),
            Err(error) => problems.push(settings.place.problem(error.to_string())),
        }
    }
    verifiers.sort_by_key(|(length, _)| *length);
    if problems.is_empty() { Ok(verifiers.into_iter().map(|(_, verifier)| verifier).collect()) } else { Err(problems) }
}

fn prefix(settings: &Introspection) -> &str {
    settings.prefix.as_ref().map_or("", |prefix| &prefix.value)
}

/// Nobody could say whom to ask, or whose word a subject rests on.
fn ambiguous(config: &Config) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for settings in &config.introspection {
        if seen.contains(&prefix(settings)) {
            problems.push(match &settings.prefix {
                Some(prefix) => prefix.place.problem("the tokens of another server begin like this already"),
                None => settings.place.problem(
                    "another server has no `prefix` either, so that nobody could say whom to ask: write what tokens begin with",
                ),
            });
        }
        seen.push(prefix(settings));
        if config.tokens.as_ref().is_some_and(|own| own.issuer == settings.issuer) {
            let why = "the gateway itself is this issuer: another server's subjects would be taken for its own";
            problems.push(settings.place.problem(why));
        }
    }
    problems
}

fn server(settings: &Introspection) -> IntrospectionServer {
    let mut server = IntrospectionServer::new(
        settings.issuer.as_str(),
        settings.audience.iter().flatten().map(String::as_str),
        settings.url.value.as_str(),
        settings.client_id.as_str(),
        settings.client_secret.clone(),
    );
    if settings.audience.is_none() {
        server = server.danger_accept_any_audience();
    }
    if let Some(prefix) = &settings.prefix {
        server = server.prefix(prefix.value.as_str());
    }
    if let Some(bound) = settings.believed_for {
        server = server.believed_for(bound);
    }
    if let Some(max) = settings.max_requests {
        server = server.max_requests(max);
    }
    if let Some(leeway) = settings.leeway {
        server = server.leeway(leeway);
    }
    if settings.client_names == ClientNames::SharedWithUsers {
        server = server.danger_clients_share_names_with_users();
    }
    server.claims(mapping(&settings.claims))
}
