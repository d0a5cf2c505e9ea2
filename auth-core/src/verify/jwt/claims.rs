//! The claims that decide whether a token is accepted.

use crate::json::{Object, Value};

/// Registered claims (RFC 7519 section 4.1) and the claims that tell kinds of tokens apart, as they stand in the
/// payload.
#[derive(Default)]
pub(super) struct Registered<'t> {
    pub(super) iss: Option<Value<'t>>,
    pub(super) sub: Option<Value<'t>>,
    pub(super) aud: Option<Value<'t>>,
    pub(super) exp: Option<Value<'t>>,
    pub(super) nbf: Option<Value<'t>>,
    pub(super) iat: Option<Value<'t>>,
    pub(super) jti: Option<Value<'t>>,
    pub(super) client_id: Option<Value<'t>>,
    /// `cnf`: the token is bound to a key (RFC 7800).
    pub(super) bound: bool,
    /// `nonce`, `at_hash` or `c_hash`: what ID tokens have (OpenID Connect Core section 2 and 3.3.2.11).
    pub(super) id_token: bool,
    /// `events`, or `htm` with `htu`: a logout token or security event (RFC 8417), a DPoP proof (RFC 9449).
    pub(super) other_kind: bool,
    /// `token_use`, as Amazon Cognito and others write it.
    pub(super) token_use: Option<Value<'t>>,
    /// `typ`, as Keycloak writes it into the payload.
    pub(super) typ: Option<Value<'t>>,
    /// `type` or `token_type`, as many home-made issuers write it.
    pub(super) type_names: [Option<Value<'t>>; 2],
}

impl<'t> Registered<'t> {
    pub(super) fn among(members: Object<'t, '_>) -> Self {
        let mut found = Self::default();
        let mut proof = 0;
        for (name, value) in members.members() {
            let place = match &*name.decode() {
                "iss" => &mut found.iss,
                "sub" => &mut found.sub,
                "aud" => &mut found.aud,
                "exp" => &mut found.exp,
                "nbf" => &mut found.nbf,
                "iat" => &mut found.iat,
                "jti" => &mut found.jti,
                "client_id" => &mut found.client_id,
                "token_use" => &mut found.token_use,
                "typ" => &mut found.typ,
                "type" => &mut found.type_names[0],
                "token_type" => &mut found.type_names[1],
                other => {
                    match other {
                        "cnf" => found.bound = true,
                        "nonce" | "at_hash" | "c_hash" => found.id_token = true,
                        "events" => found.other_kind = true,
                        "htm" | "htu" => proof += 1,
                        _ => {}
                    }
                    continue;
                }
            };
            *place = Some(value);
        }
        found.other_kind |= proof == 2;
        found
    }
}
