//! Opaque tokens as case files describe them.

use std::sync::Arc;
use std::time::Duration;

use auth_core::issue::NewToken;
use auth_core::store::TokenScope;
use auth_core::{Clock as _, Names, SimulatedClock, Timestamp};
use gateway::wiring::OpaqueTokens;
use serde::Deserialize;

use super::expand::moment;
use super::stage::at_once;

/// One opaque token.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpaqueSpec {
    /// Whose it is.
    #[serde(default = "usual_subject")]
    subject: String,
    #[serde(default)]
    permissions: Vec<String>,
    #[serde(default)]
    roles: Vec<String>,
    tenant: Option<String>,
    plan: Option<String>,
    session: Option<String>,
    /// `now+300`.
    #[serde(default = "usual_end")]
    ends: String,
    /// Seconds for which it may lie unused.
    idle_limit: Option<u64>,
    /// What was done to it after it was made.
    #[serde(default)]
    fate: OpaqueFate,
}

/// What was done to a token after it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OpaqueFate {
    /// Nothing.
    #[default]
    InForce,
    /// It was taken back.
    Revoked,
}

fn usual_subject() -> String {
    "alice".to_owned()
}

fn usual_end() -> String {
    "now+300".to_owned()
}

impl OpaqueSpec {
    /// Makes the token and does to it what its fate says; answers its text.
    pub(super) fn mint(&self, tokens: &OpaqueTokens, clock: &SimulatedClock) -> Result<String, String> {
        let names = |names: &[String]| names.iter().map(String::as_str).collect::<Names>();
        let text = |text: &Option<String>| text.as_deref().map(Arc::from);
        let ends = moment(&self.ends).ok_or_else(|| format!("{:?} is not a time", self.ends))?;
        let mut wanted = NewToken::new(self.subject.as_str(), Timestamp::from_unix_seconds(ends));
        wanted.permissions = names(&self.permissions);
        wanted.roles = names(&self.roles);
        wanted.tenant = text(&self.tenant);
        wanted.plan = text(&self.plan);
        wanted.session = text(&self.session);
        wanted.idle_limit = self.idle_limit.map(Duration::from_secs);
        let minted = at_once(tokens.service.mint(wanted, clock.now()))?;
        if self.fate == OpaqueFate::Revoked {
            at_once(tokens.service.revoke(&TokenScope::Id(minted.record.id)))?;
        }
        Ok(minted.token.expose_text().unwrap_or_default().to_owned())
    }
}
