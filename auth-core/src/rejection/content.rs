//! What is wrong with the content of a request to an endpoint of the service's own.

use std::borrow::Cow;

/// What is wrong with the content of a request to an endpoint of the service's own.
///
/// Members are named as the client knows them. No value is repeated: it may be a password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContentFault {
    /// 415: it is not of the type that the endpoint takes.
    MediaType,
    /// 413: it is longer than the endpoint takes; holds how many bytes that is.
    TooLarge(usize),
    /// 400: it is no JSON object, or one that can be read in two ways.
    Malformed,
    /// 400: a member is not there.
    Missing(String),
    /// 400: a member has another type than it must have.
    Type {
        /// The member.
        member: String,
        /// What it must be, with an article.
        needed: &'static str,
    },
    /// 400: a member has the right type and a value that it must not have.
    Value {
        /// The member.
        member: String,
        /// What it must be, as a sentence without its subject: `must not be empty`.
        rule: Cow<'static, str>,
    },
    /// 400: what was sent to somebody's mailbox does not work, or not any more.
    Ticket,
}

impl ContentFault {
    /// The causes of all variants.
    pub const CAUSES: [&'static str; 7] = [
        "unsupported_media_type",
        "content_too_large",
        "malformed_content",
        "missing_member",
        "wrong_type",
        "invalid_value",
        "invalid_ticket",
    ];

    pub(super) const fn status(&self) -> u16 {
        match self {
            Self::MediaType => 415,
            Self::TooLarge(_) => 413,
            Self::Malformed | Self::Missing(_) | Self::Type { .. } | Self::Value { .. } | Self::Ticket => 400,
        }
    }

    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::MediaType | Self::TooLarge(_) | Self::Ticket => self.cause(),
            Self::Malformed | Self::Missing(_) | Self::Type { .. } | Self::Value { .. } => "invalid_request",
        }
    }

    /// The exact cause as a stable name.
    pub const fn cause(&self) -> &'static str {
        let [media_type, too_large, malformed, missing, wrong_type, invalid_value, ticket] = Self::CAUSES;
        match self {
            Self::MediaType => media_type,
            Self::TooLarge(_) => too_large,
            Self::Malformed => malformed,
            Self::Missing(_) => missing,
            Self::Type { .. } => wrong_type,
            Self::Value { .. } => invalid_value,
            Self::Ticket => ticket,
        }
    }

    pub(super) const fn message(&self) -> &'static str {
        match self {
            Self::MediaType => "The content must be JSON, of the type application/json",
            Self::TooLarge(_) => "The content is too long",
            Self::Malformed => "The content is not a JSON object",
            Self::Missing(_) => "A member of the content is missing",
            Self::Type { .. } => "A member of the content has the wrong type",
            Self::Value { .. } => "A member of the content is not valid",
            Self::Ticket => "The ticket is not good, or not any more",
        }
    }

    pub(super) fn details(&self) -> Cow<'_, str> {
        match self {
            Self::MediaType | Self::Malformed | Self::Ticket => Cow::Borrowed(self.message()),
            Self::TooLarge(most) => Cow::Owned(format!("The content is longer than {most} bytes")),
            Self::Missing(member) => Cow::Owned(format!("The member {member} is missing")),
            Self::Type { member, needed } => Cow::Owned(format!("The member {member} must be {needed}")),
            Self::Value { member, rule } => Cow::Owned(format!("The member {member} {rule}")),
        }
    }
}
