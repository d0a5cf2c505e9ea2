//! Who the person is whose token a client has (OpenID Connect Core section 5.3).
//!
//! A scope is a permission of the same name: a login's token has those that the account has, and a client's those that it
//! asked for and may have. What is told is what the token's scopes name, and of that only what the account has.

use serde::Serialize;

use crate::account::{AccountRecord, AccountStatus, LoginName};
use crate::endpoint::answer::Answer;
use crate::endpoint::keys::Call;
use crate::issue::AccountError;
use crate::principal::{Identity, Principal};
use crate::rejection::{CredentialFault, MissingPermissions, Rejection};

use super::AccountEndpoints;

/// The scope without which nothing is told (OpenID Connect Core section 3.1.2.1).
const OPENID: &str = "openid";

/// What is told, under the names of section 5.1: those that an API has for its own members do not matter here.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Told<'a> {
    sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    /// There where the address is.
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
}

impl AccountEndpoints {
    pub(in crate::endpoint) async fn userinfo(&self, caller: &Principal, call: &Call<'_>) -> Result<Answer, Rejection> {
        if !has_scope(caller, OPENID) {
            return Err(Rejection::InsufficientPermissions(MissingPermissions { needed: OPENID.into() }));
        }
        // a client's own token, and one that another issuer vouches for, is about nobody here
        let nobody = || Rejection::InvalidCredential(CredentialFault::Unknown);
        if !self.is_own(caller) {
            return Err(nobody());
        }
        let account = match self.accounts.find(&caller.subject).await {
            Err(AccountError::Missing) => return Err(nobody()),
            found => found.map_err(|error| self.refused(error, call.words))?,
        };
        if account.status != AccountStatus::Active {
            return Err(nobody());
        }
        Ok(Answer::json(200, &told(&account, caller)))
    }
}

/// The scope itself: what a wildcard or an implication grants is no scope that a client asked for.
fn has_scope(caller: &Identity, name: &str) -> bool {
    caller.scopes.contains(name) || caller.permissions.contains(name)
}

/// Section 5.4: which scope asks for which claims.
fn told<'a>(account: &'a AccountRecord, caller: &Identity) -> Told<'a> {
    fn written(name: Option<&LoginName>) -> Option<&str> {
        name.map(|name| &**name.written())
    }
    let (profile, email) = (has_scope(caller, "profile"), has_scope(caller, "email"));
    Told {
        sub: &account.id,
        name: account.name.as_deref().filter(|_| profile),
        preferred_username: written(account.user_name.as_ref()).filter(|_| profile),
        email: written(account.email.as_ref()).filter(|_| email),
        email_verified: (email && account.email.is_some()).then_some(account.email_verified.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::Timestamp;
    use crate::principal::Method;

    fn account() -> AccountRecord {
        let mut account = AccountRecord::new("user_1", Timestamp::from_unix_seconds(1));
        account.name = Some(Arc::from("Ada"));
        account.email = Some(LoginName::fold("Ada@Example.com").unwrap());
        account
    }

    fn caller(scopes: &[&str]) -> Identity {
        let mut identity = Identity::new(Method::Jwt, "https://us.example", "user_1");
        identity.permissions = scopes.iter().copied().collect();
        identity
    }

    #[test]
    fn t39_claims_follow_scopes_and_what_the_account_has() {
        let mut account = account();
        let json =
            |account: &AccountRecord, scopes: &[&str]| serde_json::to_string(&told(account, &caller(scopes))).unwrap();
        assert_eq!(json(&account, &["openid"]), r#"{"sub":"user_1"}"#);
        assert_eq!(json(&account, &["openid", "profile"]), r#"{"sub":"user_1","name":"Ada"}"#);
        let unverified = r#"{"sub":"user_1","email":"Ada@Example.com","email_verified":false}"#;
        assert_eq!(json(&account, &["openid", "email"]), unverified);
        account.email_verified = Some(Timestamp::from_unix_seconds(2));
        assert_eq!(json(&account, &["openid", "email"]), unverified.replace("false", "true"));
        account.email = None;
        account.name = None;
        account.user_name = Some(LoginName::fold("ada").unwrap());
        let named = r#"{"sub":"user_1","preferred_username":"ada"}"#;
        assert_eq!(json(&account, &["openid", "profile", "email"]), named);
    }

    #[test]
    fn t39_a_wildcard_is_no_scope() {
        assert!(!has_scope(&caller(&["*", "openid:read"]), OPENID));
        let mut kept_apart = caller(&[]);
        kept_apart.scopes = ["openid"].into_iter().collect();
        assert!(has_scope(&kept_apart, OPENID));
    }
}
