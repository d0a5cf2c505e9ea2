//! Making credentials. No HTTP here: endpoints and command lines call these.
//!
//! - `access_token`: [`AccessTokenIssuer`], which signs the service's own access tokens, and its [`SigningKeys`]
//! - `accounts`: [`Accounts`], which makes accounts, logs in, refreshes and ends sessions
//! - `administration`: [`Administration`], what administrators do with users, tenants and keys
//! - `api_key`: [`ApiKeys`], which mints, lists, changes, rotates and revokes API keys
//! - `new_key` and `key_error`: [`NewKey`], what is wanted of one, and [`KeyError`], why it could not be made or changed
//! - `messages`: [`Messenger`], who delivers messages to people, and the tickets in them
//! - `clients`: [`Clients`], which makes OAuth clients, authenticates them and gives them tokens
//! - `assertion`: [`Assertions`] of partners, who say which account somebody is
//! - `opaque_token`: [`OpaqueTokens`], which mints, lists and revokes opaque tokens
//! - `refresh_token`: [`RefreshTokens`] and their successors
//! - `recovery_codes`: [`RecoveryCodes`] for people whose app is lost
//! - `seal`: [`Seal`], which encrypts small secrets for a store
//! - `sso`: [`SingleSignOn`], for people who are logged in at an OpenID provider
//! - `throttle`: [`LoginThrottle`], which bounds guesses at passwords
//! - `totp`: [`TotpSecret`], one-time codes by time
//! - `upstream_assertion`: [`UpstreamAssertions`], which tell an upstream who the caller is
//! - `password`: [`Passwords`], which hashes passwords, and the [`PasswordPolicy`] of new ones

mod access_token;
mod accounts;
mod administration;
mod api_key;
mod assertion;
mod base32;
mod clients;
mod key_error;
mod messages;
mod mint;
mod new_key;
mod opaque_token;
mod password;
mod recovery_codes;
mod refresh_token;
mod seal;
mod sso;
mod throttle;
mod totp;
mod upstream_assertion;

pub use access_token::{
    AccessTokenIssuer, MintedAccessToken, NewAccessToken, SigningAlgorithm, SigningError, SigningKey, SigningKeys,
    TokenType,
};
pub(crate) use accounts::journal;
pub use accounts::{
    AccountError, AccountParts, Accounts, Enrolment, Login, NewAccount, SecondFactorProof, SecondFactorRule,
    SecondFactors, TenantFor, Tokens, UnknownNames, UnverifiedEmail, UserType,
};
pub use administration::{Actor, Administering, Administration, AdministrationError};
pub use api_key::{ApiKeys, MintedKey};
pub use assertion::Assertions;
pub use clients::{ClientError, ClientParts, ClientQuotas, Clients, Exchange, FreshClient, NewClient};
pub use key_error::KeyError;
pub use messages::{Message, MessageKind, MessageQuotas, MessageThrottle, Messages, Messenger};
pub use new_key::NewKey;
pub use opaque_token::{MintedToken, NewToken, OpaqueTokens, TokenError};
pub use password::{
    CharacterClass, Freshness, PasswordCost, PasswordError, PasswordFault, PasswordPolicy, PasswordThreads,
    PasswordVerdict, Passwords,
};
pub use recovery_codes::RecoveryCodes;
pub use refresh_token::{RefreshTokens, Rotation};
pub use seal::{Seal, SealError, SealedFor};
pub use sso::{
    CodeLogin, ProvidersEmail, Provisioning, SingleSignOn, SsoAttempt, SsoFault, SsoSettings, StateRule, Strangers,
    UserinfoRule,
};
pub use throttle::{Familiarity, LoginAttempt, LoginThrottle, ThrottleQuotas};
pub use totp::{NoRandomBytes, TotpSecret};
pub use upstream_assertion::UpstreamAssertions;
