//! One place in a request where a credential may travel.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::syntax;
use crate::ConfigError;

/// One place in a request where a credential may travel.
///
/// The text form names the place: `authorization:Bearer`, `header:x-api-key`, `cookie:session`, `query:access_token`.
///
/// ```
/// use auth_core::credential::Source;
///
/// assert_eq!(Source::bearer().to_string(), "authorization:Bearer");
/// assert_eq!("header:X-API-Key".parse(), Ok(Source::header("x-api-key")));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// `Authorization: <scheme> <credential>`, the scheme in any letter case (RFC 9110 section 11.1).
    Authorization {
        /// The scheme as challenges spell it.
        scheme: Cow<'static, str>,
    },
    /// A header field that holds the bare credential.
    Header {
        /// The field's name in lower case.
        name: Cow<'static, str>,
    },
    /// A cookie of that name, case-sensitive (RFC 6265 section 4.2).
    Cookie {
        /// The cookie's name.
        name: Cow<'static, str>,
    },
    /// A query parameter. URLs end up in logs, histories and referrers, so this exists for clients that can do
    /// nothing else, and has to be asked for by name.
    Query {
        /// The parameter's name.
        name: Cow<'static, str>,
    },
}

impl Source {
    /// `Authorization: Bearer …` (RFC 6750 section 2.1).
    pub const fn bearer() -> Self {
        Self::Authorization { scheme: Cow::Borrowed("Bearer") }
    }

    /// `Authorization` with a scheme of that name, in any letter case.
    pub fn authorization(scheme: impl Into<Cow<'static, str>>) -> Self {
        Self::Authorization { scheme: scheme.into() }
    }

    /// The header field of that name, in any letter case.
    pub fn header(name: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        let lower = name.bytes().any(|byte| byte.is_ascii_uppercase()).then(|| name.to_ascii_lowercase());
        Self::Header { name: lower.map_or(name, Cow::Owned) }
    }

    /// The cookie of that name, case-sensitive.
    ///
    /// Security: browsers send cookies along with requests that other sites caused. Routes that change something and
    /// take a cookie need a defence against that.
    pub fn cookie(name: impl Into<Cow<'static, str>>) -> Self {
        Self::Cookie { name: name.into() }
    }

    /// The query parameter of that name, case-sensitive.
    ///
    /// Security: URLs end up in logs, histories and referrers (RFC 9700 section 4.3.2).
    pub fn query(name: impl Into<Cow<'static, str>>) -> Self {
        Self::Query { name: name.into() }
    }

    /// Whether both name the same place, whatever the letter case in which a scheme is written.
    pub fn is_same_place(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Authorization { scheme }, Self::Authorization { scheme: same }) => scheme.eq_ignore_ascii_case(same),
            (Self::Header { name }, Self::Header { name: same }) => name.eq_ignore_ascii_case(same),
            _ => self == other,
        }
    }

    /// The same place as the constructors spell it.
    pub(super) fn normalised(self) -> Self {
        match self {
            Self::Header { name } => Self::header(name),
            other => other,
        }
    }

    /// Says what is wrong with the name.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let (name, what) = match self {
            Self::Authorization { scheme } => (scheme, "an authentication scheme"),
            Self::Header { name } => (name, "a header field"),
            Self::Cookie { name } => (name, "a cookie"),
            Self::Query { name } => (name, "a query parameter"),
        };
        if name.is_empty() || !name.bytes().all(syntax::is_token_byte) {
            return Err(ConfigError::new(format!(
                "{name:?} cannot be the name of {what}: use letters, digits and any of !#$%&'*+-.^_`|~"
            )));
        }
        match self {
            Self::Header { name } if is_taken(name) => Err(ConfigError::new(format!(
                "header `{name}` has a meaning of its own: for `authorization` name a scheme, for `cookie` a cookie"
            ))),
            Self::Query { name } if name.contains(['%', '+', '&']) => {
                Err(ConfigError::new(format!("query parameter {name:?} would need escapes: use another name")))
            }
            _ => Ok(()),
        }
    }
}

/// Fields that hold a credential in a form of their own, or that intermediaries consume or rewrite.
fn is_taken(field: &str) -> bool {
    const TAKEN: [&str; 12] = [
        "authorization",
        "connection",
        "content-length",
        "cookie",
        "forwarded",
        "host",
        "keep-alive",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    TAKEN.iter().any(|taken| field.eq_ignore_ascii_case(taken))
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authorization { scheme } => write!(f, "authorization:{scheme}"),
            Self::Header { name } => write!(f, "header:{name}"),
            Self::Cookie { name } => write!(f, "cookie:{name}"),
            Self::Query { name } => write!(f, "query:{name}"),
        }
    }
}

impl FromStr for Source {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let place = |(kind, name): (&str, &str)| match kind {
            "authorization" => Some(Self::authorization(name.to_owned())),
            "header" => Some(Self::header(name.to_owned())),
            "cookie" => Some(Self::cookie(name.to_owned())),
            "query" => Some(Self::query(name.to_owned())),
            _ => None,
        };
        let source = text.split_once(':').and_then(place).ok_or_else(|| {
            ConfigError::new(format!(
                "`{text}` names no source of credentials: write authorization:SCHEME, header:NAME, cookie:NAME or \
                 query:NAME"
            ))
        })?;
        source.check().map(|()| source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_reads_back() {
        for source in [Source::bearer(), Source::header("X-API-Key"), Source::cookie("Sid"), Source::query("t")] {
            assert_eq!(source.to_string().parse(), Ok(source));
        }
    }

    #[test]
    fn names_that_cannot_be_are_refused() {
        for text in [
            "authorization:",
            "authorization:Two Words",
            "header:Authorization",
            "header:cookie",
            "header:a\u{e9}",
            "cookie:a=b",
            "query:a%20b",
            "body:x",
            "x-api-key",
        ] {
            assert!(text.parse::<Source>().is_err(), "{text}");
        }
    }
}
