//! Where a case plays: the gate of a configuration, with its own clock, keys and tokens.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use auth_core::gate::Gate;
use auth_core::issue::{NewKey, SigningAlgorithm, SigningKey, SigningKeys};
use auth_core::store::KeyChange;
use auth_core::{Clock, Names, NetworkSet, Secret, SimulatedClock, Timestamp};
use futures_util::FutureExt as _;
use gateway::config::{self, Config, Surroundings};
use gateway::own_tokens;
use gateway::problem::Problem;
use gateway::profile::Profile;
use gateway::wiring::{self, Keys, Resources, Wired};

use super::cases::{Topic, folder};
use super::expand::{Materials, START, moment};
use super::keys::{Fate, KeySpec};
use super::tokens::key_file;

/// The gate of a configuration, and what cases may send to it.
pub(crate) struct Stage {
    pub(crate) gate: Gate,
    pub(crate) materials: Materials,
    clock: Arc<SimulatedClock>,
    /// Everything the configuration came to, for the search for secrets in `Debug`.
    parts: String,
}

impl Stage {
    /// The stage of one of the topic's configurations, or of a profile: `profile:standard`.
    pub(crate) fn new(topic: &Topic, config: &str) -> Result<Self, String> {
        let config = match config.strip_prefix("profile:") {
            Some(name) => read(Profile::named(name)?.text),
            None => read(topic.config.get(config).ok_or("the file has no such configuration")?),
        };
        let config = config.map_err(|problems| lines(&problems))?;
        let clock = Arc::new(SimulatedClock::at_unix_seconds(START));
        let wired = wire(&config, Arc::clone(&clock)).map_err(|problems| lines(&problems))?;
        let mut materials = Materials { tokens: topic.tokens()?, ..Materials::default() };
        let mut key_ids = BTreeMap::new();
        if let Some(keys) = &wired.keys {
            for (name, spec) in &topic.key {
                let (id, minted) = mint(keys, name, spec, &clock).map_err(|why| format!("key {name}: {why}"))?;
                key_ids.extend(id.map(|id| (name.clone(), id)));
                materials.keys.extend(minted);
            }
        }
        if let Some(tokens) = &wired.opaque_tokens {
            for (name, spec) in &topic.opaque {
                let text = spec.mint(tokens, &clock).map_err(|why| format!("opaque token {name}: {why}"))?;
                materials.opaque.insert(name.clone(), text);
            }
        }
        if let Some(list) = &wired.revocations {
            topic.revoked.iter().try_for_each(|revoked| revoked.take_back(list, &key_ids, &clock))?;
        }
        let parts = format!("{config:?}\n{wired:?}");
        Ok(Self { gate: wired.gate, materials, clock, parts })
    }

    /// Begins anew: budgets fill up while a long time passes, before the wall clock is set back to the start.
    pub(crate) fn begin(&self) {
        self.clock.advance(Duration::from_hours(24 * 400));
        self.clock.step_wall(START - self.clock.now().wall.unix_seconds());
    }

    /// Goes on to `now+60` and the like. Time passes on both clocks; going back sets the wall clock alone.
    pub(crate) fn stand_at(&self, at: &str) -> Result<(), String> {
        let wanted = moment(at).ok_or_else(|| format!("{at:?} is not a time"))?;
        let seconds = wanted - self.clock.now().wall.unix_seconds();
        match u64::try_from(seconds) {
            Ok(seconds) => self.clock.advance(Duration::from_secs(seconds)),
            Err(_) => self.clock.step_wall(seconds),
        }
        Ok(())
    }
}

/// What whoever prints the parts would see.
impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts)
    }
}

/// What is wrong with a configuration, one problem a line; nothing if it is sound.
pub(crate) fn problems_of(text: &str) -> String {
    let clock = Arc::new(SimulatedClock::at_unix_seconds(START));
    match read(text).and_then(|config| wire(&config, clock)) {
        Ok(_) => String::new(),
        Err(problems) => lines(&problems),
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn read(text: &str) -> Result<Config, Vec<Problem>> {
    let keys = folder("keys");
    config::load_in(text, "case.toml", Surroundings { base_dir: &keys, environment: &|_| None })
}

fn wire(config: &Config, clock: Arc<SimulatedClock>) -> Result<Wired, Vec<Problem>> {
    let signing_key = || Secret::new(key_file("p256.pem").expect("tests/keys has p256.pem"));
    let own_tokens = config.tokens.as_ref().map(|tokens| {
        let key = SigningKey::from_material(SigningAlgorithm::Es256, signing_key()).expect("p256 is a key for ES256");
        own_tokens::issuer(tokens, SigningKeys::new(key))
    });
    let resources = Resources {
        clock,
        pepper: Secret::new(key_file("pepper.secret").expect("tests/keys has pepper.secret")),
        own_tokens,
        ..Resources::in_memory(config).expect("there are random bytes")
    };
    wiring::wire(config, resources)
}

/// Makes a key and does to it what its fate says; answers its id, where it is stored, and its text, and that
/// of its successor where it has one.
fn mint(
    keys: &Keys,
    name: &str,
    spec: &KeySpec,
    clock: &SimulatedClock,
) -> Result<(Option<String>, BTreeMap<String, String>), String> {
    let at = |text: &str| moment(text).ok_or_else(|| format!("{text:?} is not a time"));
    let names = |names: &[String]| names.iter().map(String::as_str).collect::<Names>();
    let mut wanted = NewKey::new(name, spec.owner.as_str());
    wanted.tenant = spec.tenant.as_deref().map(Arc::from);
    wanted.plan = spec.plan.as_deref().map(Arc::from);
    wanted.permissions = names(&spec.permissions);
    wanted.roles = names(&spec.roles);
    // a file may describe keys for several configurations, of which some know no environments
    let own = keys.environment.clone();
    wanted.environment = own.map(|own| spec.environment.as_deref().map_or(own, Arc::from));
    wanted.expires = spec.expires.as_deref().map(at).transpose()?.map(Timestamp::from_unix_seconds);
    let networks = spec.networks.as_ref().map(|listed| NetworkSet::parse(listed.iter().map(String::as_str)));
    wanted.networks = networks.transpose().map_err(|error| error.to_string())?.map(Arc::new);

    if spec.fate == Fate::NeverStored {
        let text = keys.verifier.format().mint(wanted.environment.as_deref()).map_err(|error| error.to_string())?;
        let texts = [(name.to_owned(), text.expose_text().unwrap_or_default().to_owned())];
        return Ok((None, texts.into()));
    }
    let mut texts = BTreeMap::new();
    let service = &keys.service;
    let minted = at_once(service.mint(wanted, clock.now()))?;
    let id = &minted.record.id;
    texts.insert(name.to_owned(), minted.key.expose_text().unwrap_or_default().to_owned());
    match &spec.fate {
        Fate::InForce | Fate::NeverStored => {}
        Fate::Disabled => drop(at_once(service.change(id, KeyChange::Disable))?),
        Fate::Revoked => drop(at_once(service.revoke(id))?),
        Fate::RotatedUntil(end) => {
            let overlap = Duration::from_secs(u64::try_from(at(end)? - START).map_err(|error| error.to_string())?);
            let successor = at_once(service.rotate(id, overlap, clock.now()))?;
            let text = successor.key.expose_text().unwrap_or_default().to_owned();
            texts.insert(format!("{name}/successor"), text);
        }
    }
    Ok((Some(id.to_string()), texts))
}

/// The answer of something that has to wait for nothing.
pub(super) fn at_once<T, E: fmt::Display>(future: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    future.now_or_never().ok_or("the memory store had to wait")?.map_err(|error| error.to_string())
}
