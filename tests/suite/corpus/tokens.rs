//! Tokens as cases describe them: what is right is signed by `jsonwebtoken`, what is wrong is made wrong on purpose.
//!
//! A token that is to fail for one reason is otherwise whole: where the spelling of a part is wrong, the signature is
//! one over that very spelling, so that nothing but the rule under test can refuse it.

use std::fs;

use base64::prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD, Engine as _};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::cases::folder;
use super::expand::moment;
use super::forge;

/// One token.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenSpec {
    /// Which of `tests/keys` signs; `p256` unless it says.
    #[serde(default = "usual_key")]
    key: String,
    /// How it is signed: an algorithm's name, or one of the forgeries of [`forge`]. The key's own algorithm unless it
    /// says.
    sign: Option<String>,
    /// Members of the header, over the usual `alg`, `kid` and `typ`.
    #[serde(default)]
    header: Map<String, Value>,
    /// Usual members of the header that are left out.
    #[serde(default)]
    header_without: Vec<String>,
    /// The header's text, in the place of its members.
    header_json: Option<String>,
    /// Members of the claims, over the usual `iss`, `sub`, `aud`, `iat` and `exp`. `now+300` becomes a number.
    #[serde(default)]
    claims: Map<String, Value>,
    /// Usual members of the claims that are left out.
    #[serde(default)]
    without: Vec<String>,
    /// The claims' text, in the place of their members; `{now+300}` becomes a number.
    claims_json: Option<String>,
    /// The claims' bytes in hexadecimal, for what is not text.
    claims_hex: Option<String>,
    /// How the three parts are spelt in base64url.
    #[serde(default)]
    spelling: Spelling,
    /// What happens to the finished token, in this order.
    #[serde(default)]
    then: Vec<String>,
}

/// How each part is spelt.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Spelling {
    header: Base64,
    claims: Base64,
    signature: Base64,
}

/// Spellings of the same bytes, of which one is right.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Base64 {
    /// As RFC 7515 section 2 demands.
    #[default]
    Canonical,
    /// With `=` at the end.
    Padded,
    /// With the bits set that the last character does not need.
    LooseBits,
    /// With `+` and `/`.
    StandardAlphabet,
    /// With a line end in it, as PEM has.
    Folded,
}

fn usual_key() -> String {
    "p256".to_owned()
}

impl TokenSpec {
    /// The token.
    pub(crate) fn mint(&self) -> Result<String, String> {
        let header = self.header_text()?;
        let claims = self.claims_bytes()?;
        let signed =
            format!("{}.{}", spell(header.as_bytes(), self.spelling.header)?, spell(&claims, self.spelling.claims)?);
        let method = self.sign.as_deref().unwrap_or(usual_algorithm(&self.key)?);
        let mut signature = sign(signed.as_bytes(), &self.key, method)?;
        if let Base64::StandardAlphabet = self.spelling.signature {
            // Only signatures whose text has one of the two characters show the difference.
            for _ in 0..100 {
                if BASE64_URL_SAFE_NO_PAD.encode(&signature).contains(['-', '_']) {
                    break;
                }
                signature = sign(signed.as_bytes(), &self.key, method)?;
            }
        }
        let mut token = format!("{signed}.{}", spell(&signature, self.spelling.signature)?);
        for change in &self.then {
            token = forge::change(&token, change)?;
        }
        Ok(token)
    }

    fn header_text(&self) -> Result<String, String> {
        if let Some(text) = &self.header_json {
            return Ok(text.clone());
        }
        let algorithm = match self.sign.as_deref() {
            Some(named) if named.parse::<Algorithm>().is_ok() => named,
            _ => usual_algorithm(&self.key)?,
        };
        let mut usual = json!({ "typ": "at+jwt", "alg": algorithm });
        // the gateway calls its own keys by their thumbprints
        if self.claims.get("iss").and_then(|issuer| issuer.as_str()) != Some("gateway") {
            usual["kid"] = json!(self.key);
        }
        Ok(members(usual, &self.header, &self.header_without).to_string())
    }

    fn claims_bytes(&self) -> Result<Vec<u8>, String> {
        if let Some(hex) = &self.claims_hex {
            let digits = |at| hex.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
            return (0..hex.len())
                .step_by(2)
                .map(digits)
                .collect::<Option<_>>()
                .ok_or_else(|| "not hexadecimal".into());
        }
        if let Some(text) = &self.claims_json {
            return Ok(with_moments(text)?.into_bytes());
        }
        let usual = json!({
            "iss": "https://idp.example",
            "sub": "alice",
            "aud": "my-api",
            "iat": "now",
            "exp": "now+300",
        });
        let mut claims = members(usual, &self.claims, &self.without);
        resolve_moments(&mut claims);
        Ok(claims.to_string().into_bytes())
    }
}

fn members(mut usual: Value, over: &Map<String, Value>, without: &[String]) -> Value {
    if let Value::Object(all) = &mut usual {
        all.retain(|name, _| !without.contains(name));
        all.extend(over.clone());
    }
    usual
}

fn resolve_moments(claims: &mut Value) {
    let Value::Object(members) = claims else { return };
    for value in members.values_mut() {
        if let Some(seconds) = value.as_str().and_then(moment) {
            *value = seconds.into();
        }
    }
}

/// Replaces `{now+300}`, and leaves every other brace alone.
fn with_moments(text: &str) -> Result<String, String> {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("{now") {
        let end = rest[start..].find('}').ok_or("a brace is not closed")? + start;
        let seconds = moment(&rest[start + 1..end]).ok_or_else(|| format!("not a time: {}", &rest[start..=end]))?;
        replaced.push_str(&rest[..start]);
        replaced.push_str(&seconds.to_string());
        rest = &rest[end + 1..];
    }
    replaced.push_str(rest);
    Ok(replaced)
}

fn spell(bytes: &[u8], spelling: Base64) -> Result<String, String> {
    let canonical = BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let spelt = match spelling {
        Base64::Canonical => return Ok(canonical),
        Base64::Padded => BASE64_URL_SAFE.encode(bytes),
        Base64::LooseBits => forge::with_loose_bits(&canonical),
        Base64::StandardAlphabet => canonical.replace('-', "+").replace('_', "/"),
        Base64::Folded => format!("{}\n{}", &canonical[..4], &canonical[4..]),
    };
    if spelt == canonical {
        return Err(format!("these {} bytes have no such other spelling: lengthen them by a space", bytes.len()));
    }
    Ok(spelt)
}

fn usual_algorithm(key: &str) -> Result<&'static str, String> {
    Ok(match key {
        "rsa" | "rsa-other" | "rsa-weak" => "RS256",
        "rsa-pss" => "PS256",
        "p384" => "ES384",
        key if key.starts_with("p256") => "ES256",
        key if key.starts_with("ed25519") => "EdDSA",
        "hs256" => "HS256",
        "hs384" => "HS384",
        "hs512" => "HS512",
        "p521" => "ES512",
        other => return Err(format!("tests/keys has no signing key {other}")),
    })
}

fn sign(message: &[u8], key: &str, method: &str) -> Result<Vec<u8>, String> {
    let Ok(algorithm) = method.parse::<Algorithm>() else {
        return forge::signature(message, key, method);
    };
    let text = jsonwebtoken::crypto::sign(message, &signing_key(key)?, algorithm).map_err(|error| error.to_string())?;
    BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|error| error.to_string())
}

fn signing_key(name: &str) -> Result<EncodingKey, String> {
    if let Ok(secret) = fs::read(folder("keys").join(format!("{name}.secret"))) {
        return Ok(EncodingKey::from_secret(secret.trim_ascii_end()));
    }
    let pem = key_file(&format!("{name}.pem"))?;
    let key = match name {
        name if name.starts_with("rsa") => EncodingKey::from_rsa_pem(&pem),
        name if name.starts_with('p') => EncodingKey::from_ec_pem(&pem),
        _ => EncodingKey::from_ed_pem(&pem),
    };
    key.map_err(|error| format!("{name}: {error}"))
}

/// The bytes of a file of `tests/keys`.
pub(crate) fn key_file(name: &str) -> Result<Vec<u8>, String> {
    fs::read(folder("keys").join(name)).map_err(|error| format!("tests/keys/{name}: {error}"))
}
