//! What is signed.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::Secret;
use crate::clock::{Now, Timestamp};
use crate::issue::mint;
use crate::names::Names;
use crate::network::NetworkSet;
use crate::origin::Origin;
use crate::verify::jwt::{ClaimMapping, Issuer};

use super::{SigningError, SigningKeys};

/// The claim with the networks that a token may be used from.
const NETWORKS: &str = "networks";

/// The claim with what a token was made of.
const ORIGINS: &str = "origins";

/// The issuer of the service's own access tokens: signs them, and says what verifies them.
#[derive(Clone, Debug)]
pub struct AccessTokenIssuer {
    issuer: Arc<str>,
    audience: Arc<str>,
    lifetime: Duration,
    token_type: TokenType,
    keys: Arc<SigningKeys>,
}

/// What the header of a token calls its kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenType {
    /// `at+jwt`, the default: nobody takes the token for one of another kind (RFC 9068 section 2.1).
    #[default]
    AccessToken,
    /// `JWT`, for clients that look at the header and know nothing else.
    Jwt,
}

/// What a token is to say, besides issuer, audience, times and its own id.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewAccessToken {
    /// Whose token it is: `sub`.
    pub subject: Arc<str>,
    /// Which client it was given to: `client_id` (RFC 9068 section 2.2).
    pub client_id: Arc<str>,
    /// The tenant the bearer acts in: `tenant`.
    pub tenant: Option<Arc<str>>,
    /// The plan that chooses the bearer's limits: `plan`.
    pub plan: Option<Arc<str>>,
    /// What the bearer may do: `permissions`.
    pub permissions: Names,
    /// What the bearer is: `roles`.
    pub roles: Names,
    /// The session it belongs to, by which it can be taken back: `sid`.
    pub session: Option<Arc<str>>,
    /// Which service it is for, where that is not this one: `aud`.
    pub audience: Option<Arc<str>>,
    /// Who acts for the subject: `act` (RFC 8693 section 4.1).
    pub act: Option<Value>,
    /// Who alone may act for the subject: `may_act` (RFC 8693 section 4.4).
    pub may_act: Option<Value>,
    /// What was asked for, as a scope: `scope` (RFC 9068 section 2.2.3).
    pub scope: Option<Names>,
    /// The instant that it does not outlive, whatever else is said.
    pub ends: Option<Timestamp>,
    /// When what was issued before was taken back. A token of that very second says to the microsecond when it was issued, so
    /// that it is not taken for one of those.
    pub later_than: Option<Timestamp>,
    /// The networks it may be used from: `networks`; `None` for any. A header has to hold it: see
    /// [`NetworkSet::MAX_ALLOWED`].
    pub networks: Option<Arc<NetworkSet>>,
    /// What it is made of, each of which ends it: `origins`.
    pub origins: Vec<Origin>,
    /// How long it lives; `None` for what is usual with the issuer.
    pub lifetime: Option<Duration>,
}

impl NewAccessToken {
    /// A token without permissions; set the fields for more.
    pub fn new(subject: impl Into<Arc<str>>, client_id: impl Into<Arc<str>>) -> Self {
        Self {
            subject: subject.into(),
            client_id: client_id.into(),
            tenant: None,
            plan: None,
            permissions: Names::EMPTY,
            roles: Names::EMPTY,
            session: None,
            audience: None,
            act: None,
            may_act: None,
            scope: None,
            ends: None,
            later_than: None,
            networks: None,
            origins: Vec::new(),
            lifetime: None,
        }
    }

    /// When it will say that it was issued: in whole seconds, as everybody else writes them, unless that would be too early
    /// (RFC 7519 section 2 allows fractions).
    pub(in crate::issue) fn issued_at(&self, now: Now) -> Timestamp {
        let second = Timestamp::from_unix_seconds(now.wall.unix_seconds());
        if self.later_than.is_none_or(|instant| second >= instant) { second } else { now.wall }
    }
}

/// A token that was just signed.
#[derive(Debug)]
pub struct MintedAccessToken {
    /// The token itself, for its bearer alone.
    pub token: Secret,
    /// Its id, by which it can be taken back: `jti`.
    pub id: Arc<str>,
    /// From when on it is refused, to the second.
    pub expires: Timestamp,
    /// How long it lives.
    pub lifetime: Duration,
}

impl AccessTokenIssuer {
    /// Tokens of that `iss` and `aud` that live so long, in whole seconds.
    pub fn new(
        issuer: impl Into<Arc<str>>,
        audience: impl Into<Arc<str>>,
        lifetime: Duration,
        keys: impl Into<Arc<SigningKeys>>,
    ) -> Self {
        let (issuer, audience, keys) = (issuer.into(), audience.into(), keys.into());
        Self { issuer, audience, lifetime, token_type: TokenType::default(), keys }
    }

    /// Calls the kind of its tokens something else than `at+jwt`.
    #[must_use]
    pub fn token_type(self, token_type: TokenType) -> Self {
        Self { token_type, ..self }
    }

    /// The value of `iss`.
    pub fn issuer(&self) -> &Arc<str> {
        &self.issuer
    }

    /// The value of `aud`.
    pub fn audience(&self) -> &Arc<str> {
        &self.audience
    }

    /// How long its tokens live.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// The keys that sign and verify.
    pub fn keys(&self) -> &SigningKeys {
        &self.keys
    }

    /// What verifies its tokens: with the keys of this moment, bound to the networks that they name and to what they were made
    /// of. Those of a time when they lived longer end as early as the ones of today.
    ///
    /// # Errors
    /// None of the keys can verify.
    pub fn trusted(&self) -> Result<Issuer, crate::ConfigError> {
        let issuer = Issuer::new(&*self.issuer, [&*self.audience], self.keys.verification()?).max_age(self.lifetime);
        Ok(issuer.claims(ClaimMapping::default().networks(NETWORKS).origins(ORIGINS)))
    }

    /// Signs an access token.
    ///
    /// # Errors
    /// [`SigningError::Random`] where there are no random bytes.
    pub fn mint(&self, wanted: &NewAccessToken, now: Now) -> Result<MintedAccessToken, SigningError> {
        let issued = now.wall.unix_seconds();
        let most =
            wanted.ends.map_or(u64::MAX, |end| u64::try_from(end.unix_seconds().saturating_sub(issued)).unwrap_or(0));
        let lifetime = Duration::from_secs(wanted.lifetime.unwrap_or(self.lifetime).as_secs().min(most));
        let expires = Timestamp::from_unix_seconds(issued).saturating_add(lifetime);
        let id: Arc<str> = mint::id("").map_err(|_| SigningError::Random)?.into();
        let names = |names: &Names| names.iter().map(Value::from).collect::<Vec<_>>();
        let mut claims = Map::new();
        let mut say = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        say("iss", json!(&*self.issuer));
        say("aud", json!(&**wanted.audience.as_ref().unwrap_or(&self.audience)));
        say("sub", json!(&*wanted.subject));
        say("client_id", json!(&*wanted.client_id));
        say("iat", numeric_date(wanted.issued_at(now)));
        say("exp", json!(expires.unix_seconds()));
        say("jti", json!(&*id));
        say("permissions", json!(names(&wanted.permissions)));
        if !wanted.roles.is_empty() {
            say("roles", json!(names(&wanted.roles)));
        }
        for (name, claim) in [("act", &wanted.act), ("may_act", &wanted.may_act)] {
            if let Some(claim) = claim {
                say(name, claim.clone());
            }
        }
        if let Some(scope) = wanted.scope.as_ref().filter(|scope| !scope.is_empty()) {
            say("scope", json!(scope.iter().collect::<Vec<_>>().join(" ")));
        }
        for (name, text) in [("tenant", &wanted.tenant), ("plan", &wanted.plan), ("sid", &wanted.session)] {
            if let Some(text) = text {
                say(name, json!(&**text));
            }
        }
        if let Some(set) = &wanted.networks {
            say(NETWORKS, json!(set.iter().map(|network| network.to_string()).collect::<Vec<_>>()));
        }
        if !wanted.origins.is_empty() {
            say(ORIGINS, wanted.origins.iter().map(|origin| self.origin(origin)).collect());
        }
        let token = Secret::from(self.signed(&Value::Object(claims))?);
        Ok(MintedAccessToken { token, id, expires, lifetime })
    }

    /// One of those that a token is made of; the issuer is named where it is another one.
    fn origin(&self, origin: &Origin) -> Value {
        let mut said = json!({ "sub": &*origin.subject });
        if origin.issuer != self.issuer {
            said["iss"] = Value::from(&*origin.issuer);
        }
        for (name, text) in [("jti", &origin.credential_id), ("sid", &origin.session)] {
            if let Some(text) = text {
                said[name] = Value::from(&**text);
            }
        }
        if let Some(issued) = origin.issued {
            said["iat"] = numeric_date(issued);
        }
        said
    }

    fn signed(&self, claims: &Value) -> Result<String, SigningError> {
        let typ = match self.token_type {
            TokenType::AccessToken => "at+jwt",
            TokenType::Jwt => "JWT",
        };
        self.keys.current().compact(typ, &claims.to_string())
    }
}

/// RFC 7519 section 2: whole seconds where it is a whole second.
fn numeric_date(at: Timestamp) -> Value {
    let second = at.unix_seconds();
    if Timestamp::from_unix_seconds(second) == at {
        return json!(second);
    }
    // exact to a quarter of a microsecond until the year 2242
    #[expect(clippy::cast_precision_loss, reason = "see above")]
    let seconds = at.unix_micros() as f64 / 1e6;
    json!(seconds)
}
