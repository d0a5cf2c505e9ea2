//! The claims that decide whether a token is accepted.

use crate::json::{Object, Value};

/// Registered claims (RFC 7519 section 4.1) and the claims that tell kinds of tokens apart, as they stand in the
/// payload.
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
        let has = |name| members.get(name).is_some();
        Self {
            iss: members.get("iss"),
            sub: members.get("sub"),
            aud: members.get("aud"),
            exp: members.get("exp"),
            nbf: members.get("nbf"),
            iat: members.get("iat"),
            jti: members.get("jti"),
            client_id: members.get("client_id"),
            bound: has("cnf"),
            id_token: has("nonce") || has("at_hash") || has("c_hash"),
            other_kind: has("events") || has("htm") && has("htu"),
            token_use: members.get("token_use"),
            typ: members.get("typ"),
            type_names: [members.get("type"), members.get("token_type")],
        }
    }
}
