//! What makes a request ambiguous or unreadable.

/// What makes a request ambiguous or unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestFault {
    /// A field that must occur once occurs twice (RFC 6750 section 3.1).
    RepeatedField,
    /// Several credentials where exactly one is allowed (RFC 6750 section 2).
    SeveralCredentials,
    /// Several credentials that are all good but name different subjects.
    DisagreeingCredentials,
    /// A scheme without a token, or an empty key header.
    EmptyCredential,
    /// The path has more than one reading.
    AmbiguousPath,
    /// The request target is not a path.
    Target,
    /// A header asks for another method than the request line.
    MethodOverride,
    /// The message framing has more than one reading.
    Framing,
    /// The request's body is not what it must be.
    Body,
}

impl RequestFault {
    /// Every variant.
    pub const ALL: [Self; 9] = [
        Self::RepeatedField,
        Self::SeveralCredentials,
        Self::DisagreeingCredentials,
        Self::EmptyCredential,
        Self::AmbiguousPath,
        Self::Target,
        Self::MethodOverride,
        Self::Framing,
        Self::Body,
    ];

    /// The exact cause as a stable name.
    pub const fn cause(self) -> &'static str {
        match self {
            Self::RepeatedField => "repeated_field",
            Self::SeveralCredentials => "several_credentials",
            Self::DisagreeingCredentials => "disagreeing_credentials",
            Self::EmptyCredential => "empty_credential",
            Self::AmbiguousPath => "ambiguous_path",
            Self::Target => "request_target",
            Self::MethodOverride => "method_override",
            Self::Framing => "framing",
            Self::Body => "request_body",
        }
    }

    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::RepeatedField => "A header field that must occur once is repeated",
            Self::SeveralCredentials => "The request carries more than one credential",
            Self::DisagreeingCredentials => "The credentials of the request name different subjects",
            Self::EmptyCredential => "The credential is empty",
            Self::AmbiguousPath => "The path can be read in more than one way",
            Self::Target => "The request target is not a path",
            Self::MethodOverride => "Overriding the method is not allowed",
            Self::Framing => "The length of the request can be read in more than one way",
            Self::Body => "The request body is not valid",
        }
    }
}
