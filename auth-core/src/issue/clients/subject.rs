//! Whom a token is about that is exchanged: somebody of this service, or of another issuer.
//!
//! Issuer and subject together are somebody (J26). A token of this service says one of the two once and for all, so whoever comes
//! from elsewhere gets a name that holds both, and that nobody of this service has: accounts have ids that were made up here, and
//! clients are marked as such.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::principal::Identity;

use super::ClientError;
use super::exchange::claims;

/// What the names of those begin with who come from another issuer.
const EXTERNAL: &str = "external:";

/// Whom a token is about.
pub(super) struct Subject {
    /// What a token of this service calls it.
    pub(super) name: Arc<str>,
    /// What the gate calls it then.
    pub(super) bearer: Arc<str>,
    /// Whether it is a client of this service.
    pub(super) is_client: bool,
    /// Who acts for it already.
    pub(super) act: Option<Value>,
    /// Who alone may.
    pub(super) may_act: Option<Value>,
    kind: Whose,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Own,
    External,
}

impl Subject {
    /// The one that an identity is for the service with that issuer.
    pub(super) fn of(identity: &Identity, own: &str) -> Result<Self, ClientError> {
        let said = claims(identity);
        let (act, may_act) = (said.get("act"), said.get("may_act").cloned());
        if *identity.issuer != *own {
            let name: Arc<str> = external(&identity.issuer, &identity.subject).into();
            let act = act.map(|act| named(act, &identity.issuer)).transpose()?;
            return Ok(Self { bearer: Arc::clone(&name), name, is_client: false, act, may_act, kind: Whose::External });
        }
        let text = |name: &str| said.get(name).and_then(Value::as_str);
        let name: Arc<str> = text("sub").ok_or(ClientError::Exchange("the token is about nobody"))?.into();
        let is_client = text("client_id") == Some(&*name);
        let bearer = (&*identity.subject).into();
        Ok(Self { name, bearer, is_client, act: act.cloned(), may_act, kind: Whose::Own })
    }

    pub(super) fn is_own(&self) -> bool {
        self.kind == Whose::Own
    }
}

/// One name for issuer and subject: what follows the first `#` is the subject, whatever is in either.
fn external(issuer: &str, subject: &str) -> String {
    format!("{EXTERNAL}{}#{subject}", issuer.replace('%', "%25").replace('#', "%23"))
}

/// Who acts by the word of another issuer: who has no issuer there is that issuer's. What cannot be read is refused, for nobody
/// could say who acted.
fn named(act: &Value, issuer: &str) -> Result<Value, ClientError> {
    let unreadable = || ClientError::Exchange("who acts by the token cannot be read");
    let Value::Object(said) = act else { return Err(unreadable()) };
    let mut told = Map::new();
    told.insert("iss".to_owned(), issuer.into());
    for name in ["iss", "sub", "client_id"] {
        if let Some(value) = said.get(name) {
            told.insert(name.to_owned(), value.as_str().ok_or_else(unreadable)?.into());
        }
    }
    if let Some(before) = said.get("act") {
        told.insert("act".to_owned(), named(before, issuer)?);
    }
    Ok(Value::Object(told))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn j26_no_two_of_whatever_issuers_have_one_name() {
        let pairs = [("https://a", "b#c"), ("https://a#b", "c"), ("https://a%23b", "c"), ("https://a", "b"), ("", "")];
        let names: std::collections::BTreeSet<String> =
            pairs.iter().map(|(issuer, subject)| external(issuer, subject)).collect();
        assert_eq!(names.len(), pairs.len());
        assert_eq!(external("https://idp.example", "ada"), "external:https://idp.example#ada");
    }

    #[test]
    fn t22_who_acted_elsewhere_is_told_with_the_issuer_that_says_so() {
        let act = json!({ "sub": "a", "more": [1], "act": { "sub": "b", "iss": "https://c" } });
        let told = named(&act, "https://idp").unwrap();
        assert_eq!(told, json!({ "iss": "https://idp", "sub": "a", "act": { "iss": "https://c", "sub": "b" } }));
        for unreadable in [json!("a"), json!({ "sub": 1 }), json!({ "act": [] })] {
            assert!(named(&unreadable, "https://idp").is_err(), "{unreadable}");
        }
    }
}
