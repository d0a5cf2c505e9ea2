//! One key for each algorithm, as the signer, the reference and our verifier want it.

use std::sync::LazyLock;

use auth_core::Secret;
use auth_core::keys::VerificationKey;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};

/// The id that our verification keys have.
pub(super) const KEY_ID: &str = "k1";

pub(super) struct Signer {
    pub(super) algorithm: Algorithm,
    pub(super) name: &'static str,
    pub(super) encoding: EncodingKey,
    pub(super) decoding: DecodingKey,
    pub(super) verification: VerificationKey,
}

impl Signer {
    /// The encoded signature of the text.
    pub(super) fn sign(&self, signed: &str) -> String {
        jsonwebtoken::crypto::sign(signed.as_bytes(), &self.encoding, self.algorithm).unwrap()
    }
}

pub(super) static SIGNERS: LazyLock<Vec<Signer>> = LazyLock::new(|| {
    let mut signers = Vec::new();
    for (algorithm, name) in [(Algorithm::HS256, "HS256"), (Algorithm::HS384, "HS384"), (Algorithm::HS512, "HS512")] {
        let secret = format!("a secret of our tests for {name} that has more than 64 bytes, so is enough");
        signers.push(Signer {
            algorithm,
            name,
            encoding: EncodingKey::from_secret(secret.as_bytes()),
            decoding: DecodingKey::from_secret(secret.as_bytes()),
            verification: VerificationKey::shared_secret(name.parse().unwrap(), &Secret::from(secret)).unwrap(),
        });
    }
    signers.push(ecdsa(Algorithm::ES256, "ES256", "P-256", &ECDSA_P256_SHA256_FIXED_SIGNING));
    signers.push(ecdsa(Algorithm::ES384, "ES384", "P-384", &ECDSA_P384_SHA384_FIXED_SIGNING));
    signers.push(eddsa());
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    for (algorithm, name) in [
        (Algorithm::RS256, "RS256"),
        (Algorithm::RS384, "RS384"),
        (Algorithm::RS512, "RS512"),
        (Algorithm::PS256, "PS256"),
        (Algorithm::PS384, "PS384"),
        (Algorithm::PS512, "PS512"),
    ] {
        let private = pem("PRIVATE KEY", rsa.as_der().unwrap().as_ref());
        let public = rsa.public_key().as_ref();
        signers.push(Signer {
            algorithm,
            name,
            encoding: EncodingKey::from_rsa_pem(private.as_bytes()).unwrap(),
            decoding: DecodingKey::from_rsa_der(public),
            verification: VerificationKey::from_pem(&pem("RSA PUBLIC KEY", public)).unwrap(),
        });
    }
    signers.into_iter().map(|signer| Signer { verification: signer.verification.named(KEY_ID), ..signer }).collect()
});

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

fn ecdsa(algorithm: Algorithm, name: &'static str, curve: &str, signing: &'static EcdsaSigningAlgorithm) -> Signer {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(signing, &SystemRandom::new()).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(signing, pkcs8.as_ref()).unwrap();
    let point = pair.public_key().as_ref();
    let (x, y) = point[1..].split_at(point.len() / 2);
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    let jwk = format!(r#"{{"kty":"EC","crv":"{curve}","alg":"{name}","x":"{x}","y":"{y}"}}"#);
    Signer {
        algorithm,
        name,
        encoding: EncodingKey::from_ec_der(pkcs8.as_ref()),
        decoding: DecodingKey::from_ec_der(point),
        verification: VerificationKey::from_jwk(&jwk).unwrap(),
    }
}

fn eddsa() -> Signer {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
    let x = URL_SAFE_NO_PAD.encode(pair.public_key());
    Signer {
        algorithm: Algorithm::EdDSA,
        name: "EdDSA",
        encoding: EncodingKey::from_ed_der(pkcs8.as_ref()),
        decoding: DecodingKey::from_ed_der(pair.public_key().as_ref()),
        verification: VerificationKey::from_jwk(&format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#)).unwrap(),
    }
}
