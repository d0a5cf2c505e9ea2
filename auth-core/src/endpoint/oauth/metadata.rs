//! What there is, for clients to find out by themselves (RFC 8414).

use serde_json::{Map, Value, json};

use crate::client::Grant;
use crate::endpoint::Endpoint;
use crate::endpoint::answer::Answer;
use crate::error::ConfigError;

use super::OAuthEndpoints;

impl OAuthEndpoints {
    /// The document: what is at those paths, and what it takes.
    pub(in crate::endpoint) fn metadata<'p>(&self, places: impl Iterator<Item = (Endpoint, &'p str)>) -> Answer {
        let issuer = &**self.clients.issuer().issuer();
        let base = self.base_url.as_deref().unwrap_or_else(|| origin(issuer));
        let mut methods = vec!["client_secret_basic", "client_secret_post"];
        if self.clients.takes_assertions() {
            methods.push("private_key_jwt");
        }
        let mut told = Map::new();
        told.insert("issuer".to_owned(), issuer.into());
        // nobody is sent here by a browser
        told.insert("response_types_supported".to_owned(), json!([]));
        let grants: Vec<&str> =
            Grant::ALL.into_iter().filter(|grant| self.grants(*grant)).map(Grant::grant_type).collect();
        told.insert("grant_types_supported".to_owned(), json!(grants));
        let mut authenticated = |name: &str, url: String| {
            told.insert(format!("{name}_endpoint"), url.into());
            told.insert(format!("{name}_endpoint_auth_methods_supported"), json!(methods));
            if self.clients.takes_assertions() {
                told.insert(format!("{name}_endpoint_auth_signing_alg_values_supported"), json!(ALGORITHMS));
            }
        };
        let (mut keys, mut userinfo) = (None, None);
        for (endpoint, path) in places {
            let url = format!("{base}{path}");
            match endpoint {
                Endpoint::Token => authenticated("token", url),
                Endpoint::RevokeToken => authenticated("revocation", url),
                Endpoint::IntrospectToken => authenticated("introspection", url),
                Endpoint::PublicKeys => keys = Some(url),
                Endpoint::Userinfo => userinfo = Some(url),
                _ => {}
            }
        }
        for (name, url) in [("jwks_uri", keys), ("userinfo_endpoint", userinfo)] {
            if let Some(url) = url {
                told.insert(name.to_owned(), url.into());
            }
        }
        Answer::document(Value::Object(told).to_string())
    }

    /// Whether the name of the issuer is one that clients can look for (RFC 8414 section 2).
    pub(in crate::endpoint) fn check_metadata(&self) -> Result<(), ConfigError> {
        let issuer = &**self.clients.issuer().issuer();
        let is_loopback = ["http://127.0.0.1", "http://[::1]", "http://localhost"].iter().any(|start| {
            issuer.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
        });
        let is_good = (issuer.starts_with("https://") || is_loopback) && !issuer.contains(['?', '#', ' ']);
        if is_good && !origin(issuer).ends_with('/') {
            return Ok(());
        }
        Err(ConfigError::new(format!(
            "clients find nothing out about the issuer `{}`: its name has to be an address such as https://login.example, \
             without a query or a fragment",
            issuer.escape_debug()
        )))
    }
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> &str {
    let begin = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(begin..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| begin + at);
    url.get(..end).unwrap_or(url)
}

/// How clients may sign their assertions.
const ALGORITHMS: [&str; 9] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];
