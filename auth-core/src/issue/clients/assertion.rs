//! Clients that sign instead of sending a secret: `private_key_jwt` (RFC 7523 section 2.2).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::Secret;
use crate::client::ClientRecord;
use crate::clock::Now;
use crate::error::StoreError;
use crate::keys::KeySet;
use crate::rejection::Rejection;
use crate::store::{OnceKey, OnceStore, Spending};
use crate::verify::Verifier as _;
use crate::verify::jwt::{Issuer, JwtVerifier, TokenKind};

use super::{ClientError, Clients};

/// How far a client's clock may be from ours.
const LEEWAY: Duration = Duration::from_secs(30);

/// For how long an assertion may be good: whoever finds one in a log some day finds nothing.
const LONGEST_LIFE: Duration = Duration::from_mins(10);

/// The longest assertion.
const LONGEST: usize = 8 * 1024;

impl Clients {
    /// Whether clients may sign: it takes a place to remember what was used.
    pub fn takes_assertions(&self) -> bool {
        self.0.used.is_some()
    }

    /// The client that signed this assertion, if it may be used from there now.
    ///
    /// The assertion is signed with one of the keys registered for the client; `iss` and `sub` are the client's id, `aud` is
    /// the name of this issuer alone, it ends soon, and its `jti` is used once.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate).
    pub async fn authenticate_by_assertion(
        &self,
        assertion: &Secret,
        source: Option<IpAddr>,
        now: Now,
    ) -> Result<Arc<ClientRecord>, ClientError> {
        let text = assertion.expose_text().unwrap_or_default();
        // whose keys to try is all that is believed of it before its signature was checked
        let id = claimed_id(text).unwrap_or_default();
        let proved = match (&self.0.used, self.0.store.by_id(&id).resolve().await?) {
            (Some(used), Some(client)) => self.signed(&client, text, &**used, now).await?.then_some(client),
            _ => None,
        };
        self.settle(&id, proved, source, now).await
    }

    /// Forgets the ids of assertions that have ended. Call it now and then.
    ///
    /// # Errors
    /// What went wrong in the store.
    pub async fn delete_ended(&self, now: Now) -> Result<(), StoreError> {
        let Some(used) = &self.0.used else { return Ok(()) };
        // a clock may be set back by a little
        let before = now.wall.saturating_sub(Duration::from_hours(1));
        while used.delete_ended(before).resolve().await? > 0 {}
        Ok(())
    }

    /// Whether a client signed it, now used up.
    async fn signed(
        &self,
        client: &ClientRecord,
        text: &str,
        used: &dyn OnceStore,
        now: Now,
    ) -> Result<bool, ClientError> {
        let Some(keys) = &client.public_keys else { return Ok(false) };
        let broken = |error: crate::ConfigError| StoreError::Corrupt(error.to_string());
        let issuer =
            Issuer::new(Arc::clone(&client.id), [&**self.0.issuer.issuer()], KeySet::from_jwks(keys).map_err(broken)?)
                .token_kind(TokenKind::Assertion("client-authentication+jwt".into()))
                .max_lifetime(LONGEST_LIFE)
                .leeway(LEEWAY);
        let verifier = JwtVerifier::new([issuer]).map_err(broken)?.max_length(LONGEST);
        let identity = match verifier.verify(text, now).resolve().await {
            Ok(identity) => identity,
            Err(Rejection::InvalidCredential(_)) => return Ok(false),
            Err(rejection) => return Err(StoreError::Unavailable(rejection.to_string()).into()),
        };
        let is_about =
            identity.claims.get("sub").and_then(crate::claims::Claim::as_str).as_deref() == Some(&*client.id);
        let (Some(id), Some(end), true) = (&identity.credential_id, identity.expires, is_about) else {
            return Ok(false);
        };
        let once = OnceKey::new("client assertion", &client.id, id);
        Ok(used.use_once(&once, end.saturating_add(LEEWAY)).resolve().await? == Spending::Spent)
    }

    /// Checks a JWK set before it is registered: it has to hold at least one key, and no secret one.
    pub(super) fn check_keys(jwks: &str) -> Result<(), ClientError> {
        let invalid = |_| ClientError::Invalid("the keys are no JWK set with a public key that can verify");
        KeySet::from_jwks(jwks).map_err(invalid)?;
        let keys: serde_json::Value = serde_json::from_str(jwks).unwrap_or_default();
        let private = ["d", "p", "q", "k"];
        let is_private = |key: &serde_json::Value| private.iter().any(|member| key.get(member).is_some());
        if keys["keys"].as_array().is_some_and(|keys| keys.iter().any(is_private)) {
            return Err(ClientError::Invalid("the set holds a secret or private key: register public keys alone"));
        }
        Ok(())
    }
}

/// The `sub` of a token whose signature nobody has checked.
fn claimed_id(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        sub: String,
    }
    let (_, rest) = token.split_once('.').filter(|_| token.len() <= LONGEST)?;
    let (payload, _) = rest.split_once('.')?;
    let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
    Some(serde_json::from_slice::<Claims>(&payload).ok()?.sub)
}
