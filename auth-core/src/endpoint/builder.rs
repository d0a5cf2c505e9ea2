//! Putting endpoints together.

use std::sync::Arc;

use crate::error::ConfigError;
use crate::issue::AccessTokenIssuer;

use super::table::Placed;
use super::words::member;
use super::{AccountEndpoints, AdminEndpoints, Endpoint, Endpoints, KeyEndpoints, OAuthEndpoints, Parts, Words};

/// Puts the endpoints of a service together.
#[derive(Default)]
pub struct EndpointsBuilder {
    parts: Parts,
    problems: Vec<ConfigError>,
}

impl EndpointsBuilder {
    /// Says what the API calls the members of requests and answers.
    #[must_use]
    pub fn words(mut self, words: Words) -> Self {
        self.parts.words = words;
        self
    }

    /// Hands out API keys.
    #[must_use]
    pub fn keys(mut self, keys: KeyEndpoints) -> Self {
        self.parts.keys = Some(keys);
        self
    }

    /// Works on accounts.
    #[must_use]
    pub fn accounts(mut self, accounts: AccountEndpoints) -> Self {
        self.parts.accounts = Some(accounts);
        self
    }

    /// Administrates, under the prefix that it was given.
    #[must_use]
    pub fn admin(mut self, admin: AdminEndpoints) -> Self {
        self.parts.admin = Some(admin);
        self
    }

    /// Gives tokens to OAuth clients.
    #[must_use]
    pub fn oauth(mut self, oauth: OAuthEndpoints) -> Self {
        self.parts.oauth = Some(oauth);
        self
    }

    /// Publishes what verifies the tokens of this issuer.
    #[must_use]
    pub fn issuer(mut self, issuer: AccessTokenIssuer) -> Self {
        self.parts.issuer = Some(issuer);
        self
    }

    /// Puts an endpoint at a path, with the usual method and answer.
    #[must_use]
    pub fn at(self, endpoint: Endpoint, path: &str) -> Self {
        self.place(Placed::new(endpoint, endpoint.method(), path, None))
    }

    /// Puts an endpoint at a path, with this method, these members of its answer in this order, and this status of it.
    /// What is `None` is as usual.
    #[must_use]
    pub fn at_with<'m>(
        self,
        endpoint: Endpoint,
        path: &str,
        method: Option<&str>,
        members: Option<impl IntoIterator<Item = &'m str>>,
        status: Option<u16>,
    ) -> Self {
        let members = members.map(|members| members.into_iter().map(member).collect::<Result<Vec<_>, _>>()).transpose();
        let is_standard =
            method.is_none_or(|method| method == endpoint.method()) && members.as_ref().is_ok_and(Option::is_none);
        let placed = members.and_then(|members| {
            if endpoint.is_fixed() && (!is_standard || status.is_some()) {
                let why = "has the method, the members and the status of its standard: leave `method`, `answer` and `status` out";
                return Err(ConfigError::new(format!("`{endpoint}` {why}")));
            }
            let mut placed = Placed::new(endpoint, method.unwrap_or(endpoint.method()), path, members)?;
            placed.status = status;
            Ok(placed)
        });
        self.place(placed)
    }

    fn place(mut self, placed: Result<Placed, ConfigError>) -> Self {
        match placed {
            Ok(placed) => {
                if let Some(other) = self.parts.places.iter().find(|other| other.collides(&placed)) {
                    let (one, another) = (other.endpoint, placed.endpoint);
                    self.problems.push(ConfigError::new(format!(
                        "`{one}` and `{another}` have the same method and path: give one of them another"
                    )));
                }
                self.parts.places.push(placed);
            }
            Err(problem) => self.problems.push(problem),
        }
        self
    }

    /// The endpoints.
    ///
    /// # Errors
    /// A path that cannot be, a member that does not exist, two endpoints at one place, or an endpoint without the part
    /// that it works on: every such mistake.
    pub fn build(self) -> Result<Endpoints, Vec<ConfigError>> {
        let Self { mut parts, mut problems } = self;
        if let (Some(keys), Some(accounts)) = (&mut parts.keys, &parts.accounts) {
            keys.keys = accounts.accounts.owning(keys.keys.clone());
        }
        for endpoint in parts.places.iter().map(|placed| placed.endpoint) {
            let missing = match endpoint {
                Endpoint::LoginByAssertion
                    if parts.accounts.as_ref().is_some_and(|known| known.accounts.assertions().is_none()) =>
                {
                    "nobody's word opens sessions"
                }
                Endpoint::PublicKeys if parts.issuer.is_none() => "the service has no issuer of its own",
                Endpoint::KeyUsage if parts.keys.as_ref().is_some_and(|keys| !keys.counts_usage()) => {
                    "nothing counts how much keys are used"
                }
                Endpoint::OAuthMetadata if let Some(oauth) = &parts.oauth => {
                    problems.extend(oauth.check_metadata().err());
                    continue;
                }
                oauth if (oauth.is_oauth() || oauth == Endpoint::OAuthMetadata) && parts.oauth.is_none() => {
                    "the service has no OAuth clients"
                }
                keys if keys.is_about_keys() && parts.keys.is_none() => "the service has no API keys",
                accounts if accounts.is_about_accounts() && parts.accounts.is_none() => "the service has no accounts",
                _ => continue,
            };
            problems.push(ConfigError::new(format!("`{endpoint}` has nothing to work on: {missing}")));
        }
        if problems.is_empty() { Ok(Endpoints(Arc::new(parts))) } else { Err(problems) }
    }
}

impl std::fmt::Debug for EndpointsBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EndpointsBuilder").field("problems", &self.problems).finish_non_exhaustive()
    }
}
