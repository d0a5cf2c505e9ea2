//! `[clients]`: OAuth clients, and how often they may ask for tokens.

use std::time::Duration;

use auth_core::client::Grant;
use auth_core::limit::Quota;

use super::api_keys::{Pepper, check_environment};
use super::node::{FromNode, Node};
use super::section::Section;
use super::store::Store;
use super::units::Span;
use super::values::{OneOrMore, Text, choice};
use crate::problem::{Place, Placed};

/// OAuth clients, and how often they may ask for tokens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Clients {
    /// Where it stands in the file.
    pub place: Place,
    /// What the ids of clients begin with that are made up.
    pub id_prefix: String,
    /// The environments that clients are made for; none where they belong to none.
    pub environments: Vec<String>,
    /// The environment of this gateway: clients of another one are nobody here.
    pub environment: Option<String>,
    /// For how long a secret that is replaced works on where the request does not say.
    pub overlap: Duration,
    /// How often one client may get a token; `None` leaves it to the library: 60 a minute.
    pub per_client: Option<Quota>,
    /// How many proofs may fail from one address; `None` leaves it to the library: 60 a minute.
    pub per_address: Option<Quota>,
    /// The permission to ask about tokens of others; `None` lets clients ask about their own alone.
    pub introspect: Option<String>,
    /// Whose tokens clients may exchange besides the gateway's own.
    pub exchanged: Vec<Exchanged>,
    /// The other services that tokens may be had for.
    pub targets: Vec<String>,
    /// What secrets are hashed with, the one in use first; none for one made at the first start, in the data directory.
    pub peppers: Vec<Pepper>,
    /// Where clients are kept.
    pub store: Store,
}

/// An issuer whose tokens some clients may exchange.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exchanged {
    /// One of `[[issuers]]`, by its `issuer`.
    pub issuer: Placed<String>,
    /// The ids of the clients that may.
    pub clients: Vec<String>,
}

impl FromNode for Exchanged {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let issuer = section.required_placed::<Text>("issuer");
            let clients = section.required::<OneOrMore<Text>>("clients");
            Some(Self {
                issuer: issuer?.map(|Text(issuer)| issuer),
                clients: clients?.0.into_iter().map(|Text(id)| id).collect(),
            })
        })?
    }
}

impl FromNode for Clients {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let id_prefix = section.read::<Text>("id_prefix").map_or_else(|| "client_".to_owned(), |Text(id)| id);
            let environments = section.read_or("environments", Vec::<Text>::new());
            let environments: Vec<String> = environments.into_iter().map(|Text(name)| name).collect();
            let environment: Option<Placed<String>> =
                section.placed::<Text>("environment").map(|name| name.map(|Text(name)| name));
            check_environment(node, &environments, environment.as_ref());
            let per_client = quota(section, "per_client");
            let per_address = quota(section, "per_address");
            Self {
                place: section.place(),
                id_prefix,
                environments,
                environment: environment.map(|environment| environment.value),
                overlap: section.read_or("overlap", Span(Duration::from_hours(24))).0,
                per_client,
                per_address,
                exchanged: section.read_or("exchanged", Vec::new()),
                introspect: section.read::<Text>("introspect").map(|Text(name)| name),
                targets: section.read_or("targets", Vec::<Text>::new()).into_iter().map(|Text(name)| name).collect(),
                peppers: section.read_or("peppers", Vec::new()),
                store: Store::read(section, node),
            }
        })
    }
}

fn quota(section: &mut Section<'_>, key: &'static str) -> Option<Quota> {
    section.parse(key, |text| text.parse::<Quota>().map_err(|error| error.to_string()))
}

impl FromNode for Grant {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        choice(node, &Self::ALL.map(|grant| (grant.as_str(), grant)))
    }
}
