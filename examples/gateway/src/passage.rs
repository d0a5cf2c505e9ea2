//! The way back: what is done to every response before it leaves.

use auth_core::Rejection;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, Version, header};

use crate::cross_origin::Fields;
use crate::forward::mentions_websocket;

/// What a response needs to know of the request it answers.
#[derive(Debug)]
pub struct Passage {
    fields: Fields,
    wants_websocket: bool,
    version: Version,
}

impl Passage {
    /// For a request with this head, whose response gets these fields.
    pub(crate) fn new(parts: &Parts, fields: Fields) -> Self {
        Self { fields, wants_websocket: mentions_websocket(&parts.headers), version: parts.version }
    }

    /// What is to be done to a response before it leaves; `refused` says why, if it is a refusal of ours.
    pub fn leave(self, status: StatusCode, refused: Option<&Rejection>) -> Leaving {
        // Behind a request that cannot be read in one way, and behind a request for a WebSocket that came to nothing,
        // there may be bytes that nobody has judged.
        let unjudged = matches!(refused, Some(Rejection::InvalidRequest(_)))
            || (self.wants_websocket && status != StatusCode::SWITCHING_PROTOCOLS);
        let closes = unjudged && self.version < Version::HTTP_2;
        let connection = if closes { Connection::Close } else { Connection::Keep };
        let can_be_last = self.version < Version::HTTP_2 && status != StatusCode::SWITCHING_PROTOCOLS;
        Leaving { fields: self.fields, connection, can_be_last }
    }
}

/// What is to be done to a response before it leaves.
#[derive(Debug)]
pub struct Leaving {
    /// Fields to set; `vary` is added to what is there.
    pub fields: Fields,
    /// Whether the connection goes on.
    pub connection: Connection,
    can_be_last: bool,
}

/// Whether a connection goes on after a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// It takes further requests.
    Keep,
    /// It ends.
    Close,
}

impl Leaving {
    /// The last response on its connection, where the protocol has a word for that in a response.
    #[must_use]
    pub fn for_good(self) -> Self {
        let connection = if self.can_be_last { Connection::Close } else { self.connection };
        Self { connection, ..self }
    }

    /// Does it to a header map of `http` 1.x.
    pub fn apply(self, headers: &mut HeaderMap) {
        for (name, value) in self.fields {
            if name == header::VARY {
                headers.append(name, value);
            } else {
                headers.insert(name, value);
            }
        }
        if self.connection == Connection::Close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}
