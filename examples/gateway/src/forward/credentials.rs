//! Taking the caller's own credential out of a request before the upstream sees it.
//!
//! An upstream that is sent the credential could use it elsewhere, and logs it in places that are kept less well than
//! the gateway's. It is told who the caller is instead. Every field that the gate reads credentials from is emptied,
//! not only the one that was used, and `Authorization` always: on a public route, where nobody looks at it, it would
//! otherwise reach the upstream unverified.

use auth_core::credential::Source;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::field_names::{reads_as, remove_all};

/// The places where a gate's credentials travel.
#[derive(Clone, Debug, Default)]
pub struct CredentialFields {
    headers: Vec<String>,
    cookies: Vec<String>,
    parameters: Vec<String>,
}

impl CredentialFields {
    /// The places that a gate with these sources reads.
    pub fn new<'a>(sources: impl IntoIterator<Item = &'a Source>) -> Self {
        let mut fields = Self::default();
        for source in sources {
            match source {
                // Always removed, see above.
                Source::Authorization { .. } => {}
                Source::Header { name } => fields.headers.push(name.to_ascii_lowercase()),
                Source::Cookie { name } => fields.cookies.push(name.to_string()),
                Source::Query { name } => fields.parameters.push(name.to_string()),
            }
        }
        fields
    }

    /// Whether a credential travels in a field of exactly this name.
    pub(super) fn names(&self, field: &HeaderName) -> bool {
        self.headers.iter().any(|name| name == field.as_str())
    }

    /// Removes the fields and cookies; any spelling an upstream may take for one of them goes as well.
    pub(super) fn remove(&self, headers: &mut HeaderMap) {
        remove_all(headers, |name| {
            reads_as(name, header::AUTHORIZATION.as_str()) || self.headers.iter().any(|field| reads_as(name, field))
        });
        self.remove_cookies(headers);
    }

    fn remove_cookies(&self, headers: &mut HeaderMap) {
        if self.cookies.is_empty() || !headers.contains_key(header::COOKIE) {
            return;
        }
        let kept: Vec<HeaderValue> = headers
            .get_all(header::COOKIE)
            .into_iter()
            .map(|line| self.without_credentials(line.as_bytes()))
            .filter(|line| !line.is_empty())
            .filter_map(|line| HeaderValue::from_bytes(&line).ok())
            .collect();
        headers.remove(header::COOKIE);
        for line in kept {
            headers.append(header::COOKIE, line);
        }
    }

    fn without_credentials(&self, line: &[u8]) -> Vec<u8> {
        let kept: Vec<&[u8]> = line
            .split(|&byte| byte == b';')
            .map(<[u8]>::trim_ascii)
            .filter(|pair| !pair.is_empty() && !self.is_credential_cookie(pair))
            .collect();
        kept.join(&b"; "[..])
    }

    fn is_credential_cookie(&self, pair: &[u8]) -> bool {
        let name = pair.split(|&byte| byte == b'=').next().unwrap_or(pair).trim_ascii();
        self.cookies.iter().any(|cookie| cookie.as_bytes() == name)
    }

    /// The query without credentials; `None` if nothing of it is left.
    pub(super) fn strip_query(&self, query: &str) -> Option<String> {
        if self.parameters.is_empty() {
            return Some(query.to_owned());
        }
        let kept: Vec<&str> = query.split('&').filter(|pair| !self.is_credential_parameter(pair)).collect();
        (!kept.is_empty()).then(|| kept.join("&"))
    }

    /// Upstreams decode names before they compare them, so `%61ccess_token` is `access_token`.
    fn is_credential_parameter(&self, pair: &str) -> bool {
        let name = pair.split('=').next().unwrap_or(pair);
        let decoded = percent_decoded(name);
        self.parameters.iter().any(|parameter| parameter.as_bytes() == decoded)
    }
}

/// Escapes that are no escapes stay as they are; `+` is a space in a query.
fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = bytes
            .get(at + 1..at + 3)
            .filter(|_| byte == b'%')
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(escaped.unwrap_or(if byte == b'+' { b' ' } else { byte }));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> CredentialFields {
        CredentialFields::new(&[
            Source::Authorization { scheme: "Bearer".into() },
            Source::Header { name: "x-api-key".into() },
            Source::Cookie { name: "session".into() },
            Source::Query { name: "access_token".into() },
        ])
    }

    #[test]
    fn all_fields_of_the_gate_are_emptied_whichever_was_used() {
        let mut headers = HeaderMap::new();
        for name in ["authorization", "x-api-key", "x_api_key", "x.api.key", "accept"] {
            headers.insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_static("secret"));
        }
        fields().remove(&mut headers);
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["accept"]);
    }

    #[test]
    fn other_cookies_stay() {
        for (sent, kept) in [
            ("a=1; session=s3cret; b=2", Some("a=1; b=2")),
            ("session=s3cret", None),
            ("session=1;session=2;Session=3", Some("Session=3")),
            ("a=session; b=\"session=x\"", Some("a=session; b=\"session=x\"")),
            (" session = s3cret ;a=1;", Some("a=1")),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_static(sent));
            fields().remove(&mut headers);
            assert_eq!(headers.get(header::COOKIE).map(|line| line.to_str().unwrap()), kept, "{sent}");
        }
    }

    #[test]
    fn query_parameters_go_in_every_escaping() {
        for (sent, kept) in [
            ("access_token=x&a=1", Some("a=1")),
            ("a=1&%61ccess_toke%6E=x&b", Some("a=1&b")),
            ("access_token", None),
            ("access_tokens=1&%zz=2", Some("access_tokens=1&%zz=2")),
        ] {
            assert_eq!(fields().strip_query(sent).as_deref(), kept, "{sent}");
        }
    }
}
