//! Why something could not be done with an account.

use std::fmt;

use crate::account::LoginNameError;
use crate::error::StoreError;
use crate::issue::{PasswordError, PasswordFault, SsoFault};
use crate::rejection::{CredentialFault, LoginFault, Rejection};

/// Why something could not be done with an account. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountError {
    /// Nobody was logged in.
    Login(LoginFault),
    /// The attempt was not looked at, because too many failed, or because nobody can tell how many did.
    Refused(Rejection),
    /// The account is not to be used from that network. Said to whoever knows the password alone.
    Network,
    /// The refresh token, or the session that was to be refreshed, is not good.
    Token(CredentialFault),
    /// What was sent to somebody's mailbox does not work, or not any more.
    Ticket,
    /// Single sign-on came to nothing.
    Sso(SsoFault),
    /// The scope is more than account and client may.
    Scope,
    /// The new password is not good enough: everything that is wrong with it.
    Weak(Vec<PasswordFault>),
    /// Another account has the name.
    NameTaken,
    /// The name cannot be one.
    Name(LoginNameError),
    /// There is no such account.
    Missing,
    /// The account is not in the state that this needs, such as a second factor that is there already.
    State(&'static str),
    /// The password could not be hashed.
    Hashing(PasswordError),
    /// The operating system gave no random bytes.
    Random,
    /// The store could not do it.
    Store(StoreError),
}

impl AccountError {
    /// A stable name of it, for logs.
    pub const fn cause(&self) -> &'static str {
        match self {
            Self::Login(LoginFault::Credentials) => "invalid_credentials",
            Self::Login(LoginFault::UnknownName) => "unknown_name",
            Self::Login(LoginFault::SecondFactorMissing) => "second_factor_required",
            Self::Login(LoginFault::SecondFactorWrong) => "invalid_second_factor",
            Self::Login(LoginFault::EmailNotVerified) => "email_not_verified",
            Self::Login(LoginFault::SecondFactorEnrolment) => "second_factor_enrolment_required",
            Self::Refused(rejection) => rejection.cause(),
            Self::Network => "network",
            Self::Token(fault) => fault.cause(),
            Self::Ticket => "invalid_ticket",
            Self::Scope => "invalid_scope",
            Self::Sso(fault) => fault.cause(),
            Self::Weak(_) => "weak_password",
            Self::NameTaken => "name_taken",
            Self::Name(_) => "invalid_name",
            Self::Missing => "not_found",
            Self::State(_) => "wrong_state",
            Self::Hashing(_) => "hashing",
            Self::Random => "no_random_bytes",
            Self::Store(_) => "store",
        }
    }
}

impl From<StoreError> for AccountError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<PasswordError> for AccountError {
    fn from(error: PasswordError) -> Self {
        Self::Hashing(error)
    }
}

impl From<LoginNameError> for AccountError {
    fn from(error: LoginNameError) -> Self {
        Self::Name(error)
    }
}

impl From<LoginFault> for AccountError {
    fn from(fault: LoginFault) -> Self {
        Self::Login(fault)
    }
}

impl fmt::Display for AccountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Login(LoginFault::SecondFactorMissing) => f.write_str("a second factor is required"),
            Self::Login(LoginFault::SecondFactorWrong) => f.write_str("the second factor is wrong"),
            Self::Login(LoginFault::EmailNotVerified) => f.write_str("the address of the account is not verified"),
            Self::Login(LoginFault::SecondFactorEnrolment) => {
                f.write_str("the account has to have a second factor, and has none yet")
            }
            Self::Login(LoginFault::Credentials) => f.write_str("the name or the password is wrong"),
            Self::Login(LoginFault::UnknownName) => f.write_str("there is no account with this name"),
            Self::Refused(rejection) => f.write_str(rejection.message()),
            Self::Scope => f.write_str("the scope is more than account and client may"),
            Self::Network => f.write_str("the account is not to be used from this network"),
            Self::Token(fault) => write!(f, "the refresh token is not good: {}", fault.cause()),
            Self::Ticket => f.write_str("the ticket is not good, or not any more"),
            Self::Sso(fault) => write!(f, "single sign-on came to nothing: {}", fault.cause()),
            Self::Weak(faults) => {
                f.write_str("the password is not good enough: it ")?;
                for (place, fault) in faults.iter().enumerate() {
                    write!(f, "{}{fault}", if place == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Self::NameTaken => f.write_str("another account has this name"),
            Self::Name(error) => error.fmt(f),
            Self::Missing => f.write_str("there is no such account"),
            Self::State(what) => f.write_str(what),
            Self::Hashing(error) => error.fmt(f),
            Self::Random => f.write_str("the operating system gave no random bytes"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AccountError {}
