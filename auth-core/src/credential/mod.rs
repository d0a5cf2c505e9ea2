//! Where credentials travel, and the rule that a request carries exactly one.

use std::borrow::Cow;

/// One place in a request where a credential may travel.
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
