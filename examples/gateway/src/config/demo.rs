//! `[demo]`: what is made up for whoever tries the gateway.

use super::node::{FromNode, Node};
use super::section::Section;
use super::values::{OneOrMore, Text};
use crate::problem::Placed;

/// Whether demo accounts are made up at the first start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Demo {
    /// Keys and accounts come from the command line or the API, the default.
    #[default]
    Disabled,
    /// They are made up and written to `demo.json`, on loopback alone.
    Enabled,
}

impl Demo {
    pub(super) fn read(section: &mut Section<'_>) -> Placed<Self> {
        let enabled = section.placed::<bool>("enabled");
        let place = section.place();
        let choice = |enabled| if enabled { Self::Enabled } else { Self::Disabled };
        enabled.map_or(Placed { value: Self::Disabled, place }, |enabled| enabled.map(choice))
    }

    pub(super) fn plans(section: &mut Section<'_>) -> Vec<Placed<String>> {
        let names = section.read::<OneOrMore<Placed<Text>>>("plans");
        names.map_or_else(Vec::new, |OneOrMore(names)| {
            names.into_iter().map(|name| name.map(|Text(name)| name)).collect()
        })
    }
}

/// An account that is made up, where it is not the usual one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DemoAccount {
    /// What it logs in with.
    pub name: Placed<String>,
    /// The tenant it belongs to.
    pub tenant: String,
    /// What the tenant is called; like its id where it does not say.
    pub tenant_name: Option<String>,
    /// The type of user.
    pub kind: Option<Placed<String>>,
    /// What it may do besides what its type may.
    pub permissions: Vec<String>,
}

impl FromNode for DemoAccount {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let name = section.required_placed::<Text>("name");
            let tenant = section.required::<Text>("tenant");
            let tenant_name = section.read::<Text>("tenant_name").map(|Text(name)| name);
            let kind = section.placed::<Text>("type");
            let permissions = section.read::<OneOrMore<Text>>("permissions");
            Some(Self {
                name: name?.map(|Text(name)| name),
                tenant: tenant?.0,
                tenant_name,
                kind: kind.map(|kind| kind.map(|Text(kind)| kind)),
                permissions: permissions
                    .map_or_else(Vec::new, |OneOrMore(names)| names.into_iter().map(|Text(name)| name).collect()),
            })
        })?
    }
}
