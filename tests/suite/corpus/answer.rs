//! What a subject is sent, and what it answers, in one form for all subjects.

use std::net::IpAddr;

use auth_core::gate::Caller;
use auth_core::{Names, Principal};
use serde_json::{Value, json};

use super::expand::START;

/// A request ready to be sent.
pub(crate) struct Sent {
    pub(crate) method: String,
    /// The request target as it stands in the request line.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) peer: Option<IpAddr>,
}

impl Sent {
    /// The target's path and query, parted the way every server parts them.
    pub(crate) fn path_and_query(&self) -> (&str, Option<&str>) {
        match self.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (&self.target, None),
        }
    }
}

/// An answer: the gate's refusal, or what the handler behind it saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Lower-case names and values, lines of one name in their order.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The cause of the typed rejection, where there is one.
    pub(crate) cause: Option<String>,
    /// What the handler found in the request's extensions, where it was reached.
    pub(crate) caller: Option<Value>,
}

impl Answer {
    /// The lines of one field.
    pub(crate) fn lines(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The answer in text, for messages and for the search for secrets.
    pub(crate) fn text(&self) -> String {
        let fields: Vec<String> = self.fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        format!("{}\n{}\n\n{}", self.status, fields.join("\n"), String::from_utf8_lossy(&self.body))
    }
}

/// The caller as cases describe one.
pub(crate) fn describe(caller: &Caller) -> Value {
    match caller {
        Caller::Principal(principal) => describe_principal(principal),
        Caller::Anonymous(_) => json!("anonymous"),
    }
}

/// A principal as cases describe one; what it does not have is left out.
pub(crate) fn describe_principal(principal: &Principal) -> Value {
    let mut members = json!({
        "method": principal.method.as_str(),
        "issuer": &*principal.issuer,
        "subject": &*principal.subject,
        "permissions": listed(&principal.permissions),
        "roles": listed(&principal.roles),
        "scopes": listed(&principal.scopes),
        "tenant": principal.tenant.as_deref(),
        "plan": principal.plan.as_deref(),
        "credential_id": principal.credential_id.as_deref(),
        "expires_in": principal.expires.map(|at| at.unix_seconds() - START),
    });
    if let Value::Object(members) = &mut members {
        members.retain(|_, value| !value.is_null());
    }
    members
}

fn listed(names: &Names) -> Vec<&str> {
    names.iter().collect()
}
