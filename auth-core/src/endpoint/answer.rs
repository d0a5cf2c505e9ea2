//! From what an endpoint answers to a reply.

use std::borrow::Cow;

use crate::reply::Reply;

use super::object::Named;

/// What an endpoint answers where nothing stands in the way.
pub(super) struct Answer {
    status: u16,
    content: Content,
    fields: Vec<(Cow<'static, str>, Cow<'static, str>)>,
}

enum Content {
    Nothing,
    Json(Vec<u8>),
}

/// For how long others may believe a published document.
const PUBLISHED_FOR: &str = "public, max-age=300";

impl Answer {
    /// An object, for the caller alone: nobody stores it on the way (RFC 6749 section 5.1, S19).
    pub(super) fn object(status: u16, object: &Named) -> Self {
        Self::json(status, object)
    }

    /// The same of what has names of its own.
    pub(super) fn json(status: u16, object: &impl serde::Serialize) -> Self {
        // names, texts and numbers always serialise
        let json = serde_json::to_vec(object).unwrap_or_else(|_| b"{}".to_vec());
        Self { status, content: Content::Json(json), fields: vec![("cache-control".into(), "no-store".into())] }
    }

    /// A document that everybody may read and keep for a while.
    pub(super) fn document(json: String) -> Self {
        let fields = vec![("cache-control".into(), PUBLISHED_FOR.into())];
        Self { status: 200, content: Content::Json(json.into_bytes()), fields }
    }

    /// That it was done, and nothing else.
    pub(super) fn nothing(status: u16) -> Self {
        Self { status, content: Content::Nothing, fields: vec![("cache-control".into(), "no-store".into())] }
    }

    /// Adds a field.
    pub(super) fn field(mut self, name: &'static str, value: String) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// The same with another status, where one is configured.
    pub(super) fn with_status(self, status: Option<u16>) -> Self {
        Self { status: status.unwrap_or(self.status), ..self }
    }

    /// The whole reply; HEAD gets the length alone.
    pub(super) fn into_reply(self, method: &str) -> Reply {
        let Self { status, content, mut fields } = self;
        let mut body = Vec::new();
        if let Content::Json(json) = content {
            fields.insert(0, ("content-type".into(), "application/json".into()));
            body = json;
        }
        if method == "HEAD" {
            fields.push(("content-length".into(), body.len().to_string().into()));
            body.clear();
        }
        Reply { status, fields, body: body.into() }
    }
}
