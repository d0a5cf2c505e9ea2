//! What was taken back, as case files describe it.

use std::collections::BTreeMap;

use auth_core::revocation::{Revocation, Revocations, Target};
use auth_core::{Clock as _, SimulatedClock, Timestamp};
use serde::Deserialize;

use super::expand::moment;
use super::stage::at_once;

/// One revocation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokedSpec {
    what: What,
    /// Who issued it.
    #[serde(default = "usual_issuer")]
    issuer: String,
    /// Only what was issued before: `now-60`.
    issued_before: Option<String>,
    /// For how long it is remembered: `now+300`.
    #[serde(default = "usual_end")]
    until: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Credential(String),
    /// By its name in the file.
    Key(String),
    Session(String),
    Subject(String),
    Tenant(String),
    Issuer,
}

fn usual_issuer() -> String {
    "https://idp.example".to_owned()
}

fn usual_end() -> String {
    "now+300".to_owned()
}

impl RevokedSpec {
    pub(super) fn take_back(
        &self,
        list: &Revocations,
        key_ids: &BTreeMap<String, String>,
        clock: &SimulatedClock,
    ) -> Result<(), String> {
        let at = |text: &String| {
            moment(text).map(Timestamp::from_unix_seconds).ok_or_else(|| format!("{text:?} is not a time"))
        };
        let issuer = self.issuer.as_str();
        let target = match &self.what {
            What::Credential(id) => Target::credential(issuer, id.as_str()),
            What::Key(name) => {
                Target::credential(issuer, key_ids.get(name).ok_or_else(|| format!("no key {name}"))?.as_str())
            }
            What::Session(id) => Target::session(issuer, id.as_str()),
            What::Subject(subject) => Target::subject(issuer, subject.as_str()),
            What::Tenant(tenant) => Target::Tenant(tenant.as_str().into()),
            What::Issuer => Target::Issuer(issuer.into()),
        };
        let mut revocation = Revocation::new(target, at(&self.until)?);
        if let Some(instant) = self.issued_before.as_ref().map(at).transpose()? {
            revocation = revocation.issued_before(instant);
        }
        at_once(list.revoke(&revocation, clock.now()).resolve())
    }
}
