//! Which page of a list: the parameters of the query.

use std::borrow::Cow;

use crate::rejection::Rejection;

use super::content::invalid;
use super::form::decoded;
use super::words::Words;

/// The most that may be asked for.
pub(super) const MOST: usize = 1_000;

/// Which page of a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) limit: usize,
    pub(super) after: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) owner: Option<String>,
}

/// What becomes of parameters that nobody asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    /// They are refused: one that is misspelt would show another list than was asked for.
    Refused,
    /// They are passed over, for clients who know nothing of pages.
    PassedOver,
}

impl Query {
    /// Reads these parameters, each at most once; so many are on a page unless it is said.
    pub(super) fn read(
        query: Option<&str>,
        known: &[&str],
        others: Others,
        usual: usize,
        words: &Words,
    ) -> Result<Self, Rejection> {
        let mut read = Self { limit: usual, after: None, tenant: None, owner: None };
        let mut seen: Vec<&str> = Vec::new();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let meant = if name == words.name("tenant") { "tenant" } else { name };
            if !known.contains(&meant) {
                if others == Others::PassedOver {
                    continue;
                }
                return Err(invalid(words, "query", format!("must hold nothing but {}", known.join(", "))));
            }
            if seen.contains(&name) {
                return Err(invalid(words, "query", "must name each parameter once"));
            }
            seen.push(name);
            let text = decoded(value).filter(|text| !text.is_empty()).map(Cow::into_owned);
            let text = text.ok_or_else(|| invalid(words, "query", "must hold texts in UTF-8 that are not empty"))?;
            match meant {
                "limit" => {
                    let limit = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
                    read.limit = limit.ok_or_else(|| invalid(words, "limit", "must be a number from 1 to 1000"))?;
                }
                "after" => read.after = Some(text),
                "tenant" => read.tenant = Some(text),
                _ => read.owner = Some(text),
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_strictly() {
        let known = ["limit", "after", "tenant"];
        let read = |query| Query::read(Some(query), &known, Others::Refused, 100, &Words::default());
        let query = read("limit=2&after=user_1&tenant=a%20b").unwrap();
        assert_eq!((query.limit, query.after.as_deref(), query.tenant.as_deref()), (2, Some("user_1"), Some("a b")));
        assert_eq!(read("").unwrap().limit, 100);
        for wrong in [
            "limit=0",
            "limit=1001",
            "limit=x",
            "limit=1&limit=2",
            "limits=1",
            "after=",
            "after=%zz",
            "after=%f",
            "owner=a",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let lenient = |query| Query::read(Some(query), &["limit"], Others::PassedOver, 7, &Words::default());
        assert_eq!(
            lenient("limits=1&_=%f&after=x").unwrap(),
            Query { limit: 7, after: None, tenant: None, owner: None }
        );
        assert!(lenient("limit=0").is_err());
    }
}
