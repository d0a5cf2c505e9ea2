//! `[[introspection]]`: the authorization servers that are asked what their opaque tokens are good for.

use std::sync::Arc;
use std::time::Duration;

use auth_core::Secret;
use rustls::ClientConfig;

use super::claims::ClaimNames;
use super::issuers::ClientNames;
use super::node::{FromNode, Node};
use super::peer;
use super::values::{OneOrMore, Positive, Text};
use crate::problem::{Place, Placed};

/// An authorization server that is asked what its opaque tokens are good for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Introspection {
    /// Where it stands in the file.
    pub place: Place,
    /// Who vouches for the subjects; an answer that names another one is refused.
    pub issuer: String,
    /// Where it is asked.
    pub url: Placed<String>,
    /// Whom a token has to be meant for, one of these; `None` for anybody.
    pub audience: Option<Vec<String>>,
    /// What the gateway is registered as.
    pub client_id: String,
    /// What it proves that with.
    pub client_secret: Secret,
    /// What its tokens begin with; `None` for whatever nobody else recognises.
    pub prefix: Option<Placed<String>>,
    /// For how long an answer is believed, and so how long a token that was taken back may go on; `None` leaves it to the
    /// library: 10 s.
    pub believed_for: Option<Duration>,
    /// How many questions are under way at the same time; `None` leaves it to the library: 64.
    pub max_requests: Option<usize>,
    /// How far the clocks may be apart; `None` leaves it to the library: 30 s.
    pub leeway: Option<Duration>,
    /// Whether clients may have the names of users.
    pub client_names: ClientNames,
    /// Which members of an answer say what.
    pub claims: ClaimNames,
    /// Whose certificates are believed.
    pub tls: Arc<ClientConfig>,
}

impl FromNode for Introspection {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let issuer = section.required::<Text>("issuer");
            let url = peer::url(section, "url");
            let any = section.read_or("danger_accept_any_audience", false);
            let audience = match (section.has("audience"), any) {
                (true, true) => section.problem("names audiences and takes any of them: decide for one"),
                (false, true) => Some(None),
                (_, false) => section.required::<OneOrMore<Text>>("audience").map(Some),
            };
            let client_id = section.required::<Text>("client_id");
            let client_secret = section.required::<Secret>("client_secret");
            let shared = section.read_or("danger_clients_share_names_with_users", false);
            let prefix = section.placed::<Text>("prefix");
            let believed_for = section.read("believed_for");
            let max_requests = section.read::<Positive>("max_requests").map(|Positive(max)| max);
            let leeway = section.read("leeway");
            let claims = section.nested("claims", ClaimNames::read);
            let tls = peer::tls(section);
            Some(Self {
                place: section.place(),
                issuer: issuer?.0,
                url: url?,
                audience: audience?.map(|OneOrMore(names)| names.into_iter().map(|Text(name)| name).collect()),
                client_id: client_id?.0,
                client_secret: client_secret?,
                prefix: prefix.map(|prefix| prefix.map(|Text(prefix)| prefix)),
                believed_for,
                max_requests,
                leeway,
                client_names: if shared { ClientNames::SharedWithUsers } else { ClientNames::Apart },
                claims,
                tls: tls?,
            })
        })?
    }
}
