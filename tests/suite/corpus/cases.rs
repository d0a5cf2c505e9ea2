//! What a case is: one request, one configuration, one expected answer, and a line saying why.
//!
//! Cases are data, `tests/cases/*.toml`; `tests/cases/README.md` describes the format for those who write them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, OnceLock};

use serde::Deserialize;

use super::expect::Expect;
use super::keys::KeySpec;
use super::opaque::OpaqueSpec;
use super::revoked::RevokedSpec;
use super::tokens::TokenSpec;

/// One file: configurations, tokens and keys under names, and the cases that use them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Topic {
    /// The file's name without its ending.
    #[serde(skip)]
    pub(crate) name: String,
    /// One line: what the file is about.
    #[expect(dead_code, reason = "for readers of the file; demanded so that no file goes without")]
    about: String,
    /// Configurations in the gateway's own language.
    #[serde(default)]
    pub(crate) config: BTreeMap<String, String>,
    /// Tokens, for `{jwt:NAME}`.
    #[serde(default)]
    token: BTreeMap<String, TokenSpec>,
    /// The tokens' texts, once they are made.
    #[serde(skip)]
    minted: OnceLock<Result<BTreeMap<String, String>, String>>,
    /// API keys, for `{key:NAME}`.
    #[serde(default)]
    pub(crate) key: BTreeMap<String, KeySpec>,
    /// Opaque tokens, for `{opaque:NAME}`.
    #[serde(default)]
    pub(crate) opaque: BTreeMap<String, OpaqueSpec>,
    /// What was taken back before the first request.
    #[serde(default)]
    pub(crate) revoked: Vec<RevokedSpec>,
    /// The cases.
    #[serde(default, rename = "case")]
    pub(crate) cases: Vec<Case>,
    /// Configurations that must not start.
    #[serde(default, rename = "mistake")]
    pub(crate) mistakes: Vec<Mistake>,
}

/// A configuration that is refused before any request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mistake {
    pub(crate) name: String,
    pub(crate) covers: Vec<String>,
    pub(crate) why: String,
    pub(crate) config: String,
    /// A part of the message.
    pub(crate) says: String,
}

/// One request and what must come of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// Unique over all files; begins with the first of the ids it covers.
    pub(crate) name: String,
    /// Rows of `tests/standards.toml`.
    pub(crate) covers: Vec<String>,
    /// Why the answer has to be this one.
    pub(crate) why: String,
    /// Which of the file's configurations; `main` unless it says.
    #[serde(default = "main_config")]
    pub(crate) config: String,
    /// Method and target: `GET /v1/songs?page=2`.
    pub(crate) request: String,
    /// Header fields in order, the values with placeholders.
    #[serde(default)]
    pub(crate) headers: Vec<(String, String)>,
    /// The address at the other end of the connection; `none` where there is no telling.
    #[serde(default = "somewhere")]
    pub(crate) peer: String,
    /// When it happens, relative to the moment tokens are made: `now+300`.
    #[serde(default = "at_once")]
    pub(crate) at: String,
    /// Requests that came before; their answers are not looked at.
    #[serde(default)]
    pub(crate) earlier: Vec<Earlier>,
    /// The subjects that can be asked at all, where that is not every one.
    #[serde(default)]
    pub(crate) only: Option<Only>,
    /// What must come of it.
    pub(crate) expect: Expect,
}

/// A request that came before the one a case is about; what is left out is as in that one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Earlier {
    pub(crate) request: Option<String>,
    pub(crate) headers: Option<Vec<(String, String)>>,
    pub(crate) peer: Option<String>,
    /// When it happened; at the start unless it says.
    #[serde(default = "at_once")]
    pub(crate) at: String,
    /// How many such requests came.
    #[serde(default = "once")]
    pub(crate) times: usize,
}

/// A restriction to some subjects, with its reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Only {
    pub(crate) subjects: Vec<SubjectName>,
    /// Why the others cannot be asked.
    pub(crate) because: String,
}

/// What a case can be run against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SubjectName {
    Core,
    Tower,
    Actix,
}

impl Topic {
    /// Name and covered rows of every case and mistake.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&String, &Vec<String>)> {
        let cases = self.cases.iter().map(|case| (&case.name, &case.covers));
        cases.chain(self.mistakes.iter().map(|mistake| (&mistake.name, &mistake.covers)))
    }

    /// The tokens' texts. They depend on no configuration, so they are made once.
    pub(crate) fn tokens(&self) -> Result<BTreeMap<String, String>, String> {
        let mint = |(name, token): (&String, &TokenSpec)| match token.mint() {
            Ok(text) => Ok((name.clone(), text)),
            Err(why) => Err(format!("token {name}: {why}")),
        };
        self.minted.get_or_init(|| self.token.iter().map(mint).collect()).clone()
    }
}

impl Case {
    /// What a case has to say and this one does not.
    fn gaps<'c>(&'c self, topic: &Topic) -> impl Iterator<Item = &'static str> + use<'c> {
        let known = topic.config.contains_key(&self.config) || self.config.starts_with("profile:");
        let unexplained = self.only.as_ref().is_some_and(|only| only.because.is_empty());
        let gaps = [
            self.why.is_empty().then_some("does not say why"),
            (!known).then_some("names a configuration that the file does not have"),
            unexplained.then_some("does not say why some subjects cannot be asked"),
        ];
        gaps.into_iter().flatten().chain(self.expect.gaps())
    }

    /// Whether that subject can be asked.
    pub(crate) fn concerns(&self, subject: SubjectName) -> bool {
        self.only.as_ref().is_none_or(|only| only.subjects.contains(&subject))
    }
}

fn main_config() -> String {
    "main".to_owned()
}

fn once() -> usize {
    1
}

fn somewhere() -> String {
    "192.0.2.10".to_owned()
}

fn at_once() -> String {
    "now".to_owned()
}

/// Every topic, in the order of the file names.
pub(crate) fn topics() -> &'static [Topic] {
    static TOPICS: LazyLock<Vec<Topic>> = LazyLock::new(read_topics);
    &TOPICS
}

fn read_topics() -> Vec<Topic> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder("cases"))
        .expect("tests/cases can be read")
        .map(|entry| entry.expect("tests/cases can be listed").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    files.sort();
    files.iter().map(|path| topic(path)).collect()
}

fn topic(path: &Path) -> Topic {
    let text = fs::read_to_string(path).expect("a case file can be read");
    let mut topic: Topic = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    topic.name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
    topic
}

/// A folder of this package.
pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn every_case_is_complete() {
    let standards = super::coverage::standards();
    let mut seen = BTreeSet::new();
    let mut problems = Vec::new();
    for topic in topics() {
        let mut wrong = |name: &str, what: &str| problems.push(format!("{}/{name}: {what}", topic.name));
        for (name, covers) in topic.named() {
            if !seen.insert(name) {
                wrong(name, "the name is taken");
            }
            for id in covers.iter().filter(|id| !standards.contains_key(*id)) {
                wrong(name, &format!("covers {id}, which tests/standards.toml does not have"));
            }
            if !covers.first().is_some_and(|id| name.starts_with(&format!("{}_", id.to_lowercase()))) {
                wrong(name, "the name does not begin with the first id it covers");
            }
        }
        for case in &topic.cases {
            case.gaps(topic).for_each(|gap| wrong(&case.name, gap));
        }
        for mistake in &topic.mistakes {
            if mistake.why.is_empty() || !topic.config.contains_key(&mistake.config) {
                wrong(&mistake.name, "does not say why, or names a configuration that the file does not have");
            }
        }
    }
    let count: usize = topics().iter().map(|topic| topic.cases.len()).sum();
    assert!(count >= 250, "only {count} cases");
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}
