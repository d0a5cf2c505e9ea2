//! What `gateway users`, `tenants` and `keys` have in common.

use std::fmt::Write as _;
use std::sync::Arc;

use auth_core::issue::{AccountError, Actor, Administration, AdministrationError, ClientError, KeyError};
use auth_core::{NetworkSet, Now, Secret, Timestamp};
use serde_json::Value;

use super::administration_arguments::{PasswordFrom, SetNetworks, SetPermissions, SetPlan};
use super::{Failure, Output, Whose, open, open_or_make, say};
use crate::config::{Config, Store};
use crate::log::{self, LogEnd};
use crate::wiring::Wired;

/// Whether a data directory is made where there is none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum DataDirectory {
    ToBeThere,
    ToBeMade,
}

/// What a command works with; the log ends with it.
pub(super) struct Desk {
    pub(super) config: Config,
    pub(super) administration: Administration,
    _log: LogEnd,
}

impl Desk {
    /// For users and tenants.
    pub(super) fn for_accounts(whose: &Whose, directory: DataDirectory) -> Result<Self, Failure> {
        let config = whose.configuration()?;
        let Some(settings) = &config.accounts else {
            return Err(Failure::Usage("the configuration has no [accounts]".to_owned()));
        };
        if settings.store == Store::Memory {
            let why = "`store = \"memory\"` keeps accounts in the serving process, where no command can reach them";
            return Err(Failure::Usage(why.to_owned()));
        }
        Self::of(whose, config, directory)
    }

    /// For whatever the configuration has.
    pub(super) fn of(whose: &Whose, config: Config, directory: DataDirectory) -> Result<Self, Failure> {
        let wired: Wired = match directory {
            DataDirectory::ToBeThere => open(whose, &config)?,
            DataDirectory::ToBeMade => open_or_make(whose, &config)?,
        };
        let log = log::start(&config.log);
        Ok(Self { config, administration: wired.administration, _log: log })
    }

    /// A plan that is not there is most likely misspelt.
    pub(super) fn warn_of_unknown_plan(&self, plan: Option<&str>) {
        let known: Vec<&str> = self.config.plans.iter().map(|plan| plan.name.value.as_str()).collect();
        if let Some(plan) = plan.filter(|plan| !known.is_empty() && !known.contains(plan)) {
            eprintln!("warning: there is no plan `{plan}`; there are {}", known.join(", "));
        }
    }
}

/// Who the log says did it.
pub(super) fn actor() -> Actor {
    Actor { subject: "command line".into(), client: None }
}

pub(super) fn refused(error: AdministrationError) -> Failure {
    match error {
        AdministrationError::Invalid(_)
        | AdministrationError::Account(AccountError::Weak(_) | AccountError::Name(_) | AccountError::State(_))
        | AdministrationError::Client(ClientError::Invalid(_))
        | AdministrationError::Key(KeyError::Environment(_) | KeyError::Invalid(_)) => {
            Failure::Usage(error.to_string())
        }
        _ => Failure::obstacle(error),
    }
}

pub(super) fn plan(arguments: &SetPlan) -> Option<Arc<str>> {
    arguments.plan.as_deref().map(Arc::from)
}

pub(super) fn permissions(arguments: &SetPermissions) -> auth_core::Names {
    arguments.permissions.iter().map(String::as_str).collect()
}

pub(super) fn changed_networks(arguments: &SetNetworks) -> Result<Option<Arc<NetworkSet>>, Failure> {
    networks(&arguments.networks)
}

/// None where none are named.
pub(super) fn networks(names: &[String]) -> Result<Option<Arc<NetworkSet>>, Failure> {
    if names.is_empty() {
        return Ok(None);
    }
    let set = NetworkSet::parse(names.iter().map(String::as_str));
    let set = set.map_err(|error| Failure::Usage(error.to_string()))?;
    if set.is_too_long() {
        let most = NetworkSet::MAX_ALLOWED;
        return Err(Failure::Usage(format!("an allow-list has at most {most} networks, and here are {}", set.len())));
    }
    Ok(Some(Arc::new(set)))
}

/// A password, and whether it has to be shown because nobody knows it.
pub(super) struct Password {
    pub(super) secret: Secret,
    pub(super) is_made_up: bool,
}

impl Password {
    pub(super) fn from(place: &PasswordFrom) -> Result<Self, Failure> {
        let given = match (&place.password_file, &place.password_env) {
            (Some(file), _) => {
                let text = std::fs::read_to_string(file);
                Some(text.map_err(|error| Failure::Obstacle(format!("cannot read {}: {error}", file.display())))?)
            }
            (None, Some(name)) => {
                let why = || Failure::Usage(format!("the environment variable {name} is not set, or is no text"));
                Some(std::env::var(name).map_err(|_| why())?)
            }
            (None, None) => None,
        };
        let is_made_up = given.is_none();
        let secret = match given {
            Some(text) => Secret::from(text.strip_suffix('\n').unwrap_or(&text).trim_end_matches('\r')),
            None => Administration::fresh_password().map_err(Failure::obstacle)?,
        };
        Ok(Self { secret, is_made_up })
    }

    /// Its text, where it has to be shown.
    pub(super) fn shown(&self) -> Option<&str> {
        self.secret.expose_text().filter(|_| self.is_made_up)
    }
}

/// Says what was done to one of them, or how it is now.
pub(super) fn say_done(done: &str, json: &Value, output: Output) -> Result<(), Failure> {
    match output {
        Output::Json => say(&format!("{json:#}\n")),
        Output::Text => say(&format!("{done}\n")),
    }
}

/// One of them with everything there is to tell, a line for each.
pub(super) fn say_one(json: &Value, output: Output) -> Result<(), Failure> {
    if output == Output::Json {
        return say(&format!("{json:#}\n"));
    }
    let mut lines = String::new();
    for (name, value) in json.as_object().into_iter().flatten() {
        let value = match value {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            Value::Array(items) if items.is_empty() => "-".to_owned(),
            Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
            other => other.to_string(),
        };
        // writing to a text does not fail
        let _ = writeln!(lines, "{name:16}{value}");
    }
    say(&lines)
}

pub(super) fn texts(set: Option<&Arc<NetworkSet>>) -> Option<Vec<String>> {
    set.map(|set| set.iter().map(|network| network.to_string()).collect())
}

pub(super) fn or_dash(text: Option<&str>) -> String {
    text.unwrap_or("-").to_owned()
}

pub(super) fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(Timestamp::to_rfc3339)
}

/// The present.
pub(super) fn now() -> Now {
    use auth_core::Clock as _;
    auth_core::SystemClock.now()
}
