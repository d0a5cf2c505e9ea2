//! What the guides of the reference APIs demand, and where it is tested: a table in the README.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use serde::Deserialize;

use super::story::{PROFILES, book};
use crate::corpus::folder;

/// One row of `tests/guides.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Demand {
    /// What must be served.
    says: String,
    /// Tests that show it besides the stories.
    #[serde(default)]
    tests: Vec<String>,
    /// What is not served, and why.
    open: Option<String>,
}

/// Every demand, by id.
pub(super) fn demands() -> BTreeMap<String, Demand> {
    let text = fs::read_to_string(folder("guides.toml")).unwrap();
    toml::from_str(&text).unwrap_or_else(|error| panic!("guides.toml: {error}"))
}

const BEGIN: &str = "<!-- generated: what the guides demand -->\n";
const END: &str = "<!-- end of what the guides demand -->";

#[test]
fn the_coverage_of_the_guides_is_up_to_date() {
    let path = folder("../README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("the README has a place for the table");
    let (_, after) = rest.split_once(END).expect("the table ends");
    let fresh = format!("{before}{BEGIN}{}{END}{after}", table());
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &fresh).unwrap();
    }
    let checked_in = fs::read_to_string(&path).unwrap();
    assert!(fresh == checked_in, "README.md is out of date: run UPDATE=1 cargo test -p acceptance coverage");
}

fn table() -> String {
    let mut covered: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for book in PROFILES.map(book) {
        for story in book.stories {
            for id in story.covers {
                covered.entry(id).or_default().push(story.name.clone());
            }
        }
    }
    let mut table = "| id | what | where it is tested |\n|---|---|---|\n".to_owned();
    for (id, Demand { says, tests, open }) in demands() {
        let names = covered.remove(&id).unwrap_or_default();
        assert!(!names.is_empty() || !tests.is_empty() || open.is_some(), "{id} is tested nowhere");
        let shown: Vec<String> = names.iter().chain(&tests).map(|name| format!("`{name}`")).collect();
        let open = open.map(|open| format!("not yet: {open}"));
        let all: Vec<String> = shown.into_iter().chain(open).collect();
        let _ = writeln!(table, "| {id} | {says} | {} |", all.join(", "));
    }
    table
}
