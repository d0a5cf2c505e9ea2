//! `[api_keys]`: what the gateway's own API keys look like and where they are kept.

use std::time::Duration;

use auth_core::Secret;

use super::node::{FromNode, Node};
use super::store::Store;
use super::units::Span;
use super::values::{Positive, Text};
use crate::problem::{Place, Placed};

/// What the gateway's own API keys look like and where they are kept.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ApiKeys {
    /// Where it stands in the file.
    pub place: Place,
    /// What every key begins with.
    pub prefix: Placed<String>,
    /// The environments that keys are made for; none where keys do not name one.
    pub environments: Placed<Vec<String>>,
    /// The environment of this gateway: keys of another one are refused.
    pub environment: Option<String>,
    /// How many characters stand behind the last `_`, the checksum included; `None` leaves it to the library: 32.
    pub length: Option<Placed<usize>>,
    /// How many characters of a key are kept to show which one it is; `None` leaves it to the library: 12.
    pub display_length: Option<Placed<usize>>,
    /// Who vouches for the owners of keys; `None` for the issuer of the gateway's own tokens.
    pub issuer: Option<String>,
    /// What keys are hashed with, the one in use first; none for one made at the first start, in the data directory.
    pub peppers: Vec<Pepper>,
    /// After what time keys end that are made over the API without an end of their own; `None` for never.
    pub lifetime: Option<Duration>,
    /// For how long a rotated key works beside its successor where the request does not say.
    pub overlap: Duration,
    /// The permission that a key needs to manage keys over the API; `None` for none beyond what the route needs.
    pub keys_need: Option<String>,
    /// How many keys an owner has at the most that are neither revoked nor ended.
    pub max_per_owner: usize,
    /// For how long the records of revoked keys are kept; `None` leaves it to the library: 30 days.
    pub keep_revoked: Option<Duration>,
    /// Where keys are kept.
    pub store: Store,
}

/// A secret that keys or opaque tokens are hashed with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Pepper {
    /// What records call it, to tell which pepper made their hash.
    pub id: Placed<String>,
    /// The secret.
    pub secret: Secret,
}

impl FromNode for Pepper {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let id = section.required_placed::<Text>("id");
            let secret = section.required::<Secret>("secret");
            Some(Self { id: id?.map(|Text(id)| id), secret: secret? })
        })?
    }
}

impl FromNode for ApiKeys {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let prefix = section.required_placed::<Text>("prefix");
            let environments = section.placed::<Vec<Text>>("environments");
            let environment = section.placed::<Text>("environment");
            let length = section.placed::<Positive>("length");
            let display_length = section.placed::<Positive>("display_length");
            let issuer = section.read::<Text>("issuer").map(|Text(issuer)| issuer);
            let peppers = section.read_or("peppers", Vec::new());
            let lifetime = section.read::<Span>("lifetime").map(|Span(lifetime)| lifetime);
            let overlap = section.read_or("overlap", Span(Duration::from_hours(24))).0;
            let keys_need = section.read::<Text>("keys_need").map(|Text(name)| name);
            let max_per_owner = section.read::<Positive>("max_per_owner").map_or(100, |Positive(most)| most);
            let keep_revoked = section.read::<Span>("keep_revoked").map(|Span(kept)| kept);
            let store = Store::read(section, node);
            let place = section.place();
            let environments = environments.map_or_else(
                || Placed { value: Vec::new(), place: place.clone() },
                |names| names.map(|names| names.into_iter().map(|Text(name)| name).collect()),
            );
            let environment = environment.map(|name| name.map(|Text(name)| name));
            check_environment(node, &environments.value, environment.as_ref());
            Some(Self {
                place,
                prefix: prefix?.map(|Text(prefix)| prefix),
                environments,
                environment: environment.map(|environment| environment.value),
                length: length.map(|length| length.map(|Positive(length)| length)),
                display_length: display_length.map(|length| length.map(|Positive(length)| length)),
                issuer,
                peppers,
                lifetime,
                overlap,
                keys_need,
                max_per_owner,
                keep_revoked,
                store,
            })
        })?
    }
}

pub(super) fn check_environment(node: &Node<'_>, all: &[String], own: Option<&Placed<String>>) {
    match own {
        Some(own) if !all.contains(&own.value) => {
            let known = if all.is_empty() { "none are named".to_owned() } else { all.join(", ") };
            node.problem_at(&own.place, format!("`{}` is none of `environments` ({known})", own.value.escape_debug()));
        }
        None if !all.is_empty() => {
            node.problem::<()>("names `environments` but not the gateway's own `environment`");
        }
        _ => {}
    }
}
