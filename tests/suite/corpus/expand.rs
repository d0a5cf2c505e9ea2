//! Placeholders and escapes: from the text of a case to what is sent.
//!
//! `{jwt:NAME}`, `{key:NAME}` and `{opaque:NAME}` stand for tokens and keys of the file, `{key:NAME:typo}` for a key that
//! was altered on the way, `{repeat:TEXT:COUNT}` for long values, `{now+300}` for a time in Unix seconds, `{base64:TEXT}` for Basic
//! credentials. `\xff` is a raw byte and `\\` a backslash.

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine as _};

/// The wall-clock second at which every case begins.
pub(crate) const START: i64 = 1_700_000_000;

/// What placeholders stand for, in one topic.
#[derive(Default)]
pub(crate) struct Materials {
    pub(crate) tokens: BTreeMap<String, String>,
    pub(crate) keys: BTreeMap<String, String>,
    pub(crate) opaque: BTreeMap<String, String>,
}

impl Materials {
    /// The bytes that a text of a case stands for.
    pub(crate) fn expand(&self, text: &str) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let mut rest = text;
        while let Some(special) = rest.find(['{', '\\']) {
            bytes.extend_from_slice(&rest.as_bytes()[..special]);
            rest = &rest[special..];
            let (expanded, length) = if rest.starts_with('{') { self.placeholder(rest)? } else { escape(rest)? };
            bytes.extend(expanded);
            rest = &rest[length..];
        }
        bytes.extend_from_slice(rest.as_bytes());
        Ok(bytes)
    }

    fn placeholder(&self, text: &str) -> Result<(Vec<u8>, usize), String> {
        let end = text.find('}').ok_or_else(|| format!("a brace is not closed: {text}"))?;
        let inside = &text[1..end];
        let (kind, rest) = inside.split_once(':').unwrap_or((inside, ""));
        let unknown = || format!("nothing is known as {{{inside}}}");
        let value = match kind {
            "jwt" => self.tokens.get(rest).cloned().ok_or_else(unknown)?,
            "key" | "opaque" => {
                let (name, change) = rest.split_once(':').unwrap_or((rest, ""));
                let texts = if kind == "key" { &self.keys } else { &self.opaque };
                altered(texts.get(name).ok_or_else(unknown)?, change)?
            }
            "repeat" => {
                let (what, count) = rest.rsplit_once(':').ok_or_else(unknown)?;
                what.repeat(count.parse().map_err(|_| unknown())?)
            }
            "base64" => BASE64_STANDARD.encode(rest),
            "open" => "{".to_owned(),
            _ => moment(inside).ok_or_else(unknown)?.to_string(),
        };
        Ok((value.into_bytes(), end + 1))
    }

    /// Everything that must be seen nowhere.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.tokens.values().chain(self.keys.values()).chain(self.opaque.values()).map(String::as_str)
    }
}

/// `now`, `now+300`, `now-1` in Unix seconds.
pub(crate) fn moment(text: &str) -> Option<i64> {
    let offset = text.strip_prefix("now")?;
    if offset.is_empty() {
        return Some(START);
    }
    offset.parse::<i64>().ok().map(|offset| START + offset)
}

fn escape(text: &str) -> Result<(Vec<u8>, usize), String> {
    if text.starts_with(r"\\") {
        return Ok((vec![b'\\'], 2));
    }
    let digits = text.strip_prefix(r"\x").and_then(|rest| rest.get(..2));
    let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
    byte.map(|byte| (vec![byte], 4)).ok_or_else(|| format!("not an escape: {text}"))
}

/// What can happen to a key between its owner and us.
fn altered(key: &str, change: &str) -> Result<String, String> {
    let random = key.rfind('_').map_or(0, |last| last + 1);
    let replaced = |index: usize, with: char| format!("{}{with}{}", &key[..index], &key[index + 1..]);
    let differing = |index: usize| if key.as_bytes()[index] == b'a' { 'b' } else { 'a' };
    Ok(match change {
        "" => key.to_owned(),
        "typo" => replaced(random + 3, differing(random + 3)),
        "typo_at_end" => replaced(key.len() - 1, differing(key.len() - 1)),
        "swapped" => {
            let neighbours = key.as_bytes()[random..].windows(2).position(|pair| pair[0] != pair[1]);
            let at = random + neighbours.ok_or("the key has no two neighbours that differ")?;
            format!("{}{}{}{}", &key[..at], &key[at + 1..at + 2], &key[at..=at], &key[at + 2..])
        }
        "cut" => key[..key.len() - 1].to_owned(),
        "longer" => format!("{key}0"),
        "upper" => key.to_uppercase(),
        "start" => key[..12].to_owned(),
        _ => return Err(format!("no change to a key is known as {change}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_placeholders_become_bytes() {
        let mut materials = Materials::default();
        materials.tokens.insert("good".to_owned(), "a.b.c".to_owned());
        materials.keys.insert("k".to_owned(), "sk_live_abcd".to_owned());
        for (text, bytes) in [
            ("Bearer {jwt:good}", &b"Bearer a.b.c"[..]),
            (r"\xff\\{repeat:ab:2}", b"\xff\\abab"),
            ("{now+5}", b"1700000005"),
            ("{key:k:typo}", b"sk_live_abca"),
            ("{key:k:swapped}", b"sk_live_bacd"),
            ("Basic {base64:a:b}", b"Basic YTpi"),
        ] {
            assert_eq!(materials.expand(text).unwrap(), bytes, "{text}");
        }
        for text in ["{jwt:bad}", "{", r"\q", "{now+}", "{key:k:eaten}"] {
            assert!(materials.expand(text).is_err(), "{text}");
        }
    }
}
