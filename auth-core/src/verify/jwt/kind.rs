//! Which kind of token is accepted: a good signature on the wrong kind is no access (RFC 8725 section 3.11, 3.12).

use std::borrow::Cow;

use super::claims::Registered;
use crate::json::Value;
use crate::rejection::CredentialFault;
use crate::verify::jws::Header;

/// Which kind of token an issuer's tokens must be.
///
/// Types are media types: compared without letter case, and `application/` in front makes no difference (RFC 7515
/// section 4.1.9).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenKind {
    /// An access token of whatever issuer: `typ` is absent, `JWT` or `at+jwt`, and nothing in the claims says that it
    /// is something else.
    ///
    /// Refused are ID tokens (`nonce`, `at_hash`, `c_hash`; `token_use` other than `access`; `typ` `ID` in the claims),
    /// refresh and offline tokens, logout tokens and security events, client assertions and DPoP proofs by their types.
    /// A token that says outright that it is an access token, by `typ` `at+jwt` or `token_use` `access` or by the claim
    /// `typ` `Bearer`, may have a `nonce`, which some issuers copy into their access tokens.
    AccessToken,
    /// An access token of the JWT profile (RFC 9068): `typ` is `at+jwt`, and `iss`, `exp`, `aud`, `sub`, `client_id`,
    /// `iat` and `jti` are all there.
    Profile,
    /// A statement to be exchanged for a token, such as an authorization grant (RFC 7523 section 3): `typ` is absent, `JWT` or
    /// this one; `iss`, `sub`, `exp`, `jti` and one single `aud` are all there, and nothing says that it is an access token, an
    /// ID token or anything else.
    Assertion(Cow<'static, str>),
    /// An ID token (OpenID Connect Core section 2): `typ` is absent or `JWT`; `iss`, `sub`, `aud`, `exp` and `iat` are all there,
    /// and nothing says that it is something else. Whoever asked for it compares `nonce` and `azp`.
    IdToken,
    /// A token of exactly this `typ`, for tokens of the application's own. No claim is looked at to tell the kind.
    Typ(Cow<'static, str>),
}

impl TokenKind {
    pub(super) fn check(&self, header: &Header<'_>, claims: &Registered<'_>) -> Result<(), CredentialFault> {
        let typ = header.typ.as_deref().map(media_type);
        let is = |wanted: &str| typ.is_some_and(|typ| typ.eq_ignore_ascii_case(media_type(wanted)));
        let fits = match self {
            Self::AccessToken => (typ.is_none() || is("JWT") || is("at+jwt")) && says_access(is("at+jwt"), claims),
            Self::Profile => is("at+jwt") && says_access(true, claims),
            Self::Assertion(wanted) => {
                let stated = [claims.typ, claims.type_names[0], claims.type_names[1]].map(Statement::of);
                let is_access = stated.contains(&Statement::Access) || claims.token_use.is_some() || claims.id_token;
                (typ.is_none() || is("JWT") || is(wanted)) && !is_access && says_access(false, claims)
            }
            Self::IdToken => {
                let is_other = Statement::of(claims.token_use) != Statement::None
                    && claims.token_use.and_then(Value::as_text).is_none_or(|used| used != *"id");
                (typ.is_none() || is("JWT")) && !claims.other_kind && !is_other
            }
            Self::Typ(wanted) => is(wanted),
        };
        if !fits || claims.bound {
            return Err(CredentialFault::Kind);
        }
        let of_profile = [claims.iss, claims.exp, claims.aud, claims.sub, claims.client_id, claims.iat, claims.jti];
        if *self == Self::Profile && of_profile.iter().any(Option::is_none) {
            return Err(CredentialFault::Claims);
        }
        let of_id_token = [claims.iss, claims.sub, claims.aud, claims.exp, claims.iat];
        if *self == Self::IdToken && of_id_token.iter().any(Option::is_none) {
            return Err(CredentialFault::Claims);
        }
        if matches!(self, Self::Assertion(_)) {
            let needed = [claims.iss, claims.sub, claims.exp, claims.jti];
            if needed.iter().any(Option::is_none) {
                return Err(CredentialFault::Claims);
            }
            // whom else it is for could show it here as well (draft-ietf-oauth-rfc7523bis)
            if claims.aud.and_then(Value::items).is_some_and(|audiences| audiences.count() != 1) {
                return Err(CredentialFault::Audience);
            }
        }
        Ok(())
    }
}

/// Whether what a server answered is about an access token that whoever has it may use.
///
/// A server that is asked for any token may answer for a refresh token as well (RFC 7662 section 2.1). Where no audience tells
/// them apart, `told`, it has to say that this is none.
pub(in crate::verify) fn check_introspected(claims: &Registered<'_>, told: bool) -> Result<(), CredentialFault> {
    let [_, token_type] = claims.type_names;
    let token_type = token_type.filter(|named| !named.is_null());
    // RFC 6749 section 7.1: a type that is not understood must not be used; types know no letter case
    let is_bearer = |named: Value<'_>| named.as_str().is_some_and(|named| named.eq_ignore_ascii_case("bearer"));
    if token_type.is_some_and(|named| !is_bearer(named)) || claims.bound {
        return Err(CredentialFault::Kind);
    }
    let states = [claims.token_use, claims.typ].map(Statement::of).contains(&Statement::Access);
    let is_told = told || states || token_type.is_some();
    if is_told && says_access(token_type.is_some(), claims) { Ok(()) } else { Err(CredentialFault::Kind) }
}

/// RFC 7515 section 4.1.9: `application/` is implied where there is no other slash.
fn media_type(typ: &str) -> &str {
    const IMPLIED: &str = "application/";
    match typ.split_at_checked(IMPLIED.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(IMPLIED) && !rest.contains('/') => rest,
        _ => typ,
    }
}

/// Whether the claims leave no doubt that this is an access token; `stated` where the header says so.
fn says_access(stated: bool, claims: &Registered<'_>) -> bool {
    let token_use = Statement::of(claims.token_use);
    let typ = Statement::of(claims.typ);
    let others = claims.type_names.map(Statement::of);
    let denied = token_use != Statement::None && token_use != Statement::Access
        || [typ, others[0], others[1]].contains(&Statement::OtherKind);
    let stated = stated || token_use == Statement::Access || typ == Statement::Access;
    !denied && !claims.other_kind && (stated || !claims.id_token)
}

/// What a claim says of the kind of its token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Statement {
    /// The claim is not there.
    None,
    /// An access token.
    Access,
    /// A kind that is certainly not an access token.
    OtherKind,
    /// Something that does not tell; the claim may mean something of the application's own.
    Unclear,
}

impl Statement {
    fn of(claim: Option<Value<'_>>) -> Self {
        const ACCESS: [&str; 4] = ["access", "access_token", "bearer", "at+jwt"];
        const OTHERS: [&str; 9] = [
            "id",
            "id_token",
            "refresh",
            "refresh_token",
            "offline",
            "offline_token",
            "logout",
            "logout_token",
            "logout+jwt",
        ];
        let Some(claim) = claim else { return Self::None };
        let Some(word) = claim.as_str() else { return Self::Unclear };
        let among = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(&word));
        match () {
            () if among(&ACCESS) => Self::Access,
            () if among(&OTHERS) => Self::OtherKind,
            () => Self::Unclear,
        }
    }
}
