//! Reading requests: forms, and JSON objects of texts.

use serde_json::Value;

use crate::Secret;
use crate::json::{Repeats, check};

use super::super::form::decoded;
use super::error::OAuthError;

/// The parameters of a request. Empty ones are left out (RFC 6749 section 3.2).
pub(super) struct Parameters(Vec<(String, Secret)>);

/// What may be there more than once: a token can be for several services (RFC 8693 section 2.1, RFC 8707 section 2).
const SEVERAL: [&str; 2] = ["resource", "audience"];

/// What must never be part of a target, since targets are logged (RFC 6749 section 2.3.1).
const NEVER_IN_THE_QUERY: [&str; 8] = [
    "client_secret",
    "client_assertion",
    "assertion",
    "refresh_token",
    "subject_token",
    "actor_token",
    "token",
    "password",
];

impl Parameters {
    /// Reads the content of a request of that media type.
    pub(super) fn read(media_type: Option<&str>, content: &[u8]) -> Result<Self, OAuthError> {
        let essence = media_type.map(|whole| whole.split_once(';').unwrap_or((whole, "")).0.trim());
        let is = |wanted: &str| essence.is_some_and(|essence| essence.eq_ignore_ascii_case(wanted));
        let read = if is("application/x-www-form-urlencoded") {
            form(content)?
        } else if essence.is_none() && content.is_empty() {
            Vec::new()
        } else if essence.is_none() || is("application/json") {
            object(content)?
        } else {
            return Err(OAuthError::request(
                "The content must be a form or a JSON object: application/x-www-form-urlencoded or application/json",
            ));
        };
        let mut seen: Vec<&str> = Vec::new();
        for (name, _) in &read {
            if seen.contains(&name.as_str()) && !SEVERAL.contains(&name.as_str()) {
                return Err(OAuthError::request("A parameter is there more than once"));
            }
            seen.push(name);
        }
        Ok(Self(read.into_iter().filter(|(_, value)| !value.expose().is_empty()).collect()))
    }

    /// Refuses a query with something secret in it.
    pub(super) fn refuse_in_query(query: Option<&str>) -> Result<(), OAuthError> {
        for pair in query.unwrap_or_default().split('&') {
            let name = pair.split_once('=').map_or(pair, |(name, _)| name);
            let name = decoded(name).unwrap_or_default();
            if NEVER_IN_THE_QUERY.iter().any(|never| name.eq_ignore_ascii_case(never)) {
                return Err(OAuthError::request("Credentials must be sent in the content, never in the query"));
            }
        }
        Ok(())
    }

    /// A secret that may be left out.
    pub(super) fn secret(&self, name: &str) -> Option<&Secret> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Every value of what may be there more than once.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).filter_map(|(_, value)| value.expose_text())
    }

    /// A text that may be left out.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.secret(name)?.expose_text()
    }
}

/// Reads a form (the URL Standard's `application/x-www-form-urlencoded`, and no escapes but good ones).
fn form(content: &[u8]) -> Result<Vec<(String, Secret)>, OAuthError> {
    let malformed = || OAuthError::request("The content is not a form");
    let text = std::str::from_utf8(content).map_err(|_| malformed())?;
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let read = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decoded(name)?.into_owned(), Secret::from(decoded(value)?.into_owned())))
    });
    read.collect::<Option<Vec<_>>>().ok_or_else(malformed)
}

/// Reads an object whose members are texts, or `null` for nothing.
fn object(content: &[u8]) -> Result<Vec<(String, Secret)>, OAuthError> {
    // the strict reader first: of two members of one name, one would win by accident
    let text = std::str::from_utf8(content).ok().filter(|text| check(text, Repeats::Refuse).is_ok());
    let Some(Ok(Value::Object(members))) = text.map(serde_json::from_str) else {
        return Err(OAuthError::request("The content is not a JSON object, or has a member twice"));
    };
    let mut read = Vec::new();
    for (name, value) in members {
        match value {
            Value::String(text) => read.push((name, Secret::from(text))),
            Value::Array(items) if SEVERAL.contains(&name.as_str()) => {
                for item in items {
                    let Value::String(text) = item else { return Err(not_a_text()) };
                    read.push((name.clone(), Secret::from(text)));
                }
            }
            Value::Null => {}
            // what nobody asks for is passed over, whatever it is
            _ if super::KNOWN.contains(&name.as_str()) => return Err(not_a_text()),
            _ => {}
        }
    }
    Ok(read)
}

fn not_a_text() -> OAuthError {
    OAuthError::request("A parameter is not a text")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: Option<&str> = Some("application/x-www-form-urlencoded; charset=utf-8");
    const JSON: Option<&str> = Some("Application/JSON");

    fn read(media_type: Option<&str>, content: &str) -> Result<Parameters, OAuthError> {
        Parameters::read(media_type, content.as_bytes())
    }

    #[test]
    fn t2_empty_parameters_are_left_out_and_unknown_ones_passed_over() {
        for (media_type, content) in [
            (FORM, "grant_type=a+b%2Bc&scope=&&client_id&other=1"),
            (JSON, r#"{"grant_type": "a b+c", "scope": "", "client_id": null, "other": {"deep": [1]}}"#),
            (None, r#"{"grant_type": "a b+c"}"#),
        ] {
            let read = read(media_type, content).ok().unwrap();
            assert_eq!(read.text("grant_type"), Some("a b+c"));
            assert!(read.text("scope").is_none() && read.text("client_id").is_none());
        }
        assert!(read(None, "").is_ok_and(|read| read.text("grant_type").is_none()));
    }

    #[test]
    fn t2_repeated_parameters_are_refused_even_where_nobody_asks_for_them() {
        for (media_type, content) in [
            (FORM, "scope=a&scope=a"),
            (FORM, "scope=&scope=a"),
            (FORM, "sc%6fpe=a&scope=b"),
            (FORM, "other=a&other=b"),
            (JSON, r#"{"scope": "a", "sc\u006fpe": "b"}"#),
        ] {
            assert!(read(media_type, content).is_err(), "{content}");
        }
        assert!(read(FORM, "resource=https://a.example&resource=https://b.example").is_ok());
    }

    #[test]
    fn what_is_no_form_and_no_object_of_texts_is_refused() {
        for (media_type, content) in [
            (FORM, "a=%zz"),
            (FORM, "a=%4"),
            (FORM, "a=%ff"),
            (JSON, "[]"),
            (JSON, "{\"scope\": 1}"),
            (JSON, "{} {}"),
            (JSON, "scope=a"),
            (Some("text/plain"), "scope=a"),
            (Some("multipart/form-data"), "scope=a"),
            (None, "scope=a"),
        ] {
            assert!(read(media_type, content).is_err(), "{content}");
        }
    }

    #[test]
    fn secrets_in_the_query_are_refused_however_they_are_spelt() {
        for query in ["client_secret=x", "a=b&client%5Fsecret=x", "CLIENT_SECRET", "refresh_token="] {
            assert!(Parameters::refuse_in_query(Some(query)).is_err(), "{query}");
        }
        for query in [None, Some(""), Some("tenant=client_secret"), Some("my_client_secret=1")] {
            assert!(Parameters::refuse_in_query(query).is_ok(), "{query:?}");
        }
    }
}
