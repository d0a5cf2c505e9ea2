//! The header members that decide something (RFC 7515 section 4.1).

use std::borrow::Cow;

use super::JwsFault;
use crate::json::{Fingerprint, Members, Object};
use crate::keys::Algorithm;

/// What the header claims. It chooses a key of the issuer by name and is compared with that key; it supplies nothing.
#[derive(Debug)]
pub(crate) struct Header<'t> {
    /// Nothing where the name is not that of a supported algorithm, such as `none`.
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) key_id: Option<Cow<'t, str>>,
    pub(crate) typ: Option<Cow<'t, str>>,
}

impl<'t> Header<'t> {
    pub(crate) fn read(bytes: &'t [u8], members: &mut Members) -> Result<Self, JwsFault> {
        let text = str::from_utf8(bytes).map_err(|_| JwsFault::Malformed)?;
        let members = Object::read(text, members).map_err(|_| JwsFault::Malformed)?;
        let (mut algorithm, mut key_id, mut typ) = (None, None, None);
        for (name, value) in members.members() {
            let string = || value().as_str().ok_or(JwsFault::Malformed);
            match name {
                ALG => algorithm = Some(Algorithm::from_name(&string()?)),
                KID => key_id = Some(string()?),
                TYP => typ = Some(string()?),
                // section 4.1.11: what is listed must be understood, and nothing that can be listed is implemented
                // "b64" (RFC 7797) and "zip" (RFC 7516 section 4.1.3) change what the payload is, listed or not
                CRIT | B64 | ZIP => return Err(JwsFault::Critical),
                // RFC 7516 section 9: only encrypted tokens have it
                ENC => return Err(JwsFault::Malformed),
                // jku, jwk, x5u, x5c and the rest: an attacker can write them, so they mean nothing here
                _ => {}
            }
        }
        Ok(Self { algorithm: algorithm.ok_or(JwsFault::Malformed)?, key_id, typ })
    }

    /// The same, without the token.
    pub(super) fn to_owned(&self) -> Header<'static> {
        let owned = |text: &Option<Cow<'_, str>>| text.as_deref().map(|text| Cow::Owned(text.to_owned()));
        Header { algorithm: self.algorithm, key_id: owned(&self.key_id), typ: owned(&self.typ) }
    }
}

// names of up to seven bytes, so that equal fingerprints are equal names
const ALG: Fingerprint = Fingerprint::of(b"alg");
const KID: Fingerprint = Fingerprint::of(b"kid");
const TYP: Fingerprint = Fingerprint::of(b"typ");
const CRIT: Fingerprint = Fingerprint::of(b"crit");
const B64: Fingerprint = Fingerprint::of(b"b64");
const ZIP: Fingerprint = Fingerprint::of(b"zip");
const ENC: Fingerprint = Fingerprint::of(b"enc");
