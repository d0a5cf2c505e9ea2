//! The little DER (X.690) that it takes to find a public key in an SPKI, a PKCS #1 key or a certificate.

use super::material::Material;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const PRIME256V1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const SECP384R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

const BROKEN: &str = "the DER encoding is broken";

/// Walks the elements that follow one another.
struct Reader<'d>(&'d [u8]);

impl<'d> Reader<'d> {
    /// The tag and the content of the next element.
    fn element(&mut self) -> Option<(u8, &'d [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            // longer than 64 KiB is no key
            0x81 | 0x82 => {
                let (octets, rest) = rest.split_at_checked(usize::from(first & 0x0f))?;
                let length = octets.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet));
                (length, rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// The content of the next element, which must have that tag.
    fn expect(&mut self, tag: u8) -> Option<&'d [u8]> {
        self.element().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }
}

/// The content of an element that is everything there is.
fn sole(der: &[u8], tag: u8) -> Option<&[u8]> {
    let mut reader = Reader(der);
    let content = reader.expect(tag)?;
    reader.0.is_empty().then_some(content)
}

/// Whether the bytes have the outline of a key or a certificate.
pub(super) fn is_key(bytes: &[u8]) -> bool {
    // the shortest key in use, Ed25519 as SPKI, has 44 bytes; random secrets practically never look like this
    let inside = sole(bytes, SEQUENCE).filter(|_| bytes.len() >= 44);
    inside.is_some_and(|inside| {
        let mut reader = Reader(inside);
        let first = reader.element();
        matches!(first, Some((INTEGER | SEQUENCE, _))) && reader.element().is_some()
    })
}

/// The key of a `SubjectPublicKeyInfo` (RFC 5280 section 4.1).
pub(super) fn public_key(der: &[u8]) -> Result<Material, &'static str> {
    let info = KeyInfo::read(der).ok_or(BROKEN)?;
    match (info.algorithm, info.curve) {
        (RSA_ENCRYPTION, _) => rsa_public_key(info.key),
        (EC_PUBLIC_KEY, Some(PRIME256V1)) => Ok(Material::P256(info.key.into())),
        (EC_PUBLIC_KEY, Some(SECP384R1)) => Ok(Material::P384(info.key.into())),
        (EC_PUBLIC_KEY, _) => Err("the curve is not supported; use P-256 or P-384"),
        (ED25519, _) => Ok(Material::Ed25519(info.key.into())),
        _ => Err("the kind of key is not supported; use RSA, P-256, P-384 or Ed25519"),
    }
}

struct KeyInfo<'d> {
    algorithm: &'d [u8],
    curve: Option<&'d [u8]>,
    key: &'d [u8],
}

impl<'d> KeyInfo<'d> {
    fn read(der: &'d [u8]) -> Option<Self> {
        let mut info = Reader(sole(der, SEQUENCE)?);
        let mut identifier = Reader(info.expect(SEQUENCE)?);
        let algorithm = identifier.expect(OBJECT_IDENTIFIER)?;
        let curve = identifier.expect(OBJECT_IDENTIFIER);
        let (unused_bits, key) = info.expect(BIT_STRING)?.split_first()?;
        (*unused_bits == 0 && info.0.is_empty()).then_some(Self { algorithm, curve, key })
    }
}

/// The key of an `RSAPublicKey` (RFC 8017 appendix A.1.1).
pub(super) fn rsa_public_key(der: &[u8]) -> Result<Material, &'static str> {
    let (n, e) = rsa_integers(der).ok_or(BROKEN)?;
    Material::rsa(n, e)
}

/// Modulus and exponent of an `RSAPublicKey`, as they stand there: with a zero in front where the first bit is set.
fn rsa_integers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut key = Reader(sole(der, SEQUENCE)?);
    let numbers = (key.expect(INTEGER)?, key.expect(INTEGER)?);
    key.0.is_empty().then_some(numbers)
}

/// Modulus and exponent of an `RSAPublicKey`, as short as they can be written.
#[cfg(feature = "issue")]
pub(crate) fn rsa_numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let shortest = |number: &'_ [u8]| number.iter().position(|byte| *byte != 0);
    let (n, e) = rsa_integers(der)?;
    Some((n.get(shortest(n)?..)?, e.get(shortest(e)?..)?))
}

/// The key of a certificate (RFC 5280 section 4.1).
pub(super) fn certificate(der: &[u8]) -> Result<Material, &'static str> {
    public_key(certified_key(der).ok_or(BROKEN)?)
}

fn certified_key(der: &[u8]) -> Option<&[u8]> {
    let mut outer = Reader(sole(der, SEQUENCE)?);
    let mut certificate = Reader(outer.expect(SEQUENCE)?);
    if certificate.0.first() == Some(&VERSION) {
        certificate.element()?;
    }
    certificate.expect(INTEGER)?; // serial number
    for _ in ["signature", "issuer", "validity", "subject"] {
        certificate.expect(SEQUENCE)?;
    }
    let start = certificate.0;
    certificate.expect(SEQUENCE)?;
    start.get(..start.len() - certificate.0.len())
}
