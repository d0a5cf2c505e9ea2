//! Access tokens and one-time codes, as somebody makes them who knows the secrets.

use std::time::SystemTime;

use aws_lc_rs::hmac;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::Value;

use super::story::{Forgery, Signer};

/// The access token of `demo.json` with changes, signed anew.
pub(super) fn token(demo: &Value, forgery: &Forgery) -> String {
    let part = |place: usize| {
        let part = demo["bearer"].as_str().unwrap().split('.').nth(place).unwrap();
        let Value::Object(members) = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        else {
            panic!("the parts of a token are objects");
        };
        members
    };
    let (mut header, mut claims) = (part(0), part(1));
    let partner = match forgery.signed_by {
        Signer::Partner => Some("keys/ed25519.pem"),
        Signer::OtherPartner => Some("keys/ed25519-other.pem"),
        Signer::Gateway | Signer::Stranger => None,
    };
    if partner.is_some() {
        header = serde_json::Map::from_iter([("alg".to_owned(), "EdDSA".into())]);
        claims.clear();
    }
    header.extend(forgery.header.clone());
    claims.extend(forgery.claims.clone());
    claims.retain(|name, _| !forgery.without.contains(name));
    for claim in claims.values_mut() {
        let moment =
            claim.as_str().and_then(|text| text.strip_prefix("now")).and_then(|offset| offset.parse::<i64>().ok());
        if let Some(offset) = moment {
            *claim = (i64::try_from(now()).unwrap() + offset).into();
        }
    }
    let encoded = |members| BASE64_URL_SAFE_NO_PAD.encode(Value::Object(members).to_string());
    let signed = format!("{}.{}", encoded(header), encoded(claims));
    if let Some(partner) = partner {
        let key = EncodingKey::from_ed_pem(&std::fs::read(crate::corpus::folder(partner)).unwrap()).unwrap();
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, Algorithm::EdDSA).unwrap();
        return format!("{signed}.{signature}");
    }
    let jwt = &demo["jwt"];
    let algorithm: Algorithm = jwt["algorithm"].as_str().unwrap().parse().unwrap();
    let key = match (jwt["secret"].as_str(), forgery.signed_by) {
        (Some(secret), Signer::Gateway) => EncodingKey::from_secret(secret.as_bytes()),
        (Some(secret), Signer::Stranger) => EncodingKey::from_secret(secret.to_lowercase().as_bytes()),
        (None, Signer::Gateway) => {
            EncodingKey::from_ec_pem(jwt["private_key_pem"].as_str().unwrap().as_bytes()).unwrap()
        }
        (Some(_), _) => unreachable!("partners have signed already"),
        (None, _) => EncodingKey::from_ec_pem(&std::fs::read(crate::corpus::folder("keys/p256.pem")).unwrap()).unwrap(),
    };
    let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, algorithm).unwrap();
    format!("{signed}.{signature}")
}

/// Seconds since the epoch.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// The code of a time step (RFC 6238, RFC 4226 section 5.3) for a secret in base32.
pub(super) fn code(secret: &str, step: u64) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut key, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for byte in secret.bytes() {
        let value = ALPHABET.iter().position(|char| *char == byte).expect("the secret is base32");
        (bits, held) = (bits << 5 | u32::try_from(value).unwrap(), held + 5);
        if held >= 8 {
            held -= 8;
            key.push(u8::try_from(bits >> held & 0xff).unwrap());
        }
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let offset = usize::from(tag.as_ref()[19] & 15);
    let chosen: [u8; 4] = tag.as_ref()[offset..offset + 4].try_into().unwrap();
    format!("{:06}", (u32::from_be_bytes(chosen) & 0x7fff_ffff) % 1_000_000)
}

/// A live key's random part as a test key, with the checksum that it would have.
pub(super) fn of_the_other_environment(key: &str) -> String {
    let random = key.strip_prefix("sk_live_").expect("a live key");
    let body = format!("sk_test_{}", &random[..26]);
    let mut rest = crc32(body.as_bytes());
    let mut checksum = [0; 6];
    for place in checksum.iter_mut().rev() {
        *place = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[usize::try_from(rest % 62).unwrap()];
        rest /= 62;
    }
    body + std::str::from_utf8(&checksum).unwrap()
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |remainder: u32| if remainder & 1 == 1 { remainder >> 1 ^ 0xEDB8_8320 } else { remainder >> 1 };
    !bytes.iter().fold(!0, |remainder, byte| (0..8).fold(remainder ^ u32::from(*byte), |remainder, _| step(remainder)))
}

/// A secret with one character changed, in the middle.
pub(super) fn typo(secret: &str) -> String {
    let at = secret.len() / 2;
    let other = if secret.as_bytes()[at] == b'x' { "y" } else { "x" };
    format!("{}{other}{}", &secret[..at], &secret[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_codes_come_out() {
        // RFC 6238 appendix B, the last six digits
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        assert_eq!(code(secret, 1), "287082");
        assert_eq!(code(secret, 1_111_111_109 / 30), "081804");
    }
}
