//! Who somebody is, as the provider says: in the ID token, and where that leaves it out in its userinfo.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::Secret;
use crate::claims::Claim;
use crate::fetch::FetchRequest;
use crate::principal::Identity;

use super::provider::Endpoints;
use super::redeem::text;
use super::{SingleSignOn, SsoFault, UserinfoRule};

/// Who somebody is, as the provider says.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) subject: Arc<str>,
    /// What the person is called at the provider.
    pub(crate) user_name: Option<String>,
    pub(crate) name: Option<String>,
    /// The address, where the provider says that it was verified.
    pub(crate) email: Option<String>,
}

/// What of the userinfo is read (OpenID Connect Core section 5.1). A member of another type counts as left out, like in the
/// ID token, and two of one name are none.
#[derive(Deserialize)]
struct Userinfo {
    sub: String,
    #[serde(default)]
    preferred_username: Value,
    #[serde(default)]
    name: Value,
    #[serde(default)]
    email: Value,
    #[serde(default)]
    email_verified: Value,
}

impl SingleSignOn {
    /// The person of an ID token that was found good.
    pub(super) async fn person(
        &self,
        identity: &Identity,
        endpoints: &Endpoints,
        access_token: Option<&str>,
    ) -> Result<Person, SsoFault> {
        let claims = &identity.claims;
        let email = text(claims, "email");
        let has_email = email.is_some();
        let is_verified = claims.get("email_verified").and_then(Claim::as_bool) == Some(true);
        let mut person = Person {
            subject: (&*identity.subject).into(),
            user_name: text(claims, "preferred_username"),
            name: text(claims, "name"),
            email: email.filter(|_| is_verified),
        };
        let is_asked = self.0.settings.userinfo == UserinfoRule::AskedWhereMissing;
        let is_complete = person.user_name.is_some() && person.name.is_some() && has_email;
        if let (Some(url), Some(token), true, false) = (&endpoints.userinfo, access_token, is_asked, is_complete) {
            let told = self.userinfo(url, token).await?;
            // section 5.3.2: the token could be somebody else's, which only this tells
            if told.sub != *identity.subject {
                return Err(SsoFault::Userinfo);
            }
            person.complete(told, has_email);
        }
        Ok(person)
    }

    /// Section 5.3.1.
    async fn userinfo(&self, url: &str, token: &str) -> Result<Userinfo, SsoFault> {
        let mut request = FetchRequest::get(url);
        request.authorization = Some(Secret::from(format!("Bearer {token}")));
        let fetched = self.0.provider.fetched(request).await?;
        let told = serde_json::from_slice(fetched.body.expose()).ok().filter(|_| fetched.status == 200);
        told.ok_or_else(|| {
            SsoFault::Provider(format!("its userinfo answered {} with something else than claims", fetched.status))
        })
    }
}

impl Person {
    /// Adds what the ID token left out. Whether an address was verified is said where the address is.
    fn complete(&mut self, told: Userinfo, has_email: bool) {
        let is_verified = told.email_verified.as_bool() == Some(true);
        self.user_name = self.user_name.take().or_else(|| said(told.preferred_username));
        self.name = self.name.take().or_else(|| said(told.name));
        if !has_email {
            self.email = said(told.email).filter(|_| is_verified);
        }
    }
}

fn said(value: Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}
