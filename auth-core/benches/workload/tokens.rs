//! Signed tokens as an identity provider issues them to the users of a company.

use std::hint::black_box;

use auth_core::keys::VerificationKey;
use auth_core::{Clock, Secret, SystemClock, keys};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, ParsedPublicKey, RsaKeyPair, VerificationAlgorithm,
};
use aws_lc_rs::{hmac, rsa};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::{AUDIENCE, Fallible, ISSUER, PERMISSIONS};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Algorithm {
    Hs256,
    Rs256,
    Es256,
    EdDsa,
}

/// A token, the key that verifies it, and the verification of its signature alone.
pub(crate) struct Signed {
    pub(crate) text: String,
    pub(crate) key: VerificationKey,
    pub(crate) raw: Box<dyn Fn()>,
    /// The secret or public key as other libraries take it: PKCS #1 of RSA, the bare point of the others.
    pub(crate) key_bytes: Vec<u8>,
}

const SECRET: &[u8] = b"an example of a secret of more than 32 bytes";
pub(crate) const KEY_ID: &str = "2031-01-15";

pub(crate) fn signed(algorithm: Algorithm) -> Fallible<Signed> {
    match algorithm {
        Algorithm::Hs256 => hmac_signed(),
        Algorithm::Rs256 => rsa_signed(),
        Algorithm::Es256 => ecdsa_signed(),
        Algorithm::EdDsa => ed25519_signed(),
    }
}

fn hmac_signed() -> Fallible<Signed> {
    let signing_input = signing_input("HS256");
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
    let tag = hmac::sign(&key, signing_input.as_bytes());
    let shared = VerificationKey::shared_secret(keys::Algorithm::Hs256, &Secret::new(SECRET.to_vec()))?;
    Ok(Signed {
        text: format!("{signing_input}.{}", base64(tag.as_ref())),
        key: shared.named(KEY_ID),
        raw: Box::new(move || {
            let _ = black_box(hmac::verify(&key, signing_input.as_bytes(), tag.as_ref()));
        }),
        key_bytes: SECRET.to_vec(),
    })
}

fn rsa_signed() -> Fallible<Signed> {
    let signing_input = signing_input("RS256");
    let pair = RsaKeyPair::generate(rsa::KeySize::Rsa2048)?;
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), signing_input.as_bytes(), &mut signature)?;
    let public = pair.public_key();
    let der = STANDARD.encode(public.as_ref());
    let pem = format!("-----BEGIN RSA PUBLIC KEY-----\n{der}\n-----END RSA PUBLIC KEY-----\n");
    let key = VerificationKey::from_pem(&pem)?.named(KEY_ID);
    finish(&signing_input, signature, key, &signature::RSA_PKCS1_2048_8192_SHA256, public.as_ref())
}

fn ecdsa_signed() -> Fallible<Signed> {
    let signing_input = signing_input("ES256");
    let pair = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING)?;
    let signature = pair.sign(&SystemRandom::new(), signing_input.as_bytes())?.as_ref().to_vec();
    let point = pair.public_key().as_ref();
    let (x, y) = point.get(1..).ok_or("a point begins with its form")?.split_at(32);
    let (x, y) = (base64(x), base64(y));
    let jwk = format!(r#"{{"kty":"EC","kid":"{KEY_ID}","crv":"P-256","x":"{x}","y":"{y}"}}"#);
    finish(&signing_input, signature, VerificationKey::from_jwk(&jwk)?, &signature::ECDSA_P256_SHA256_FIXED, point)
}

fn ed25519_signed() -> Fallible<Signed> {
    let signing_input = signing_input("EdDSA");
    let pair = Ed25519KeyPair::generate()?;
    let signature = pair.sign(signing_input.as_bytes()).as_ref().to_vec();
    let public = pair.public_key().as_ref();
    let jwk = format!(r#"{{"kty":"OKP","kid":"{KEY_ID}","crv":"Ed25519","x":"{}"}}"#, base64(public));
    finish(&signing_input, signature, VerificationKey::from_jwk(&jwk)?, &signature::ED25519, public)
}

fn finish(
    signing_input: &str,
    signature: Vec<u8>,
    key: VerificationKey,
    algorithm: &'static impl VerificationAlgorithm,
    public: &[u8],
) -> Fallible<Signed> {
    let parsed = ParsedPublicKey::new(algorithm, public)?;
    let text = format!("{signing_input}.{}", base64(&signature));
    let message = signing_input.to_owned();
    Ok(Signed {
        text,
        key,
        raw: Box::new(move || {
            let _ = black_box(parsed.verify_sig(message.as_bytes(), &signature));
        }),
        key_bytes: public.to_vec(),
    })
}

fn signing_input(alg: &str) -> String {
    let now = SystemClock.now().wall.unix_seconds();
    let header = format!(r#"{{"alg":"{alg}","typ":"JWT","kid":"{KEY_ID}"}}"#);
    let permissions = PERMISSIONS.join(r#"",""#);
    let claims = format!(
        concat!(
            r#"{{"iss":"{ISSUER}","sub":"auth0|65f2c9a1b7d04e3f8a6c1e20","aud":"{AUDIENCE}","#,
            r#""iat":{iat},"exp":{exp},"jti":"0f8fad5b-d9cb-469f-a165-70867728950e","#,
            r#""permissions":["{permissions}"],"tenant":"org_7Hk2LmQ9","plan":"business"}}"#,
        ),
        ISSUER = ISSUER,
        AUDIENCE = AUDIENCE,
        iat = now - 60,
        exp = now + 86_400,
        permissions = permissions,
    );
    format!("{}.{}", base64(header.as_bytes()), base64(claims.as_bytes()))
}

fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
