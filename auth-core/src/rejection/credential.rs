//! What is wrong with a credential.

/// What is wrong with a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialFault {
    /// It is not of the form that its kind has.
    Malformed,
    /// It is longer than is accepted.
    TooLong,
    /// Nobody knows it.
    Unknown,
    /// No key of its issuer fits it.
    UnknownKey,
    /// Its algorithm is not one that the issuer's keys are used with.
    Algorithm,
    /// Its signature does not verify.
    Signature,
    /// It demands an extension that is not understood (RFC 7515 section 4.1.11).
    Critical,
    /// It is of another kind, such as an ID token where an access token is needed.
    Kind,
    /// Its issuer is not trusted here.
    Issuer,
    /// It is meant for another audience.
    Audience,
    /// A claim is missing or has a type or value that it must not have.
    Claims,
    /// Its end has passed.
    Expired,
    /// Its beginning has not come.
    NotYetValid,
    /// It was taken back.
    Revoked,
    /// It may be used once, and was.
    Replayed,
    /// It is switched off.
    Disabled,
    /// It belongs to another environment, such as a test key where live keys are taken.
    Environment,
}

impl CredentialFault {
    /// Every variant.
    pub const ALL: [Self; 17] = [
        Self::Malformed,
        Self::TooLong,
        Self::Unknown,
        Self::UnknownKey,
        Self::Algorithm,
        Self::Signature,
        Self::Critical,
        Self::Kind,
        Self::Issuer,
        Self::Audience,
        Self::Claims,
        Self::Expired,
        Self::NotYetValid,
        Self::Revoked,
        Self::Replayed,
        Self::Disabled,
        Self::Environment,
    ];

    /// The exact cause as a stable name.
    pub const fn cause(self) -> &'static str {
        match self {
            Self::Malformed => "malformed_token",
            Self::TooLong => "token_too_long",
            Self::Unknown => "unknown_token",
            Self::UnknownKey => "unknown_key",
            Self::Algorithm => "algorithm_not_allowed",
            Self::Signature => "signature_invalid",
            Self::Critical => "critical_header",
            Self::Kind => "token_kind",
            Self::Issuer => "untrusted_issuer",
            Self::Audience => "wrong_audience",
            Self::Claims => "claims_invalid",
            Self::Expired => "token_expired",
            Self::NotYetValid => "token_not_yet_valid",
            Self::Revoked => "token_revoked",
            Self::Replayed => "token_replayed",
            Self::Disabled => "token_disabled",
            Self::Environment => "wrong_environment",
        }
    }

    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::Malformed => "The token is malformed",
            Self::TooLong => "The token is too long",
            Self::Unknown | Self::UnknownKey | Self::Disabled => "The token is not known",
            Self::Algorithm => "The algorithm of the token is not allowed",
            Self::Signature => "Token signature verification failed",
            Self::Critical => "The token demands an extension that is not supported",
            Self::Kind => "The token is not an access token",
            Self::Issuer => "The issuer of the token is not trusted",
            Self::Audience => "The token is meant for another audience",
            Self::Claims => "A claim of the token is missing or not valid",
            Self::Expired => "The token has expired",
            Self::NotYetValid => "The token is not valid yet",
            Self::Revoked => "The token has been revoked",
            Self::Replayed => "The token was used before",
            Self::Environment => "The token belongs to another environment",
        }
    }
}
