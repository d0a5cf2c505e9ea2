//! What a story is: requests of one client, one after the other, and what has to come of each.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::guides::demands;
use crate::corpus::folder;

/// One file: everything that is told of one profile.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Book {
    /// The profile's name: the file's, without its ending.
    #[serde(skip)]
    pub(super) profile: String,
    /// One line: what the file is about.
    #[expect(dead_code, reason = "for readers of the file; demanded so that no file goes without")]
    about: String,
    /// Configurations besides the profile itself, by name.
    #[serde(default)]
    pub(super) config: BTreeMap<String, Changes>,
    /// Forged access tokens, for `{token.NAME}`.
    #[serde(default)]
    pub(super) token: BTreeMap<String, Forgery>,
    /// The stories.
    #[serde(rename = "story")]
    pub(super) stories: Vec<Story>,
}

/// The profile's text with some passages replaced: each has to be there once.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Changes {
    pub(super) replace: Vec<(String, String)>,
}

/// The access token of `demo.json`, with changes.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Forgery {
    /// Members of the claims to be set; `now+60` becomes a number, `null` cannot be written: see `without`.
    #[serde(default)]
    pub(super) claims: Map<String, Value>,
    /// Claims to be left out.
    #[serde(default)]
    pub(super) without: Vec<String>,
    /// Members of the header to be set.
    #[serde(default)]
    pub(super) header: Map<String, Value>,
    /// Whether it is signed with the gateway's own key, as it is unless this says otherwise.
    #[serde(default)]
    pub(super) signed_by: Signer,
}

/// Whose key signs.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Signer {
    #[default]
    Gateway,
    Stranger,
    /// `keys/ed25519.pem`; nothing is taken over from the gateway's token then.
    Partner,
    /// `keys/ed25519-other.pem`, likewise.
    OtherPartner,
}

/// Requests of one client, one after the other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Story {
    /// Unique over all files; begins with the first of the ids it covers.
    pub(super) name: String,
    /// Rows of `tests/guides.toml`.
    pub(super) covers: Vec<String>,
    /// Why it has to go like this.
    pub(super) why: String,
    /// Which of the file's configurations; the profile as it comes unless it says.
    pub(super) config: Option<String>,
    /// Whether it needs a gateway of its own, with everything as on the first day.
    #[serde(default)]
    pub(super) alone: bool,
    #[serde(rename = "step")]
    pub(super) steps: Vec<Step>,
}

/// One request and its answer, or one command.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    /// Method and target.
    #[serde(default)]
    pub(super) request: Option<String>,
    /// The gateway's own command line, instead of a request: its words without `--profile` and `--data-dir`.
    #[serde(default)]
    pub(super) command: Option<String>,
    /// Header fields in order.
    #[serde(default)]
    pub(super) headers: Vec<(String, String)>,
    /// The content, sent as `application/json`.
    pub(super) json: Option<String>,
    /// The content, sent as it stands, with no type but what `headers` says.
    pub(super) content: Option<String>,
    /// So many of these requests are sent, and each has this answer.
    #[serde(default = "once")]
    pub(super) times: usize,
    /// Sent again until the answer is this one: for what comes with time.
    #[serde(default)]
    pub(super) until: bool,
    #[serde(default)]
    pub(super) status: u16,
    /// The lines of fields, by lower-case name; an empty list where there must be none.
    #[serde(default)]
    pub(super) fields: BTreeMap<String, Lines>,
    /// The whole body. White space between the parts of JSON does not count, so that it can be written as in a guide.
    pub(super) body: Option<String>,
    /// Members that the body must have, as for the cases of `tests/cases`.
    pub(super) members: Option<Value>,
    /// Members of the body to be kept under a name: `{ token = "access_token" }`.
    #[serde(default)]
    pub(super) keep: BTreeMap<String, String>,
}

/// The lines of one field.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Lines {
    One(String),
    All(Vec<String>),
}

impl Lines {
    pub(super) fn all(&self) -> &[String] {
        match self {
            Self::One(line) => std::slice::from_ref(line),
            Self::All(lines) => lines,
        }
    }
}

fn once() -> usize {
    1
}

/// The profiles that stories are told of.
pub(super) const PROFILES: [&str; 4] = ["alianza", "marketing", "musicgen", "vantage"];

/// What is told of one profile.
pub(super) fn book(profile: &str) -> Book {
    let file = format!("profiles/{profile}.toml");
    let text = fs::read_to_string(folder(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut book: Book = toml::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    profile.clone_into(&mut book.profile);
    book
}

#[test]
fn every_story_is_complete() {
    let demands = demands();
    let mut seen = BTreeSet::new();
    let mut problems = Vec::new();
    for book in PROFILES.map(book) {
        for story in &book.stories {
            let mut wrong = |what: &str| problems.push(format!("{}/{}: {what}", book.profile, story.name));
            if !seen.insert(story.name.clone()) {
                wrong("the name is taken");
            }
            if !story.covers.first().is_some_and(|id| story.name.starts_with(&format!("{}_", id.to_lowercase()))) {
                wrong("the name does not begin with the first id it covers");
            }
            for id in story.covers.iter().filter(|id| !demands.contains_key(*id)) {
                wrong(&format!("covers {id}, which tests/guides.toml does not have"));
            }
            if story.why.is_empty() {
                wrong("does not say why");
            }
            if story.config.as_ref().is_some_and(|name| !book.config.contains_key(name)) {
                wrong("names a configuration that the file does not have");
            }
            for step in &story.steps {
                let is_one = step.request.is_some() != step.command.is_some();
                if !is_one || (step.request.is_some() && step.status == 0) {
                    wrong("a step is a request with a status, or a command");
                }
            }
        }
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}
