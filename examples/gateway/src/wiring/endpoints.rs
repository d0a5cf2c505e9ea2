//! From `[endpoints]` to what answers them.

use auth_core::endpoint::{Endpoints, KeyEndpoints, Words};
use auth_core::issue::AccessTokenIssuer;

use super::Keys;
use crate::config::{Config, EndpointAt};
use crate::problem::{Placed, Problem};

/// What endpoints work on.
#[derive(Clone, Copy)]
pub(super) struct Tools<'t> {
    pub(super) keys: Option<&'t Keys>,
    pub(super) own_tokens: Option<&'t AccessTokenIssuer>,
}

/// The endpoints; each is put together alone first, so that each problem has its place.
pub(super) fn endpoints(config: &Config, tools: Tools<'_>) -> Result<Endpoints, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut words = Words::default().times(config.endpoints.times);
    for (member, name) in &config.endpoints.names {
        match words.clone().call(&member.value, name.as_str()) {
            Ok(changed) => words = changed,
            Err(error) => problems.push(member.place.problem(error.to_string())),
        }
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
                .overlap(settings.overlap),
        );
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
