//! Path patterns: literal segments, `{parameter}` segments, and `{*rest}` at the end.

use crate::ConfigError;

use super::path::{LONGEST, fold, is_ordinary_literal};

/// A pattern, taken apart.
#[derive(Debug)]
pub(super) struct Pattern {
    /// The names of its parameters, from left to right; a catch-all is not among them.
    pub(super) parameters: Vec<String>,
    /// As it is matched with the path as sent, the parameters numbered.
    pub(super) exact: String,
    /// As it is matched with the folded path.
    pub(super) folded: String,
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        let wrong = |why: String| ConfigError::new(why).at(format_args!("`{text}`"));
        let Some(inner) = text.strip_prefix('/') else {
            return Err(wrong("begin the pattern with a slash".to_owned()));
        };
        if text.len() > LONGEST {
            return Err(wrong(format!("a path has at most {LONGEST} bytes")));
        }
        let mut pattern = Self { parameters: Vec::new(), exact: String::new(), folded: String::new() };
        let segments = inner.split('/').count();
        for (at, segment) in inner.split('/').enumerate() {
            let is_last = at + 1 == segments;
            let part = Segment::parse(segment, is_last).map_err(&wrong)?;
            pattern.exact.push('/');
            pattern.folded.push('/');
            match part {
                Segment::Literal(literal) => {
                    pattern.exact.push_str(literal);
                    pattern.folded.push_str(&fold(literal));
                }
                Segment::Parameter(name) if pattern.parameters.iter().any(|known| known == name) => {
                    return Err(wrong(format!("`{{{name}}}` occurs twice")));
                }
                Segment::Parameter(name) => {
                    let numbered = format!("{{p{}}}", pattern.parameters.len());
                    pattern.exact.push_str(&numbered);
                    pattern.folded.push_str(&numbered);
                    pattern.parameters.push(name.to_owned());
                }
                Segment::Rest => {
                    pattern.exact.push_str("{*rest}");
                    pattern.folded.push_str("{*rest}");
                }
            }
        }
        if pattern.folded.len() > 1 && pattern.folded.ends_with('/') {
            pattern.folded.pop();
        }
        Ok(pattern)
    }
}

enum Segment<'a> {
    Literal(&'a str),
    Parameter(&'a str),
    Rest,
}

impl<'a> Segment<'a> {
    fn parse(segment: &'a str, is_last: bool) -> Result<Self, String> {
        if let Some(inner) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            return Self::parse_braces(inner, is_last);
        }
        let advice = match segment {
            "" if !is_last => "an empty segment matches no path that is let through",
            "." | ".." => "a path with `.` or `..` is never let through",
            _ if segment.starts_with([':', '*']) => "write {name} for a parameter and {*name} for the rest of the path",
            _ if segment.contains(['{', '}']) => "a parameter fills a whole segment",
            _ if segment.contains('%') => "write characters, not escapes; where they need escapes, use a parameter",
            _ if !segment.bytes().all(is_ordinary_literal) => {
                "a literal is visible ASCII without any of \\;#?; use a parameter for anything else"
            }
            _ => return Ok(Self::Literal(segment)),
        };
        Err(format!("segment `{segment}`: {advice}"))
    }

    fn parse_braces(inner: &'a str, is_last: bool) -> Result<Self, String> {
        let (name, is_rest) = inner.strip_prefix('*').map_or((inner, false), |name| (name, true));
        let begins_well = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        if !begins_well || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(format!(
                "`{{{inner}}}`: name parameters with letters, digits and underscores; expressions are not understood"
            ));
        }
        match (is_rest, is_last) {
            (true, true) => Ok(Self::Rest),
            (true, false) => Err(format!("`{{{inner}}}` takes the rest of the path, so it must come last")),
            (false, _) => Ok(Self::Parameter(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_taken_apart() {
        let pattern = Pattern::parse("/V1/users/{id}/files/{*rest}").unwrap();
        assert_eq!(pattern.parameters, ["id"]);
        assert_eq!(pattern.exact, "/V1/users/{p0}/files/{*rest}");
        assert_eq!(pattern.folded, "/v1/users/{p0}/files/{*rest}");
        assert_eq!(Pattern::parse("/").unwrap().folded, "/");
        assert_eq!(Pattern::parse("/a/").unwrap().folded, "/a");
        assert_eq!(Pattern::parse("/a/").unwrap().exact, "/a/");
    }

    #[test]
    fn patterns_that_match_nothing_or_too_much_are_refused() {
        for text in [
            "",
            "a",
            "*",
            "//",
            "/a//b",
            "/./a",
            "/a/..",
            "/a%20b",
            "/a b",
            "/a;b",
            "/a?b",
            "/a#b",
            "/a\\b",
            "/caf\u{e9}",
            "/:id",
            "/*rest",
            "/{id",
            "/id}",
            "/{{id}}",
            "/a-{id}",
            "/{id}.png",
            "/{}",
            "/{*}",
            "/{*rest}/a",
            "/{id:[0-9]+}",
            "/{a}/{a}",
            "/{1a}",
        ] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }
}
