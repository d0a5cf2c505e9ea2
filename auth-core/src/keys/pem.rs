//! Public keys in PEM form (RFC 7468).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::der;
use super::key::VerificationKey;
use super::material::Material;
use crate::error::ConfigError;

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

/// Every key of the text; at least one.
pub(super) fn read(text: &str) -> Result<Vec<VerificationKey>, ConfigError> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some((_, block)) = rest.split_once(BEGIN) {
        let place = format!("PEM block {}", keys.len() + 1);
        let (label, body, after) = split(block)
            .ok_or_else(|| ConfigError::new("the line \"-----END …-----\" of the same label is missing").at(&place))?;
        let material = material(label, body).map_err(|why| ConfigError::new(why).at(&place))?;
        let key = VerificationKey::new(None, material, None).map_err(|why| ConfigError::new(why).at(&place))?;
        keys.push(key);
        rest = after;
    }
    if keys.is_empty() {
        return Err(ConfigError::new(
            "there is no PEM block in the text; it starts with \"-----BEGIN PUBLIC KEY-----\"",
        ));
    }
    Ok(keys)
}

/// The label, the body, and what follows the block.
fn split(block: &str) -> Option<(&str, &str, &str)> {
    let (label, body) = block.split_once(DASHES)?;
    let (body, after) = body.split_once(&format!("-----END {label}-----"))?;
    Some((label, body, after))
}

fn material(label: &str, body: &str) -> Result<Material, &'static str> {
    if label.ends_with("PRIVATE KEY") {
        return Err("this is a private key; checking signatures takes the public key alone \
                    (openssl pkey -in private.pem -pubout)");
    }
    let compact: String = body.split_ascii_whitespace().collect();
    let der = STANDARD.decode(compact).map_err(|_| "the base64 between the PEM lines is broken")?;
    match label {
        "PUBLIC KEY" => der::public_key(&der),
        "RSA PUBLIC KEY" => der::rsa_public_key(&der),
        "CERTIFICATE" => der::certificate(&der),
        _ => Err("the PEM label is none of PUBLIC KEY, RSA PUBLIC KEY and CERTIFICATE"),
    }
}
