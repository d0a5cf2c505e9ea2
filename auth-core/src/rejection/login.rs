//! Why nobody was logged in.

/// Why nobody was logged in.
///
/// An unknown name, a wrong password and an account that is switched off are one and the same to the client, so that
/// nobody learns which names exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginFault {
    /// The name or the password is wrong.
    Credentials,
    /// There is no such name, and the service chose to [tell](crate::issue::UnknownNames::DangerTold).
    UnknownName,
    /// The password is right, and the account asks for a second factor too.
    SecondFactorMissing,
    /// The password is right and the second factor is wrong, or was used before.
    SecondFactorWrong,
}

impl LoginFault {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Credentials => "invalid_credentials",
            Self::UnknownName => "unknown_name",
            Self::SecondFactorMissing => "second_factor_required",
            Self::SecondFactorWrong => "invalid_second_factor",
        }
    }

    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::Credentials => "The name or the password is wrong",
            Self::UnknownName => "There is no account with this name",
            Self::SecondFactorMissing => "A second factor is required",
            Self::SecondFactorWrong => "The second factor is wrong",
        }
    }
}
