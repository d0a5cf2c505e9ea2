//! One JSON Web Key (RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::algorithm::Algorithm;
use super::key::VerificationKey;
use super::material::Material;
use super::shared_secret;
use crate::json::{Fault, Members, Object};
use crate::secret::Secret;

/// Reads a key, or says why it cannot be used.
pub(super) fn read(text: &str) -> Result<VerificationKey, &'static str> {
    let mut members = Members::new();
    let jwk = Object::read(text, &mut members).map_err(|fault| match fault {
        Fault::Grammar => "it is not a JSON object",
        Fault::Duplicate => "a member occurs twice",
        Fault::Excess => "it nests too deeply or has too many members",
    })?;
    meant_for_verifying(&jwk)?;
    let alg = algorithm(&jwk)?;
    let material = material(&jwk)?;
    let id = string(&jwk, "kid", "kid is not a string")?;
    VerificationKey::new(id.as_deref(), material, alg)
}

/// RFC 7517 sections 4.2 and 4.3.
fn meant_for_verifying(jwk: &Object<'_, '_>) -> Result<(), &'static str> {
    if string(jwk, "use", "use is not a string")?.is_some_and(|purpose| purpose != "sig") {
        return Err("its use is not \"sig\"");
    }
    if let Some(operations) = jwk.get("key_ops") {
        let mut operations = operations.items().ok_or("key_ops is not an array")?;
        if !operations.any(|operation| operation.as_text().is_some_and(|name| name == *"verify")) {
            return Err("its key_ops do not hold \"verify\"");
        }
    }
    Ok(())
}

fn algorithm(jwk: &Object<'_, '_>) -> Result<Option<Algorithm>, &'static str> {
    let Some(name) = string(jwk, "alg", "alg is not a string")? else { return Ok(None) };
    Algorithm::from_name(&name).map(Some).ok_or("its alg is not supported")
}

fn material(jwk: &Object<'_, '_>) -> Result<Material, &'static str> {
    let kind = string(jwk, "kty", "kty is not a string")?.ok_or("kty is missing")?;
    if &*kind == "oct" {
        let secret = Secret::new(octets(jwk, "k")?);
        if shared_secret::key_form(secret.expose()).is_some() {
            return Err("its secret is itself a key that others may have");
        }
        return Ok(Material::Shared(secret));
    }
    // whoever publishes the private part has published the power to sign
    if jwk.get("d").is_some() {
        return Err("it holds a private key");
    }
    match &*kind {
        "RSA" => Material::rsa(&octets(jwk, "n")?, &octets(jwk, "e")?),
        "EC" => match &*string(jwk, "crv", "crv is not a string")?.ok_or("crv is missing")? {
            "P-256" => Ok(Material::P256(point(jwk, 32)?)),
            "P-384" => Ok(Material::P384(point(jwk, 48)?)),
            _ => Err("its curve is not supported"),
        },
        "OKP" => match &*string(jwk, "crv", "crv is not a string")?.ok_or("crv is missing")? {
            "Ed25519" => Ok(Material::Ed25519(sized(octets(jwk, "x")?, 32)?.into())),
            _ => Err("its curve is not supported"),
        },
        _ => Err("its kty is not supported"),
    }
}

/// RFC 7518 section 6.2.1.2: the coordinates have the full size of the curve's field.
fn point(jwk: &Object<'_, '_>, size: usize) -> Result<Box<[u8]>, &'static str> {
    const UNCOMPRESSED: u8 = 4; // SEC 1 section 2.3.3
    let (x, y) = (sized(octets(jwk, "x")?, size)?, sized(octets(jwk, "y")?, size)?);
    Ok([&[UNCOMPRESSED], &*x, &*y].concat().into())
}

fn sized(octets: Vec<u8>, size: usize) -> Result<Vec<u8>, &'static str> {
    if octets.len() == size { Ok(octets) } else { Err("a member has the wrong length for the curve") }
}

fn octets(jwk: &Object<'_, '_>, name: &str) -> Result<Vec<u8>, &'static str> {
    let text = string(jwk, name, "a member of the key is not a string")?.ok_or("a member of the key is missing")?;
    URL_SAFE_NO_PAD.decode(text.as_bytes()).map_err(|_| "a member of the key is not base64url")
}

fn string<'t>(
    jwk: &Object<'t, '_>,
    name: &str,
    otherwise: &'static str,
) -> Result<Option<std::borrow::Cow<'t, str>>, &'static str> {
    jwk.get(name).map(|value| value.as_str().ok_or(otherwise)).transpose()
}
