//! Reading what an endpoint is sent: one JSON object, read strictly.

use serde_json::{Map, Value};

use crate::Secret;
use crate::clock::Timestamp;
use crate::json::{Repeats, check};
use crate::rejection::{ContentFault, Rejection};

use super::words::Words;

/// The members of a request, under the names that the API gives them. Members that nobody asks for are passed over.
pub(super) struct Content<'w> {
    members: Map<String, Value>,
    words: &'w Words,
}

impl<'w> Content<'w> {
    /// Reads the content of a request of that media type.
    pub(super) fn read(media_type: Option<&str>, content: &[u8], words: &'w Words) -> Result<Self, Rejection> {
        // a form of another site can send a body without a type, and nothing else that is asked for here
        // where there is no content, its type is not what is wrong
        let is_nothing = media_type.is_none() && is_blank(content);
        if !is_nothing && !media_type.is_some_and(is_json) {
            return Err(Rejection::InvalidContent(ContentFault::MediaType));
        }
        // the strict reader first: two members of one name would be read as one or the other by whoever comes next
        let text = std::str::from_utf8(content).ok().filter(|text| check(text, Repeats::Refuse).is_ok());
        match text.map(serde_json::from_str) {
            Some(Ok(Value::Object(members))) => Ok(Self { members, words }),
            _ => Err(Rejection::InvalidContent(ContentFault::Malformed)),
        }
    }

    /// Reads content that need not be there.
    pub(super) fn read_any(media_type: Option<&str>, content: &[u8], words: &'w Words) -> Result<Self, Rejection> {
        if is_blank(content) {
            return Ok(Self { members: Map::new(), words });
        }
        Self::read(media_type, content, words)
    }

    /// Whether the member is there and not `null`.
    pub(super) fn has(&self, member: &str) -> bool {
        self.value(member).is_some()
    }

    /// Whether the member is there, be it `null`.
    pub(super) fn names(&self, member: &str) -> bool {
        self.members.contains_key(self.words.name(member))
    }

    /// A text that may be left out.
    pub(super) fn text(&self, member: &str) -> Result<Option<&str>, Rejection> {
        let Some(value) = self.value(member) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| self.wrong_type(member, "a text"))
    }

    /// A text that must be there, and not be empty.
    pub(super) fn required(&self, member: &str) -> Result<&str, Rejection> {
        let text = self.text(member)?.ok_or_else(|| self.missing(member))?;
        if text.is_empty() { Err(self.invalid(member, "must not be empty")) } else { Ok(text) }
    }

    /// A secret text that must be there.
    pub(super) fn secret(&self, member: &str) -> Result<Secret, Rejection> {
        self.required(member).map(Secret::from)
    }

    /// A list of texts that may be left out.
    pub(super) fn texts(&self, member: &str) -> Result<Option<Vec<&str>>, Rejection> {
        let Some(value) = self.value(member) else { return Ok(None) };
        let items = value.as_array().and_then(|items| items.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
        items.map(Some).ok_or_else(|| self.wrong_type(member, "a list of texts"))
    }

    /// Whether something is asked for; it is not where the member is left out.
    pub(super) fn flag(&self, member: &str) -> Result<bool, Rejection> {
        let Some(value) = self.value(member) else { return Ok(false) };
        value.as_bool().ok_or_else(|| self.wrong_type(member, "true or false"))
    }

    /// The text of an object that may be left out.
    pub(super) fn object(&self, member: &str) -> Result<Option<String>, Rejection> {
        let Some(value) = self.value(member) else { return Ok(None) };
        if value.is_object() { Ok(Some(value.to_string())) } else { Err(self.wrong_type(member, "an object")) }
    }

    /// A number of seconds that may be left out.
    pub(super) fn seconds(&self, member: &str) -> Result<Option<u64>, Rejection> {
        let Some(value) = self.value(member) else { return Ok(None) };
        value.as_u64().map(Some).ok_or_else(|| self.wrong_type(member, "a whole number of seconds"))
    }

    /// A time that may be left out: RFC 3339 or seconds since the epoch, whichever the API writes.
    pub(super) fn time(&self, member: &str) -> Result<Option<Timestamp>, Rejection> {
        let Some(value) = self.value(member) else { return Ok(None) };
        let at = match value {
            Value::String(text) => Timestamp::from_rfc3339(text),
            Value::Number(number) => number.as_i64().map(Timestamp::from_unix_seconds),
            _ => None,
        };
        at.map(Some).ok_or_else(|| {
            self.wrong_type(member, "a time such as 2031-01-15T10:00:00Z, or whole seconds since the epoch")
        })
    }

    pub(super) fn missing(&self, member: &str) -> Rejection {
        Rejection::InvalidContent(ContentFault::Missing(self.words.name(member).to_owned()))
    }

    fn wrong_type(&self, member: &str, needed: &'static str) -> Rejection {
        Rejection::InvalidContent(ContentFault::Type { member: self.words.name(member).to_owned(), needed })
    }

    /// That a member has a value that it must not have.
    pub(super) fn invalid(&self, member: &str, rule: impl Into<std::borrow::Cow<'static, str>>) -> Rejection {
        invalid(self.words, member, rule)
    }

    fn value(&self, member: &str) -> Option<&Value> {
        self.members.get(self.words.name(member)).filter(|value| !value.is_null())
    }
}

/// That a member has a value that it must not have.
pub(super) fn invalid(words: &Words, member: &str, rule: impl Into<std::borrow::Cow<'static, str>>) -> Rejection {
    Rejection::InvalidContent(ContentFault::Value { member: words.name(member).to_owned(), rule: rule.into() })
}

fn is_blank(content: &[u8]) -> bool {
    content.iter().all(u8::is_ascii_whitespace)
}

/// `application/json`, with whatever parameters.
fn is_json(media_type: &str) -> bool {
    let (essence, _) = media_type.split_once(';').unwrap_or((media_type, ""));
    essence.trim().eq_ignore_ascii_case("application/json")
}
