//! Who is asked, and what its answers have to say.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::request::Endpoint;
use crate::Secret;
use crate::error::ConfigError;
use crate::fetch::is_safe;
use crate::principal::Method;
use crate::verify::CacheSize;
use crate::verify::jwt::{Audiences, ClaimMapping, Clients, Expiry, Trusted};

/// The longest time for which an answer may be believed.
const LONGEST_BELIEVED: Duration = Duration::from_mins(5);

/// An authorization server that is asked what its tokens are good for.
///
/// What cannot be left out is an argument of [`IntrospectionServer::new`]; mistakes are reported by
/// [`IntrospectionVerifier::new`](super::IntrospectionVerifier::new).
#[derive(Clone)]
pub struct IntrospectionServer {
    issuer: Arc<str>,
    audiences: Vec<Box<str>>,
    url: String,
    client_id: String,
    client_secret: Secret,
    prefix: Box<str>,
    leeway: Duration,
    any_audience: bool,
    clients: Clients,
    mapping: ClaimMapping,
    believed_for: Duration,
    max_requests: usize,
    cache: CacheSize,
}

impl IntrospectionServer {
    /// A server by the name that vouches for its subjects, the audiences of which its answers must name at least one, its
    /// introspection endpoint, and what this service is registered as.
    ///
    /// An answer that names another issuer in `iss` is refused. The endpoint is `https`, or `http` on a literal loopback
    /// address.
    pub fn new(
        issuer: impl Into<Arc<str>>,
        audiences: impl IntoIterator<Item = impl Into<String>>,
        url: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: Secret,
    ) -> Self {
        Self {
            issuer: issuer.into(),
            audiences: audiences.into_iter().map(|audience| audience.into().into_boxed_str()).collect(),
            url: url.into(),
            client_id: client_id.into(),
            client_secret,
            prefix: Box::default(),
            leeway: Duration::from_secs(30),
            any_audience: false,
            clients: Clients::Marked,
            mapping: ClaimMapping::default(),
            believed_for: Duration::from_secs(10),
            max_requests: 64,
            cache: CacheSize::default(),
        }
    }

    /// Only tokens that begin like this are this server's; every other one is another verifier's, or nobody's.
    ///
    /// Without a prefix the server is asked for whatever no other verifier of the same source recognises.
    #[must_use]
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into().into_boxed_str(), ..self }
    }

    /// For how long an answer that a token is good is believed: 10 seconds by default, five minutes at the most.
    ///
    /// Security: this is how long a token that was taken back at the server may go on here. With zero, every request asks, and
    /// nobody passes by an answer to a question that was sent before the request came.
    #[must_use]
    pub fn believed_for(self, bound: Duration) -> Self {
        Self { believed_for: bound, ..self }
    }

    /// How many questions are under way at the same time, 64 by default; whoever would need one more is answered 503.
    ///
    /// Strangers cause them: it bounds what they can make this service do to the server.
    #[must_use]
    pub fn max_requests(self, max: usize) -> Self {
        Self { max_requests: max, ..self }
    }

    /// How many tokens are remembered; see [`CacheSize`] for the default.
    #[must_use]
    pub fn remembering(self, size: CacheSize) -> Self {
        Self { cache: size, ..self }
    }

    /// How far the server's clock may differ from ours; applies to `exp`, `nbf` and `iat` of an answer that has just come. An
    /// answer that is remembered ends at `exp` sharp. The default is 30 seconds.
    #[must_use]
    pub fn leeway(self, leeway: Duration) -> Self {
        Self { leeway, ..self }
    }

    /// Where the principal's fields come from; see [`ClaimMapping`] for the default.
    #[must_use]
    pub fn claims(self, mapping: ClaimMapping) -> Self {
        Self { mapping, ..self }
    }

    /// Takes tokens whomever they are meant for; name no audiences then. An answer has to say that it is about an access
    /// token, by `token_type` for example.
    ///
    /// Security: a service that somebody gave a token to can use it here.
    #[must_use]
    pub fn danger_accept_any_audience(self) -> Self {
        Self { any_audience: true, ..self }
    }

    /// Leaves the subject of a client's token as it is, without `client:` before it.
    ///
    /// Security: where users can choose their `sub`, a user may take the name of a client and its rights.
    #[must_use]
    pub fn danger_clients_share_names_with_users(self) -> Self {
        Self { clients: Clients::Unmarked, ..self }
    }

    /// Everything, found to be in order.
    pub(super) fn checked(self) -> Result<Asked, ConfigError> {
        let audiences = match (self.any_audience, self.audiences.is_empty()) {
            (true, true) => Audiences::Any,
            (true, false) => {
                let both = "audiences are named and so is leave to take any; decide for one";
                return Err(ConfigError::new(both).at(format_args!("issuer \"{}\"", self.issuer)));
            }
            (false, _) => Audiences::OneOf(self.audiences),
        };
        let claims = Trusted {
            method: Method::OpaqueToken,
            name: self.issuer,
            clients: self.clients,
            mapping: self.mapping,
            audiences,
            leeway: self.leeway,
            max_lifetime: None,
            max_age: None,
            // the server has just said that it is active, and is asked again soon
            expiry: Expiry::Optional,
        };
        claims.check()?;
        if !is_safe(&self.url) {
            let why = "the introspection endpoint has to be https, or http on a literal loopback address";
            return Err(claims.mistake(why));
        }
        if !self.prefix.bytes().all(super::is_of_token) {
            return Err(claims.mistake("its prefix has a character that no token has"));
        }
        if self.believed_for > LONGEST_BELIEVED {
            let why = "answers are believed for more than five minutes, and so would be tokens that were taken back";
            return Err(claims.mistake(why));
        }
        if self.max_requests == 0 {
            return Err(claims.mistake("no request may be under way, so that it could never be asked"));
        }
        let endpoint = Endpoint::new(self.url, &self.client_id, &self.client_secret);
        Ok(Asked {
            endpoint: endpoint.map_err(|error| claims.mistake(&error.to_string()))?,
            claims,
            prefix: self.prefix,
            believed_for: self.believed_for,
            max_requests: self.max_requests,
            cache: self.cache,
        })
    }
}

/// A server that was found to be in order, prepared for use.
pub(super) struct Asked {
    pub(super) endpoint: Endpoint,
    pub(super) claims: Trusted,
    pub(super) prefix: Box<str>,
    pub(super) believed_for: Duration,
    pub(super) max_requests: usize,
    pub(super) cache: CacheSize,
}

impl fmt::Debug for IntrospectionServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionServer")
            .field("issuer", &self.issuer)
            .field("audiences", &self.audiences)
            .field("url", &self.url)
            .field("client_id", &self.client_id)
            .field("believed_for", &self.believed_for)
            .finish_non_exhaustive()
    }
}
