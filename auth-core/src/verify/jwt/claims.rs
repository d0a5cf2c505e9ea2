//! The claims that decide whether a token is accepted.

use crate::json::{Object, Value};

/// Registered claims (RFC 7519 section 4.1) and the claims that tell kinds of tokens apart, as they stand in the
/// payload.
#[derive(Default)]
pub(in crate::verify) struct Registered<'t> {
    pub(in crate::verify) iss: Option<Value<'t>>,
    pub(in crate::verify) sub: Option<Value<'t>>,
    pub(in crate::verify) aud: Option<Value<'t>>,
    pub(in crate::verify) exp: Option<Value<'t>>,
    pub(in crate::verify) nbf: Option<Value<'t>>,
    pub(in crate::verify) iat: Option<Value<'t>>,
    pub(in crate::verify) jti: Option<Value<'t>>,
    pub(in crate::verify) client_id: Option<Value<'t>>,
    /// `cnf`: the token is bound to a key (RFC 7800).
    pub(in crate::verify) bound: bool,
    /// `nonce`, `at_hash` or `c_hash`: what ID tokens have (OpenID Connect Core section 2 and 3.3.2.11).
    pub(in crate::verify) id_token: bool,
    /// `events`, or `htm` with `htu`: a logout token or security event (RFC 8417), a DPoP proof (RFC 9449).
    pub(in crate::verify) other_kind: bool,
    /// `token_use`, as Amazon Cognito and others write it.
    pub(in crate::verify) token_use: Option<Value<'t>>,
    /// `typ`, as Keycloak writes it into the payload.
    pub(in crate::verify) typ: Option<Value<'t>>,
    /// `type` or `token_type`, as many home-made issuers write it.
    pub(in crate::verify) type_names: [Option<Value<'t>>; 2],
}

impl<'t> Registered<'t> {
    pub(in crate::verify) fn among(members: Object<'t, '_>) -> Self {
        let mut found = Self {
            client_id: members.get("client_id"),
            token_use: members.get("token_use"),
            type_names: [None, members.get("token_type")],
            ..Self::default()
        };
        let mut proof = 0;
        for (name, value) in members.members() {
            let place = match name {
                name::ISS => &mut found.iss,
                name::SUB => &mut found.sub,
                name::AUD => &mut found.aud,
                name::EXP => &mut found.exp,
                name::NBF => &mut found.nbf,
                name::IAT => &mut found.iat,
                name::JTI => &mut found.jti,
                name::TYP => &mut found.typ,
                name::TYPE => &mut found.type_names[0],
                other => {
                    match other {
                        name::CNF => found.bound = true,
                        name::NONCE | name::AT_HASH | name::C_HASH => found.id_token = true,
                        name::EVENTS => found.other_kind = true,
                        name::HTM | name::HTU => proof += 1,
                        _ => {}
                    }
                    continue;
                }
            };
            *place = Some(value());
        }
        found.other_kind |= proof == 2;
        found
    }
}

/// Names of up to seven bytes, of which equal fingerprints are equal names; longer ones have to be looked up.
mod name {
    use crate::json::Fingerprint;

    pub(super) const ISS: Fingerprint = Fingerprint::of(b"iss");
    pub(super) const SUB: Fingerprint = Fingerprint::of(b"sub");
    pub(super) const AUD: Fingerprint = Fingerprint::of(b"aud");
    pub(super) const EXP: Fingerprint = Fingerprint::of(b"exp");
    pub(super) const NBF: Fingerprint = Fingerprint::of(b"nbf");
    pub(super) const IAT: Fingerprint = Fingerprint::of(b"iat");
    pub(super) const JTI: Fingerprint = Fingerprint::of(b"jti");
    pub(super) const TYP: Fingerprint = Fingerprint::of(b"typ");
    pub(super) const TYPE: Fingerprint = Fingerprint::of(b"type");
    pub(super) const CNF: Fingerprint = Fingerprint::of(b"cnf");
    pub(super) const NONCE: Fingerprint = Fingerprint::of(b"nonce");
    pub(super) const AT_HASH: Fingerprint = Fingerprint::of(b"at_hash");
    pub(super) const C_HASH: Fingerprint = Fingerprint::of(b"c_hash");
    pub(super) const EVENTS: Fingerprint = Fingerprint::of(b"events");
    pub(super) const HTM: Fingerprint = Fingerprint::of(b"htm");
    pub(super) const HTU: Fingerprint = Fingerprint::of(b"htu");
}
