//! The provider's configuration and keys, fetched and kept for a while.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::clock::{Monotonic, Now};
use crate::error::ConfigError;
use crate::fetch::{Fetch, FetchRequest, Fetched, is_safe};
use crate::keys::KeySet;

use super::{SsoFault, SsoSettings};

/// For how long what was fetched is believed without a look.
const FRESH: Duration = Duration::from_hours(1);

/// For how long it is believed at the most, where the provider does not answer any more.
const STALE: Duration = Duration::from_hours(24);

/// How many requests to the provider are under way at the most: strangers cause them.
const AT_ONCE: usize = 16;

/// How long it takes until a provider is asked for its keys again after it was asked for them, whatever came of it: a key
/// that is not in the set must not become a flood of requests.
const COOL_DOWN: Duration = Duration::from_secs(10);

/// The provider as far as it is known.
pub(super) struct Provider {
    issuer: Arc<str>,
    fetch: Arc<dyn Fetch>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    endpoints: Option<(Arc<Endpoints>, Monotonic)>,
    keys: Option<(KeySet, Monotonic)>,
    /// When the keys were asked for last.
    keys_asked: Option<Monotonic>,
    /// When the configuration was asked for last, and did not come.
    refused: Option<Monotonic>,
    /// How many requests are under way.
    asking: usize,
}

/// Where the provider answers what.
pub(super) struct Endpoints {
    pub(super) authorization: String,
    pub(super) token: String,
    jwks: String,
    /// Where it tells of a person what the ID token leaves out.
    pub(super) userinfo: Option<String>,
    /// Whether the secret is sent in the form rather than in `Authorization`.
    pub(super) secret_in_form: bool,
    /// Whether it says with each code who it is (RFC 9207 section 3).
    pub(super) tells_issuer: bool,
}

/// OpenID Connect Discovery section 3.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    userinfo_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Provider {
    pub(super) fn new(settings: &SsoSettings, fetch: Arc<dyn Fetch>) -> Result<Self, ConfigError> {
        let issuer = Arc::clone(&settings.issuer);
        if !is_safe(&issuer) || issuer.contains(['?', '#']) {
            return Err(ConfigError::new(
                "the issuer of the provider has to be https, or http on a literal loopback address, without a query",
            ));
        }
        Ok(Self { issuer, fetch, known: Mutex::default() })
    }

    /// Where the provider answers what.
    pub(super) async fn endpoints(&self, now: Now) -> Result<Arc<Endpoints>, SsoFault> {
        let known = self.known().endpoints.clone();
        if let Some((endpoints, since)) = &known
            && age(*since, now) < FRESH
        {
            return Ok(Arc::clone(endpoints));
        }
        if self.known().refused.is_some_and(|refused| age(refused, now) < COOL_DOWN) {
            return self.stale(known, now, &SsoFault::Provider("it did not answer a moment ago".to_owned()));
        }
        match self.discovered().await {
            Ok(endpoints) => {
                let endpoints = Arc::new(endpoints);
                let mut known = self.known();
                known.refused = None;
                known.endpoints = Some((Arc::clone(&endpoints), now.monotonic));
                Ok(endpoints)
            }
            Err(why) => {
                self.known().refused = Some(now.monotonic);
                self.stale(known, now, &why)
            }
        }
    }

    async fn discovered(&self) -> Result<Endpoints, SsoFault> {
        let url = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let document: Document = self.document(&url).await?;
        // byte for byte: another issuer's document is another issuer's (OpenID Connect Discovery section 4.3)
        if document.issuer != *self.issuer {
            return Err(SsoFault::Provider("its configuration names another issuer".to_owned()));
        }
        let all = [&document.authorization_endpoint, &document.token_endpoint, &document.jwks_uri];
        // a provider somewhere else does not name services of this machine
        let is_here = self.issuer.starts_with("http://");
        if !all
            .into_iter()
            .chain(&document.userinfo_endpoint)
            .all(|url| is_safe(url) && (is_here || url.starts_with("https://")))
        {
            return Err(SsoFault::Provider("its configuration names an address that is not https".to_owned()));
        }
        let methods = document.token_endpoint_auth_methods_supported;
        let takes = |method: &str| methods.as_ref().is_some_and(|all| all.iter().any(|known| known == method));
        Ok(Endpoints {
            // without a list, `Authorization` is what every provider takes (OpenID Connect Discovery section 3)
            secret_in_form: takes("client_secret_post") && !takes("client_secret_basic"),
            tells_issuer: document.authorization_response_iss_parameter_supported,
            authorization: document.authorization_endpoint,
            token: document.token_endpoint,
            jwks: document.jwks_uri,
            userinfo: document.userinfo_endpoint,
        })
    }

    /// The provider's keys, as far as it was asked for them lately.
    pub(super) async fn keys(&self, now: Now) -> Result<KeySet, SsoFault> {
        let known = self.known().keys.clone();
        match &known {
            Some((keys, since)) if age(*since, now) < FRESH => Ok(keys.clone()),
            _ => match self.newer_keys(now).await? {
                Some(keys) => Ok(keys),
                None => self.stale(known, now, &SsoFault::Provider("it was asked for its keys just now".into())),
            },
        }
    }

    /// The keys as they are now; nothing where the provider was asked just now.
    pub(super) async fn newer_keys(&self, now: Now) -> Result<Option<KeySet>, SsoFault> {
        let known = {
            let mut known = self.known();
            let is_too_soon = |asked| age(asked, now) < COOL_DOWN;
            if known.keys.is_some() && known.keys_asked.is_some_and(is_too_soon) {
                return Ok(None);
            }
            known.keys_asked = Some(now.monotonic);
            known.keys.clone()
        };
        let endpoints = self.endpoints(now).await?;
        match self.fetched_keys(&endpoints.jwks).await {
            Ok(keys) => {
                self.known().keys = Some((keys.clone(), now.monotonic));
                Ok(Some(keys))
            }
            Err(why) => self.stale(known, now, &why).map(Some),
        }
    }

    async fn fetched_keys(&self, url: &str) -> Result<KeySet, SsoFault> {
        let fetched = self.fetched(FetchRequest::get(url)).await?;
        let text = fetched.body.expose_text().filter(|_| fetched.status == 200);
        let keys = text.map(KeySet::from_jwks).transpose().map_err(|error| SsoFault::Provider(error.to_string()))?;
        let keys = keys.ok_or_else(|| unexpected(&fetched))?;
        if keys.iter().any(crate::keys::VerificationKey::is_symmetric) {
            return Err(SsoFault::Provider("its published keys are shared secrets".to_owned()));
        }
        Ok(keys)
    }

    /// What was known before, where that is not too long ago.
    fn stale<T>(&self, known: Option<(T, Monotonic)>, now: Now, why: &SsoFault) -> Result<T, SsoFault> {
        let old = known.filter(|(_, since)| age(*since, now) < STALE);
        let (old, _) = old.ok_or_else(|| why.clone())?;
        tracing::warn!(
            issuer = &*self.issuer,
            ?why,
            "the OpenID provider does not answer; what it said before goes on"
        );
        Ok(old)
    }

    pub(super) async fn fetched(&self, request: FetchRequest) -> Result<Fetched, SsoFault> {
        if !is_safe(&request.url) {
            return Err(SsoFault::Provider("an address of it is not https".to_owned()));
        }
        let _place = self.place().ok_or_else(|| SsoFault::Provider("too many requests to it are under way".into()))?;
        self.fetch.fetch(request).await.map_err(|error| SsoFault::Provider(error.to_string()))
    }

    /// A place among the requests that are under way.
    fn place(&self) -> Option<Place<'_>> {
        let mut known = self.known();
        if known.asking >= AT_ONCE {
            return None;
        }
        known.asking += 1;
        Some(Place(self))
    }

    async fn document<T: DeserializeOwned>(&self, url: &str) -> Result<T, SsoFault> {
        let fetched = self.fetched(FetchRequest::get(url)).await?;
        let document = serde_json::from_slice(fetched.body.expose()).ok().filter(|_| fetched.status == 200);
        document.ok_or_else(|| unexpected(&fetched))
    }

    /// No step leaves it half changed, so a panic elsewhere does not make it unusable.
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Given back when the answer is there, or nobody waits for it any more.
struct Place<'p>(&'p Provider);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut known = self.0.known();
        known.asking = known.asking.saturating_sub(1);
    }
}

fn age(since: Monotonic, now: Now) -> Duration {
    Duration::from_nanos(now.monotonic.nanos().saturating_sub(since.nanos()))
}

fn unexpected(fetched: &Fetched) -> SsoFault {
    SsoFault::Provider(format!("it answered {} with something else than was asked for", fetched.status))
}
