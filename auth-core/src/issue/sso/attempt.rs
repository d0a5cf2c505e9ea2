//! What travels as the state.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use form_urlencoded::Serializer;
use serde::{Deserialize, Serialize};

use crate::Secret;
use crate::account::SealedSecret;
use crate::clock::Timestamp;
use crate::issue::{Seal, SealedFor};

/// One attempt of one person to log in.
pub(super) struct Attempt {
    /// Its name, under which it is used up.
    pub(super) id: String,
    /// What the ID token has to repeat.
    pub(super) nonce: String,
    /// What proves to the provider that the code was asked for here (RFC 7636 section 4.1).
    pub(super) verifier: Secret,
    pub(super) redirect_uri: String,
    pub(super) ends: Timestamp,
}

/// The same as it is sealed.
#[derive(Serialize, Deserialize)]
struct Sealed<'s> {
    id: &'s str,
    nonce: &'s str,
    verifier: &'s str,
    redirect_uri: std::borrow::Cow<'s, str>,
    /// Microseconds since the epoch.
    ends: i64,
}

impl Attempt {
    pub(super) fn begin(redirect_uri: &str, ends: Timestamp) -> Option<Self> {
        let verifier = Secret::from(random()?);
        Some(Self { id: random()?, nonce: random()?, verifier, redirect_uri: redirect_uri.to_owned(), ends })
    }

    /// As text that nobody can read or make but whoever has the key. What is sealed for one provider is nothing for another.
    pub(super) fn seal(&self, seal: &Seal, issuer: &str) -> Option<String> {
        let sealed = Sealed {
            id: &self.id,
            nonce: &self.nonce,
            verifier: self.verifier.expose_text()?,
            redirect_uri: self.redirect_uri.as_str().into(),
            ends: self.ends.unix_micros(),
        };
        let text = Secret::new(serde_json::to_vec(&sealed).ok()?);
        Some(URL_SAFE_NO_PAD.encode(seal.seal(&text, SealedFor::SsoState, issuer).ok()?.as_bytes()))
    }

    /// The attempt of a state that was sealed here for this provider.
    pub(super) fn open(state: &str, seal: &Seal, issuer: &str) -> Option<Self> {
        let sealed = SealedSecret::from_bytes(URL_SAFE_NO_PAD.decode(state).ok()?);
        let text = seal.open(&sealed, SealedFor::SsoState, issuer).ok()?;
        let Sealed { id, nonce, verifier, redirect_uri, ends } = serde_json::from_slice(text.expose()).ok()?;
        Some(Self {
            id: id.to_owned(),
            nonce: nonce.to_owned(),
            verifier: Secret::from(verifier),
            redirect_uri: redirect_uri.into_owned(),
            ends: Timestamp::from_unix_micros(ends),
        })
    }

    /// Where to send the person (OpenID Connect Core section 3.1.2.1).
    pub(super) fn url(&self, endpoint: &str, client_id: &str, scopes: &[Arc<str>], state: &str) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier.expose()));
        let query = Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", client_id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", state)
            .append_pair("nonce", &self.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .finish();
        let join = if endpoint.contains('?') { '&' } else { '?' };
        format!("{endpoint}{join}{query}")
    }
}

/// 256 bits as text.
fn random() -> Option<String> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_opens_for_its_provider_alone_and_unchanged() {
        let seal = Seal::new(&Secret::from("an example of a secret, 32 bytes or more")).unwrap();
        let attempt = Attempt::begin("https://app.example/back?a=\"b\"", Timestamp::from_unix_seconds(5)).unwrap();
        let state = attempt.seal(&seal, "https://idp.example").unwrap();
        let opened = Attempt::open(&state, &seal, "https://idp.example").unwrap();
        assert_eq!((&opened.id, &opened.nonce), (&attempt.id, &attempt.nonce));
        assert_eq!(opened.verifier.expose(), attempt.verifier.expose());
        assert_eq!((opened.redirect_uri, opened.ends), (attempt.redirect_uri, attempt.ends));
        assert!(Attempt::open(&state, &seal, "https://other.example").is_none());
        for at in 0..state.len() {
            let mut changed = state.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(
                Attempt::open(&String::from_utf8(changed).unwrap(), &seal, "https://idp.example").is_none(),
                "{at}"
            );
        }
    }

    #[test]
    fn the_address_says_everything_that_the_provider_needs() {
        let attempt = Attempt {
            id: "i".to_owned(),
            nonce: "n".to_owned(),
            // RFC 7636 appendix B
            verifier: Secret::from("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            redirect_uri: "https://app.example/back?x=1".to_owned(),
            ends: Timestamp::from_unix_seconds(5),
        };
        let url = attempt.url("https://idp.example/auth", "a b", &["openid".into(), "email".into()], "s");
        assert_eq!(
            url,
            "https://idp.example/auth?response_type=code&client_id=a+b&redirect_uri=https%3A%2F%2Fapp.example%2Fback%3Fx%3D1\
             &scope=openid+email&state=s&nonce=n&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\
             &code_challenge_method=S256"
        );
        assert!(
            attempt.url("https://idp.example/auth?p=1", "a", &[], "s").starts_with("https://idp.example/auth?p=1&")
        );
    }
}
