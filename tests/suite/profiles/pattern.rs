//! Comparing byte by byte, but for what nobody can know beforehand.
//!
//! `{=}` stands for any characters of a text but quotes, `{=name}` keeps them under that name. A kind says more of them:
//! `{number=}`, `{time=}` (RFC 3339 in UTC), `{used=}` (the same in quotes, or null), `{hex=}` (32 digits), `{alnum=}`, `{hour=}` (epoch seconds at the full hour),
//! `{jwt=}`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex_lite::Regex;

static UNKNOWN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\{([a-z]*)=([a-z0-9_]*)\}").unwrap());

/// What the unknown parts of `got` are, where it is otherwise `expected` to the byte.
pub(super) fn fits(expected: &str, got: &str) -> Result<BTreeMap<String, String>, String> {
    let mut pattern = "^".to_owned();
    let mut unknown = Vec::new();
    let mut last = 0;
    for found in UNKNOWN.captures_iter(expected) {
        let whole = found.get(0).unwrap();
        pattern += &escape(&expected[last..whole.start()]);
        pattern += match &found[1] {
            "" => r#"([^"]*?)"#,
            "number" | "hour" => "([0-9]+)",
            "time" => "([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)",
            "used" => r#"(null|"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")"#,
            "hex" => "([0-9a-f]{32})",
            "alnum" => "([0-9A-Za-z]+)",
            "jwt" => "(eyJ[0-9A-Za-z_-]+[.]eyJ[0-9A-Za-z_-]+[.][0-9A-Za-z_-]+)",
            kind => panic!("there is no kind {kind} of unknown text"),
        };
        unknown.push((found[1].to_owned(), found[2].to_owned()));
        last = whole.end();
    }
    pattern += &escape(&expected[last..]);
    pattern.push('$');
    let found = Regex::new(&pattern).unwrap().captures(got);
    let found = found.ok_or_else(|| format!("expected {expected:?}\n     got {got:?}"))?;
    let mut kept = BTreeMap::new();
    for (place, (kind, name)) in unknown.into_iter().enumerate() {
        let text = found[place + 1].to_owned();
        if kind == "hour" && text.parse::<u64>().unwrap() % 3600 != 0 {
            return Err(format!("{text} is not a full hour"));
        }
        if !name.is_empty() {
            kept.insert(name, text);
        }
    }
    Ok(kept)
}

fn escape(text: &str) -> String {
    regex_lite::escape(text)
}

/// JSON without the white space between its parts, its members in their order.
pub(super) fn compact(json: &str) -> String {
    let (mut is_text, mut is_escaped) = (false, false);
    let keep = |char: &char| {
        let kept = is_text || !char.is_ascii_whitespace();
        match char {
            '"' if !is_escaped => is_text = !is_text,
            _ => {}
        }
        is_escaped = *char == '\\' && !is_escaped;
        kept
    };
    json.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_within_texts_counts() {
        assert_eq!(compact("{ \"a b\" : [1, \"\\\" c\"]\n}\n"), "{\"a b\":[1,\"\\\" c\"]}");
    }

    #[test]
    fn unknown_parts_are_kept_and_everything_else_is_compared() {
        let kept = fits(r#"{"id":"key_{alnum=id}","n":{number=}}"#, r#"{"id":"key_7a","n":12}"#).unwrap();
        assert_eq!(kept.get("id").map(String::as_str), Some("7a"));
        assert!(fits(r#"{"id":"key_{alnum=id}"}"#, r#"{"id":"key_7-a"}"#).is_err());
        assert!(fits("a{=}", "a b\n").is_ok());
        assert!(fits("[a]", "a").is_err());
        assert!(fits("{hour=}", "3601").is_err());
        assert!(fits("{hour=}", "7200").is_ok());
    }
}
