//! `[opaque_tokens]`: what the gateway's own opaque tokens look like and where they are kept.

use super::api_keys::Pepper;
use super::node::{FromNode, Node};
use super::store::Store;
use super::values::Text;
use crate::problem::{Place, Placed};

/// What the gateway's own opaque tokens look like and where they are kept.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OpaqueTokens {
    /// Where it stands in the file.
    pub place: Place,
    /// What every token begins with.
    pub prefix: Placed<String>,
    /// Who vouches for the subjects of tokens; `None` for the issuer of the gateway's own JSON Web Tokens.
    pub issuer: Option<String>,
    /// What tokens are hashed with, the one in use first; none for one made at the first start, in the data directory.
    pub peppers: Vec<Pepper>,
    /// Where tokens are kept.
    pub store: Store,
}

impl FromNode for OpaqueTokens {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let prefix = section.required_placed::<Text>("prefix");
            let issuer = section.read::<Text>("issuer").map(|Text(issuer)| issuer);
            let peppers = section.read_or("peppers", Vec::new());
            let store = Store::read(section, node);
            Some(Self { place: section.place(), prefix: prefix?.map(|Text(prefix)| prefix), issuer, peppers, store })
        })?
    }
}
