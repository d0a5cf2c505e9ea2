//! `[accounts.sso]`: the OpenID provider whose people get sessions.

use std::sync::Arc;

use auth_core::Secret;
use rustls::ClientConfig;

use super::accounts::Registration;
use super::node::{FromNode, Node};
use super::peer;
use super::section::Section;
use super::values::{OneOrMore, Text};
use crate::problem::{Place, Placed};

/// The OpenID provider whose people get sessions.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Sso {
    /// Where it stands in the file.
    pub place: Place,
    /// The provider's issuer identifier.
    pub issuer: Placed<String>,
    /// What the gateway is registered as.
    pub client_id: String,
    /// What it proves that with; `None` for a public client.
    pub client_secret: Option<Secret>,
    /// What is asked for besides `openid`; `None` is left to the library.
    pub scopes: Option<Vec<String>>,
    /// Where people may be sent back to.
    pub redirect_uris: Vec<String>,
    /// Whether the state of an attempt has to come back with its code.
    pub state: SsoState,
    /// What people get who come for the first time; `None` where they are refused.
    pub provision: Option<Registration>,
    /// Whose certificates are believed.
    pub tls: Arc<ClientConfig>,
}

/// Whether the state of an attempt has to come back with its code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SsoState {
    /// It has to, the default.
    #[default]
    Required,
    /// Without one, the only open attempt of the client's address is meant.
    Optional,
}

impl FromNode for Sso {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let issuer = peer::url(section, "issuer");
            let client_id = section.required::<Text>("client_id").map(|Text(id)| id);
            let redirect_uris = redirect_uris(section);
            let scopes = section.read::<OneOrMore<Text>>("scopes");
            let provision = section.has("provision").then(|| section.nested("provision", Registration::read));
            Some(Self {
                place: section.place(),
                client_secret: section.read("client_secret"),
                scopes: scopes.map(|OneOrMore(names)| names.into_iter().map(|Text(name)| name).collect()),
                state: if section.read_or("state_optional", false) { SsoState::Optional } else { SsoState::Required },
                provision,
                tls: peer::tls(section)?,
                issuer: issuer?,
                client_id: client_id?,
                redirect_uris: redirect_uris?,
            })
        })?
    }
}

fn redirect_uris(section: &mut Section<'_>) -> Option<Vec<String>> {
    let OneOrMore(uris) = section.required::<OneOrMore<Text>>("redirect_uris")?;
    if uris.is_empty() {
        return section.node("redirect_uris")?.problem("must name at least one address");
    }
    Some(uris.into_iter().map(|Text(uri)| uri).collect())
}
