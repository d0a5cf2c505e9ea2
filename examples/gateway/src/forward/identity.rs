//! What the upstream is told of the caller, and that nobody else can tell it.
//!
//! | field | holds |
//! |---|---|
//! | `x-auth-subject` | who the caller is, unique within the issuer |
//! | `x-auth-issuer` | who vouches for the subject |
//! | `x-auth-tenant` | the tenant the caller acts in |
//! | `x-auth-plan` | the caller's plan |
//! | `x-auth-permissions` | what the caller may do, separated by spaces |
//! | `x-auth-roles` | what the caller is, separated by spaces |
//! | `x-auth-method` | `jwt`, `api_key`, `opaque_token` or the name of another kind of credential |
//! | `x-auth-credential-id` | the `jti` of the token or the identifier of the key, never the credential |
//!
//! Where the upstream is to have it, `assertion` says the same in a form that is signed.
//!
//! A field is absent where there is nothing to tell; on a public route all are. Every byte that is not visible ASCII,
//! and `%` itself, is percent-encoded as in a URL, so that a value is one line, means the same in every upstream, and
//! decodes to exactly what the credential said.

use std::fmt::Write as _;

use auth_core::Principal;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::field_names::{reads_as_start, remove_all};

/// Where the names of all fields about the caller begin.
const PREFIX: &str = "x-auth-";

const SUBJECT: HeaderName = HeaderName::from_static("x-auth-subject");
const ISSUER: HeaderName = HeaderName::from_static("x-auth-issuer");
const TENANT: HeaderName = HeaderName::from_static("x-auth-tenant");
const PLAN: HeaderName = HeaderName::from_static("x-auth-plan");
const PERMISSIONS: HeaderName = HeaderName::from_static("x-auth-permissions");
const ROLES: HeaderName = HeaderName::from_static("x-auth-roles");
const METHOD: HeaderName = HeaderName::from_static("x-auth-method");
const CREDENTIAL_ID: HeaderName = HeaderName::from_static("x-auth-credential-id");

/// Whether the field tells of the caller already.
pub(crate) fn is_of_gateway(name: &HeaderName) -> bool {
    [SUBJECT, ISSUER, TENANT, PLAN, PERMISSIONS, ROLES, METHOD, CREDENTIAL_ID].contains(name)
}

/// Removes everything an upstream could take for a field about the caller, but for the credential field `kept`.
pub(super) fn strip(headers: &mut HeaderMap, kept: impl Fn(&HeaderName) -> bool) {
    remove_all(headers, |name| reads_as_start(name, PREFIX) && !kept(name));
}

/// Adds what is known of the caller.
pub(super) fn attach(headers: &mut HeaderMap, caller: &Principal) {
    set(headers, SUBJECT, [&*caller.subject]);
    set(headers, ISSUER, [&*caller.issuer]);
    set(headers, TENANT, caller.tenant.as_deref());
    set(headers, PLAN, caller.plan.as_deref());
    set(headers, PERMISSIONS, caller.permissions.iter());
    set(headers, ROLES, caller.roles.iter());
    set(headers, METHOD, [caller.method.as_str()]);
    set(headers, CREDENTIAL_ID, caller.credential_id.as_deref());
}

fn set<'a>(headers: &mut HeaderMap, name: HeaderName, values: impl IntoIterator<Item = &'a str>) {
    let mut line = String::new();
    for value in values {
        if !line.is_empty() {
            line.push(' ');
        }
        push_encoded(&mut line, value);
    }
    // The encoding leaves visible ASCII and spaces, which is always a field value.
    if let Ok(value) = HeaderValue::from_str(&line)
        && !line.is_empty()
    {
        headers.insert(name, value);
    }
}

fn push_encoded(line: &mut String, value: &str) {
    for &byte in value.as_bytes() {
        if byte.is_ascii_graphic() && byte != b'%' {
            line.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(line, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use auth_core::{Identity, Method, Names};

    use super::*;

    #[test]
    fn values_are_one_line_of_visible_ascii() {
        let mut identity = Identity::new(Method::Jwt, "https://idp.example", "Zoë\r\nx-auth-roles: admin");
        identity.permissions = ["models:read", "a b", "100%"].into_iter().collect::<Names>();
        let mut headers = HeaderMap::new();
        attach(&mut headers, &Principal::detached(identity));
        assert_eq!(headers["x-auth-subject"], "Zo%C3%AB%0D%0Ax-auth-roles:%20admin");
        assert_eq!(headers["x-auth-permissions"], "models:read a%20b 100%25");
        assert_eq!(headers["x-auth-issuer"], "https://idp.example");
        assert_eq!(headers["x-auth-method"], "jwt");
        assert_eq!(headers.len(), 4, "what is not known has no field");
    }

    #[test]
    fn s12_every_spelling_is_stripped_but_for_the_credential_that_is_kept() {
        let mut headers = HeaderMap::new();
        for name in ["x-auth-subject", "x_auth_subject", "x.auth.subject", "x-auth_anything", "x-auth-token"] {
            headers.insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_static("forged"));
        }
        strip(&mut headers, |name| name == "x-auth-token");
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-auth-token"]);
    }
}
