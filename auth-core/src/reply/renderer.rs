//! From a rejection and its situation to a complete reply.

use std::borrow::Cow;

use crate::clock::Timestamp;
use crate::credential::Source;
use crate::rejection::Rejection;
use crate::reply::challenge::challenge;
use crate::reply::style::{CodeStyle, ErrorStyle};
use crate::reply::{ErrorFacts, Reply};

/// Turns rejections into replies, all in one style.
#[derive(Debug, Default)]
pub struct Renderer {
    style: ErrorStyle,
}

/// What a reply needs to know of the request it answers.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The request's method: HEAD gets no body.
    pub method: &'a str,
    /// The request's path as sent.
    pub path: &'a str,
    /// The identifier of the request.
    pub request_id: &'a str,
    /// When it was decided.
    pub time: Timestamp,
}

impl Renderer {
    /// A renderer of that style.
    pub fn new(style: ErrorStyle) -> Self {
        Self { style }
    }

    /// The reply to a refusal; `sources` are those the route accepts, each with whether the refused credential came
    /// from it.
    pub fn render<'s>(
        &self,
        rejection: &Rejection,
        situation: &Situation<'_>,
        sources: impl Iterator<Item = (&'s Source, bool)>,
    ) -> Reply {
        let code = self.code(rejection);
        let facts = ErrorFacts {
            rejection,
            code: &code,
            message: self.message(rejection),
            path: situation.path,
            request_id: situation.request_id,
            time: situation.time,
        };
        let mut body = self.style.shape.body(&facts);
        let mut fields: Vec<(Cow<'static, str>, Cow<'static, str>)> = Vec::with_capacity(5);
        fields.push((Cow::Borrowed("content-type"), Cow::Borrowed(self.style.shape.content_type())));
        for (source, presented) in sources {
            let challenge = challenge(source, &self.style.realm, rejection, presented);
            fields.extend(challenge.map(|text| (Cow::Borrowed("www-authenticate"), Cow::Owned(text))));
        }
        if let Some(after) = rejection.retry_after() {
            fields.push((Cow::Borrowed("retry-after"), Cow::Owned(after.seconds().to_string())));
        }
        fields.push((Cow::Borrowed("x-request-id"), Cow::Owned(situation.request_id.to_owned())));
        if situation.method == "HEAD" {
            fields.push((Cow::Borrowed("content-length"), Cow::Owned(body.len().to_string())));
            body.clear();
        }
        Reply { status: rejection.status(), fields, body: Cow::Owned(body) }
    }

    fn code(&self, rejection: &Rejection) -> Cow<'_, str> {
        let codes = &self.style.codes;
        if let Some(code) = codes.get(rejection.cause()).or_else(|| codes.get(rejection.code())) {
            return Cow::Borrowed(code);
        }
        let code = self.style.shape.default_code(rejection);
        match self.style.code_style {
            CodeStyle::Snake => Cow::Borrowed(code),
            CodeStyle::UpperSnake => Cow::Owned(code.to_ascii_uppercase()),
        }
    }

    fn message(&self, rejection: &Rejection) -> &str {
        let messages = &self.style.messages;
        let overridden = messages.get(rejection.cause()).or_else(|| messages.get(rejection.code()));
        overridden.map_or(rejection.message(), String::as_str)
    }
}
