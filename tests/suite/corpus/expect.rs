//! What a case expects, and how an answer is compared with it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::answer::Answer;

/// The expected part of an answer. What is left out is not compared, except by the [invariants](super::invariants),
/// which hold for every answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    pub(crate) status: u16,
    /// The exact cause of a refusal.
    pub(crate) cause: Option<String>,
    /// By lower-case field name.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, FieldExpectation>,
    /// The members that the JSON body must have; `{any}` for any value, `{absent}` for a member that must not be there.
    pub(crate) body: Option<Value>,
    /// The body as text, all of it.
    pub(crate) body_exact: Option<String>,
    /// The members that the caller must have, as for `body`; `"anonymous"` where nobody may be logged in.
    pub(crate) caller: Option<Value>,
}

/// What is expected of one field.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum FieldExpectation {
    /// Exactly one line, of this value.
    Exactly(String),
    /// These lines, in this order.
    Lines(Vec<String>),
    /// A property of the lines.
    Property(FieldProperty),
}

/// A property of the lines of one field.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum FieldProperty {
    /// Whether there is no line at all.
    Absent(bool),
    /// Some line holds this text.
    Contains(String),
    /// There are lines, and none holds this text.
    Lacks(String),
    /// The one line begins with this text.
    Begins(String),
    /// So many lines.
    Count(usize),
}

impl Expect {
    /// What a case has to say and this one does not.
    pub(crate) fn gaps(&self) -> impl Iterator<Item = &'static str> {
        let refused = self.status >= 400;
        let no_cause = (refused && self.cause.is_none()).then_some("a refusal needs its `cause`");
        let no_caller = (self.status == 200 && self.caller.is_none()).then_some("an admission needs its `caller`");
        let both = (refused && self.caller.is_some()).then_some("a refusal has no `caller`");
        no_cause.into_iter().chain(no_caller).chain(both)
    }

    /// Every difference between the answer and what is expected.
    pub(crate) fn differences(&self, answer: &Answer) -> Vec<String> {
        let mut found = Vec::new();
        if answer.status != self.status {
            found.push(format!("status: expected {}, got {}", self.status, answer.status));
        }
        if self.cause != answer.cause {
            found.push(format!("cause: expected {:?}, got {:?}", self.cause, answer.cause));
        }
        for (name, expected) in &self.headers {
            let lines = answer.lines(name);
            if !expected.holds(&lines) {
                found.push(format!("{name}: expected {}, got {lines:?}", expected.describe()));
            }
        }
        if let Some(expected) = &self.body {
            match serde_json::from_slice(&answer.body) {
                Ok(body) => compare("body", expected, Some(&body), &mut found),
                Err(_) => found.push(format!("body: not JSON: {:?}", String::from_utf8_lossy(&answer.body))),
            }
        }
        if let Some(expected) = &self.body_exact
            && expected.as_bytes() != answer.body
        {
            found.push(format!("body: expected {expected:?}, got {:?}", String::from_utf8_lossy(&answer.body)));
        }
        if let Some(expected) = &self.caller {
            compare("caller", expected, answer.caller.as_ref(), &mut found);
        }
        found
    }
}

/// Compares the members that are expected; others may be there.
pub(crate) fn compare(place: &str, expected: &Value, got: Option<&Value>, found: &mut Vec<String>) {
    match (expected, got) {
        (Value::String(text), Some(_)) if text == "{any}" => {}
        (Value::String(text), None) if text == "{absent}" => {}
        (Value::Object(expected), Some(Value::Object(members))) => {
            for (name, value) in expected {
                compare(&format!("{place}.{name}"), value, members.get(name), found);
            }
        }
        (_, Some(got)) if got == expected => {}
        (_, Some(got)) => found.push(format!("{place}: expected {expected}, got {got}")),
        (_, None) => found.push(format!("{place}: expected {expected}, got nothing")),
    }
}

impl FieldExpectation {
    fn holds(&self, lines: &[&str]) -> bool {
        match self {
            Self::Exactly(value) => lines == [value],
            Self::Lines(values) => lines == values,
            Self::Property(FieldProperty::Absent(absent)) => lines.is_empty() == *absent,
            Self::Property(FieldProperty::Contains(text)) => lines.iter().any(|line| line.contains(text)),
            Self::Property(FieldProperty::Lacks(text)) => {
                !lines.is_empty() && !lines.iter().any(|line| line.contains(text))
            }
            Self::Property(FieldProperty::Begins(text)) => matches!(lines, [line] if line.starts_with(text)),
            Self::Property(FieldProperty::Count(count)) => lines.len() == *count,
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Exactly(value) => format!("one line {value:?}"),
            Self::Lines(values) => format!("{values:?}"),
            Self::Property(FieldProperty::Absent(true)) => "no line".to_owned(),
            Self::Property(FieldProperty::Absent(false)) => "some line".to_owned(),
            Self::Property(FieldProperty::Contains(text)) => format!("a line with {text:?}"),
            Self::Property(FieldProperty::Lacks(text)) => format!("lines without {text:?}"),
            Self::Property(FieldProperty::Begins(text)) => format!("one line beginning with {text:?}"),
            Self::Property(FieldProperty::Count(count)) => format!("{count} lines"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differences(expected: &str, got: &str) -> usize {
        let mut found = Vec::new();
        let got = serde_json::from_str(got).unwrap();
        compare("body", &serde_json::from_str(expected).unwrap(), Some(&got), &mut found);
        found.len()
    }

    #[test]
    fn expected_members_must_be_there_and_others_may() {
        assert_eq!(differences(r#"{"a":1}"#, r#"{"a":1,"b":2}"#), 0);
        assert_eq!(differences(r#"{"a":1,"b":2}"#, r#"{"a":2}"#), 2);
        assert_eq!(differences(r#"{"a":"{any}","b":"{absent}"}"#, r#"{"a":[]}"#), 0);
        assert_eq!(differences(r#"{"a":"{any}","b":"{absent}"}"#, r#"{"b":null}"#), 2);
        assert_eq!(differences(r#"{"a":["x"]}"#, r#"{"a":["x","y"]}"#), 1);
    }
}
