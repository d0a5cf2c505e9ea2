//! API keys as cases describe them.

use serde::Deserialize;

/// One key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeySpec {
    /// Whose it is.
    #[serde(default = "usual_owner")]
    pub(crate) owner: String,
    #[serde(default)]
    pub(crate) permissions: Vec<String>,
    #[serde(default)]
    pub(crate) roles: Vec<String>,
    pub(crate) tenant: Option<String>,
    pub(crate) plan: Option<String>,
    /// The environment it opens; the gateway's own unless it says.
    pub(crate) environment: Option<String>,
    /// The networks it may be used from.
    pub(crate) networks: Option<Vec<String>>,
    /// `now+60`.
    pub(crate) expires: Option<String>,
    /// What was done to it after it was made.
    #[serde(default)]
    pub(crate) fate: Fate,
}

/// What was done to a key after it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Fate {
    /// Nothing.
    #[default]
    InForce,
    /// It was switched off.
    Disabled,
    /// It was taken back.
    Revoked,
    /// It was replaced; both work until then: `now+60`.
    RotatedUntil(String),
    /// It has the form of a key, but no store ever had it.
    NeverStored,
}

fn usual_owner() -> String {
    "alice".to_owned()
}
