//! From a code to what the ID token says.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use form_urlencoded::{Serializer, byte_serialize};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::Secret;
use crate::claims::Claims;
use crate::clock::Now;
use crate::fetch::FetchRequest;
use crate::keys::KeySet;
use crate::principal::Identity;
use crate::rejection::{CredentialFault, Rejection};
use crate::store::{OnceKey, Spending};
use crate::verify::Verifier as _;
use crate::verify::jwt::{Issuer, JwtVerifier, TokenKind};

use super::attempt::Attempt;
use super::person::Person;
use super::provider::Endpoints;
use super::{CodeLogin, Inner, SingleSignOn, SsoFault, StateRule};

/// How far the provider's clock may be from ours.
const LEEWAY: Duration = Duration::from_secs(30);

/// The longest ID token: some carry a picture's address and a list of groups.
const LONGEST: usize = 32 * 1024;

/// What the provider gives for a code.
#[derive(Deserialize)]
struct Given {
    id_token: String,
    /// What its userinfo is asked with.
    #[serde(default)]
    access_token: Option<String>,
}

#[derive(Deserialize)]
struct Complaint {
    error: String,
}

impl SingleSignOn {
    /// Redeems a code, once.
    pub(crate) async fn redeem(&self, login: CodeLogin, client: Option<IpAddr>, now: Now) -> Result<Person, SsoFault> {
        let Inner { settings, provider, used, open, .. } = &*self.0;
        let (attempt, state) = self.attempt_of(&login, client, now).ok_or(SsoFault::State)?;
        if attempt.redirect_uri != login.redirect_uri {
            return Err(SsoFault::RedirectUri);
        }
        let endpoints = provider.endpoints(now).await?;
        // RFC 9207 section 2.4: compared as it is; a provider that always says it has to have said it
        let has_told =
            login.issuer.is_some() || !endpoints.tells_issuer || settings.state == StateRule::DangerByAddress;
        if !has_told || login.issuer.as_deref().is_some_and(|issuer| issuer != &*settings.issuer) {
            return Err(SsoFault::Issuer);
        }
        let code = login.code.expose_text().ok_or(SsoFault::Code)?;
        let until = attempt.ends.saturating_add(LEEWAY);
        let key = OnceKey::new("sso_attempt", &settings.issuer, &attempt.id);
        if used.use_once(&key, until).resolve().await? == Spending::Refused {
            return Err(SsoFault::State);
        }
        if let Some(client) = client {
            open.remove(client, &state);
        }
        let given = self.given(&endpoints, code, &attempt).await?;
        let identity = self.verified(&given.id_token, now).await?;
        self.check(&identity, &attempt)?;
        let token = given.access_token.map(Zeroizing::new);
        let person = self.person(&identity, &endpoints, token.as_deref().map(String::as_str)).await?;
        // the provider sees to it too; two attempts cannot share a code, whatever it does
        let key = OnceKey::new("sso_code", &settings.issuer, code);
        match used.use_once(&key, until).resolve().await? {
            Spending::Spent => Ok(person),
            Spending::Refused => Err(SsoFault::Code),
        }
    }

    /// The attempt that a code belongs to, with its state.
    fn attempt_of(&self, login: &CodeLogin, client: Option<IpAddr>, now: Now) -> Option<(Attempt, String)> {
        let Inner { settings, seal, open, .. } = &*self.0;
        let by_address = || {
            let client = client.filter(|_| settings.state == StateRule::DangerByAddress)?;
            open.only(client, now.wall)
        };
        let state = login.state.clone().or_else(by_address)?;
        let attempt = Attempt::open(&state, seal, &settings.issuer).filter(|attempt| now.wall < attempt.ends)?;
        Some((attempt, state))
    }

    /// OpenID Connect Core section 3.1.3.1.
    async fn given(&self, endpoints: &Endpoints, code: &str, attempt: &Attempt) -> Result<Given, SsoFault> {
        let provider = &self.0.provider;
        let request = self.token_request(endpoints, code, attempt)?;
        let fetched = provider.fetched(request).await?;
        if fetched.status == 200 {
            let given = serde_json::from_slice::<Given>(fetched.body.expose());
            return given.map_err(|_| {
                SsoFault::Provider(
                    "it gave no ID token for a code: is `openid` among what the client may ask for?".to_owned(),
                )
            });
        }
        let error = serde_json::from_slice::<Complaint>(fetched.body.expose()).map(|complaint| complaint.error);
        match error.as_deref() {
            Ok("invalid_grant") if matches!(fetched.status, 400 | 401) => Err(SsoFault::Code),
            Ok(error) => Err(SsoFault::Provider(format!(
                "it answered {} to a code: {}",
                fetched.status,
                error.chars().take(60).collect::<String>().escape_debug()
            ))),
            Err(_) => Err(SsoFault::Provider(format!("it answered {} to a code", fetched.status))),
        }
    }

    fn token_request(&self, endpoints: &Endpoints, code: &str, attempt: &Attempt) -> Result<FetchRequest, SsoFault> {
        let settings = &self.0.settings;
        let secret = settings.client_secret.as_ref().and_then(Secret::expose_text);
        let verifier = attempt.verifier.expose_text().ok_or(SsoFault::State)?;
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &attempt.redirect_uri)
            .append_pair("code_verifier", verifier);
        let mut authorization = None;
        match secret {
            Some(secret) if endpoints.secret_in_form => {
                form.append_pair("client_id", &settings.client_id).append_pair("client_secret", secret);
            }
            // RFC 6749 section 2.3.1: both are encoded like in a form before they are joined
            Some(secret) => {
                let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                let pair = Zeroizing::new(format!("{}:{}", encoded(&settings.client_id), encoded(secret)));
                authorization = Some(Secret::from(format!("Basic {}", STANDARD.encode(pair.as_bytes()))));
            }
            None => drop(form.append_pair("client_id", &settings.client_id)),
        }
        let mut request = FetchRequest::post(endpoints.token.as_str(), Secret::from(form.finish()));
        request.authorization = authorization;
        Ok(request)
    }

    /// OpenID Connect Core section 3.1.3.7.
    async fn verified(&self, token: &str, now: Now) -> Result<Arc<Identity>, SsoFault> {
        let provider = &self.0.provider;
        match self.verified_with(provider.keys(now).await?, token, now) {
            // a key that the provider has made since
            Err(SsoFault::IdToken(CredentialFault::UnknownKey)) => match provider.newer_keys(now).await? {
                Some(keys) => self.verified_with(keys, token, now),
                None => Err(SsoFault::Provider("it signs with a key that it did not publish a moment ago".to_owned())),
            },
            verdict => verdict,
        }
    }

    fn verified_with(&self, keys: KeySet, token: &str, now: Now) -> Result<Arc<Identity>, SsoFault> {
        let settings = &self.0.settings;
        let issuer = Issuer::new(Arc::clone(&settings.issuer), [&*settings.client_id], keys)
            .token_kind(TokenKind::IdToken)
            .leeway(LEEWAY)
            .danger_clients_share_names_with_users();
        let verifier = JwtVerifier::new([issuer]).map_err(|error| SsoFault::Provider(error.to_string()))?;
        match verifier.max_length(LONGEST).verify(token, now) {
            crate::Outcome::Done(Ok(identity)) => Ok(identity),
            crate::Outcome::Done(Err(Rejection::InvalidCredential(fault))) => Err(SsoFault::IdToken(fault)),
            // verifying a token never waits
            _ => Err(SsoFault::IdToken(CredentialFault::Malformed)),
        }
    }

    /// Whether the ID token is of this attempt, and for us.
    fn check(&self, identity: &Identity, attempt: &Attempt) -> Result<(), SsoFault> {
        let claims = &identity.claims;
        if text(claims, "nonce").as_deref() != Some(&attempt.nonce) {
            return Err(SsoFault::IdToken(CredentialFault::Claims));
        }
        // section 3.1.3.7: where there is an authorised party, it has to be us
        if claims.get("azp").is_some() && text(claims, "azp").as_deref() != Some(&self.0.settings.client_id) {
            return Err(SsoFault::IdToken(CredentialFault::Audience));
        }
        if claims.get("aud").is_some_and(|aud| aud.items().count() > 1) && claims.get("azp").is_none() {
            return Err(SsoFault::IdToken(CredentialFault::Audience));
        }
        Ok(())
    }
}

/// A claim that is a text, and not an empty one.
pub(super) fn text(claims: &Claims, name: &str) -> Option<String> {
    claims.get(name)?.as_str().map(std::borrow::Cow::into_owned).filter(|text| !text.is_empty())
}
