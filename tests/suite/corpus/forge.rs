//! Forgeries: signatures that must not verify, and changes to finished tokens.

use aws_lc_rs::hmac;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::Value;

use super::tokens::key_file;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The order of P-256 (SEC 2, section 2.4.2).
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, //
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// A signature that is none, by the name that cases give it.
pub(crate) fn signature(message: &[u8], key: &str, method: &str) -> Result<Vec<u8>, String> {
    Ok(match method {
        "none" => Vec::new(),
        "random" => (0..64).map(|index: u8| index.wrapping_mul(37) ^ 0x5a).collect(),
        "zeros" => vec![0; 64],
        "order" => [P256_ORDER, P256_ORDER].concat(),
        "der" => der(&es256(message, key)?),
        "mirrored" => mirrored(&es256(message, key)?),
        "longer" => [&[0][..], &es256(message, key)?].concat(),
        "empty_secret" => mac(message, b""),
        "public_pem" => mac(message, &key_file(&format!("{key}.pub.pem"))?),
        "public_pem_trimmed" => mac(message, key_file(&format!("{key}.pub.pem"))?.trim_ascii_end()),
        "public_pem_led" => mac(message, &[b"\n", &key_file(&format!("{key}.pub.pem"))?[..]].concat()),
        "public_der" => mac(message, &public_der(key)?),
        "public_jwk" => mac(message, public_jwk(key)?.to_string().as_bytes()),
        "public_modulus" => {
            let modulus = public_jwk(key)?["n"].as_str().ok_or("the key has no modulus")?.to_owned();
            mac(message, &BASE64_URL_SAFE_NO_PAD.decode(modulus).map_err(|error| error.to_string())?)
        }
        _ => return Err(format!("no forgery is known as {method}")),
    })
}

fn mac(message: &[u8], secret: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec()
}

fn es256(message: &[u8], key: &str) -> Result<Vec<u8>, String> {
    let key = EncodingKey::from_ec_pem(&key_file(&format!("{key}.pem"))?).map_err(|error| error.to_string())?;
    let text = jsonwebtoken::crypto::sign(message, &key, Algorithm::ES256).map_err(|error| error.to_string())?;
    BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|error| error.to_string())
}

fn public_der(key: &str) -> Result<Vec<u8>, String> {
    let pem = String::from_utf8(key_file(&format!("{key}.pub.pem"))?).map_err(|error| error.to_string())?;
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    base64::prelude::BASE64_STANDARD.decode(text).map_err(|error| error.to_string())
}

fn public_jwk(key: &str) -> Result<Value, String> {
    let set: Value = serde_json::from_slice(&key_file("idp.jwks.json")?).map_err(|error| error.to_string())?;
    let keys = set["keys"].as_array().ok_or("the set has no keys")?;
    keys.iter().find(|jwk| jwk["kid"] == key).cloned().ok_or_else(|| format!("the set has no key {key}"))
}

/// Two integers in the form that X.509 has for ECDSA signatures, and JOSE has not.
fn der(signature: &[u8]) -> Vec<u8> {
    let integer = |half: &[u8]| {
        let significant =
            half.iter().position(|byte| *byte != 0).map_or(&half[half.len() - 1..], |first| &half[first..]);
        let sign = (significant[0] >= 0x80).then_some(0);
        let value: Vec<u8> = sign.into_iter().chain(significant.iter().copied()).collect();
        [&[2, u8::try_from(value.len()).expect("32 bytes and a sign fit")], &value[..]].concat()
    };
    let (r, s) = signature.split_at(signature.len() / 2);
    let both = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(both.len()).expect("two integers of P-256 fit")], &both[..]].concat()
}

/// The other signature that a valid one of ES256 brings along: `n - s` in the place of `s`.
fn mirrored(signature: &[u8]) -> Vec<u8> {
    let mut mirrored = signature.to_vec();
    let mut borrow = 0;
    for index in (0..32).rev() {
        let difference = i16::from(P256_ORDER[index]) - i16::from(signature[32 + index]) - borrow;
        borrow = i16::from(difference < 0);
        mirrored[32 + index] = u8::try_from(difference.rem_euclid(256)).expect("a remainder of 256 fits");
    }
    mirrored
}

/// The same text with a bit set that its last character does not need; the same text where there is none.
pub(crate) fn with_loose_bits(canonical: &str) -> String {
    if canonical.len().is_multiple_of(4) {
        return canonical.to_owned();
    }
    let (rest, last) = canonical.split_at(canonical.len() - 1);
    let value = ALPHABET.iter().position(|character| last.as_bytes() == [*character]).unwrap_or(0);
    format!("{rest}{}", char::from(ALPHABET[value | 1]))
}

/// A finished token, changed.
pub(crate) fn change(token: &str, change: &str) -> Result<String, String> {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let [header, claims, signature] = parts.as_mut_slice() else {
        return Err("only a token of three parts can be changed".to_owned());
    };
    let (name, argument) = change.split_once(':').unwrap_or((change, ""));
    Ok(match name {
        "flip_header" => format!("{}.{claims}.{signature}", flipped(header, argument)?),
        "flip_claims" => format!("{header}.{}.{signature}", flipped(claims, argument)?),
        "flip_signature" => format!("{header}.{claims}.{}", flipped(signature, argument)?),
        "cut_signature" => format!("{header}.{claims}.{}", &signature[..signature.len() - 2]),
        "drop_signature" => format!("{header}.{claims}."),
        "two_parts" => format!("{header}.{claims}"),
        "four_parts" => format!("{token}.AAAA"),
        "five_parts" => format!("{header}.AAAA.AAAA.{claims}.{signature}"),
        "no_header" => format!(".{claims}.{signature}"),
        "no_claims" => format!("{header}..{signature}"),
        "foreign_claims" => format!("{header}.{}.{signature}", BASE64_URL_SAFE_NO_PAD.encode(argument)),
        "json_form" => {
            format!(r#"{{"protected":"{header}","payload":"{claims}","signature":"{signature}"}}"#)
        }
        "before" => format!("{argument}{token}"),
        "after" => format!("{token}{argument}"),
        "upper" => token.to_ascii_uppercase(),
        _ => return Err(format!("no change is known as {change}")),
    })
}

/// The text with the character at an index replaced by another of the alphabet.
fn flipped(part: &str, index: &str) -> Result<String, String> {
    let index: usize = index.parse().map_err(|_| format!("{index:?} is not an index"))?;
    let old = *part.as_bytes().get(index).ok_or("the part is too short")?;
    let new = if old == b'A' { 'B' } else { 'A' };
    Ok(format!("{}{new}{}", &part[..index], &part[index + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn der_has_a_sign_byte_where_the_first_bit_is_set() {
        let mut signature = [0; 64];
        signature[0] = 0x80;
        signature[63] = 1;
        let encoded = der(&signature);
        assert_eq!(encoded[..5], [0x30, 38, 2, 33, 0]);
        assert_eq!(encoded[encoded.len() - 3..], [2, 1, 1]);
    }

    #[test]
    fn mirroring_twice_is_nothing() {
        let signature: Vec<u8> = (0..64).collect();
        assert_ne!(mirrored(&signature), signature);
        assert_eq!(mirrored(&mirrored(&signature)), signature);
    }
}
