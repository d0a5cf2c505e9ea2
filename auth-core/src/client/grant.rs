//! What a client may ask tokens for.

use std::fmt;

/// What a token is asked for with: a closed set.
///
/// The password grant is none of them and never will be (RFC 9700 section 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Grant {
    /// In the client's own name (RFC 6749 section 4.4).
    ClientCredentials,
    /// For a refresh token (RFC 6749 section 6).
    RefreshToken,
    /// For a signed assertion about somebody (RFC 7523 section 2.1).
    JwtBearer,
    /// For the token of somebody else (RFC 8693).
    TokenExchange,
}

impl Grant {
    /// Every grant.
    pub const ALL: [Self; 4] = [Self::ClientCredentials, Self::RefreshToken, Self::JwtBearer, Self::TokenExchange];

    /// Its short name, in configurations and stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::RefreshToken => "refresh_token",
            Self::JwtBearer => "jwt_bearer",
            Self::TokenExchange => "token_exchange",
        }
    }

    /// The grant of that short name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == name)
    }

    /// What requests call it: the value of `grant_type`.
    pub const fn grant_type(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::RefreshToken => "refresh_token",
            Self::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
        }
    }

    /// The grant that requests call so; compared exactly.
    pub fn from_grant_type(grant_type: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.grant_type() == grant_type)
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Several grants, each once.
///
/// ```
/// use auth_core::client::{Grant, Grants};
///
/// let grants: Grants = [Grant::TokenExchange, Grant::ClientCredentials].into_iter().collect();
/// assert!(grants.contains(Grant::TokenExchange) && !grants.contains(Grant::RefreshToken));
/// assert!(grants.iter().eq([Grant::ClientCredentials, Grant::TokenExchange]));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Grants([bool; Grant::ALL.len()]);

impl Grants {
    /// No grant at all.
    pub const NONE: Self = Self([false; Grant::ALL.len()]);

    /// Whether it is one of them.
    pub fn contains(self, grant: Grant) -> bool {
        self.iter().any(|one| one == grant)
    }

    /// All of them, in the order of [`Grant::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Grant> {
        Grant::ALL.into_iter().zip(self.0).filter_map(|(grant, is_there)| is_there.then_some(grant))
    }
}

impl FromIterator<Grant> for Grants {
    fn from_iter<I: IntoIterator<Item = Grant>>(grants: I) -> Self {
        let mut all = Self::NONE;
        for wanted in grants {
            for (grant, is_there) in Grant::ALL.into_iter().zip(&mut all.0) {
                *is_there |= grant == wanted;
            }
        }
        all
    }
}

impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
