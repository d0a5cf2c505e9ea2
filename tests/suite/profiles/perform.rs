//! Telling stories to a gateway.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use gateway::profile::Profile;
use serde_json::Value;
use tempfile::TempDir;

use super::expand::Scene;
use super::forge;
use super::pattern::{compact, fits};
use super::story::{Book, Changes, Step, Story, book};
use crate::corpus::compare;
use crate::gateway::{Answer, BINARIES, Gateway, PATIENCE, command, profile_command, profile_tool, tool};

#[tokio::test]
async fn the_profile_alianza_serves_its_guide() {
    tell("alianza").await;
}

#[tokio::test]
async fn the_profile_marketing_serves_its_guide() {
    tell("marketing").await;
}

#[tokio::test]
async fn the_profile_musicgen_serves_its_guide() {
    tell("musicgen").await;
}

#[tokio::test]
async fn the_profile_vagaro_serves_its_guide() {
    tell("vagaro").await;
}

#[tokio::test]
async fn the_profile_vantage_serves_its_guide() {
    tell("vantage").await;
}

/// How long to wait before asking again.
const A_WHILE: Duration = Duration::from_millis(50);

/// Tells every story of a profile to both gateways, and compares what they answer.
async fn tell(profile: &str) {
    let book = book(profile);
    let mut problems = Vec::new();
    let mut heard = Vec::new();
    for binary in BINARIES {
        let mut stages: BTreeMap<Option<&String>, Stage> = BTreeMap::new();
        let mut answers = BTreeMap::new();
        for story in wanted(&book) {
            let of_its_own;
            let stage = if story.alone {
                of_its_own = Stage::open(binary, &book, story.config.as_ref()).await;
                &of_its_own
            } else {
                let config = story.config.as_ref();
                match stages.entry(config) {
                    Entry::Occupied(open) => open.into_mut(),
                    Entry::Vacant(place) => place.insert(Stage::open(binary, &book, config).await),
                }
            };
            match stage.perform(&book, story).await {
                Ok(shapes) => drop(answers.insert(&story.name, shapes)),
                Err(problem) => problems.push(format!("{binary}: {}: {problem}", story.name)),
            }
        }
        heard.push(answers);
    }
    assert!(problems.is_empty(), "{} stories went otherwise:\n\n{}", problems.len(), problems.join("\n\n"));
    for (name, shapes) in &heard[0] {
        assert_eq!(Some(shapes), heard[1].get(name), "{name}: the gateways differ");
    }
}

/// The stories; those alone whose names hold the text in `STORY`, where that is set.
fn wanted(book: &Book) -> impl Iterator<Item = &Story> {
    let only = std::env::var("STORY").unwrap_or_default();
    book.stories.iter().filter(move |story| story.name.contains(&only))
}

/// A gateway that was started for stories.
pub(super) struct Stage {
    pub(super) gateway: Gateway,
    pub(super) demo: Value,
    profile: String,
    is_as_it_comes: bool,
}

impl Stage {
    async fn open(binary: &'static str, book: &Book, config: Option<&String>) -> Self {
        let changes = config.map(|name| &book.config[name]);
        Self::start(binary, &book.profile, changes).await
    }

    /// Starts a profile, as it comes or with changes.
    pub(super) async fn start(binary: &'static str, profile: &str, changes: Option<&Changes>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self::start_in(binary, profile, changes, dir).await
    }

    /// The same where files may be already.
    pub(super) async fn start_in(binary: &'static str, profile: &str, changes: Option<&Changes>, dir: TempDir) -> Self {
        let mut command = match changes {
            Some(changes) => command(binary, &changed(profile, changes), dir.path()),
            None => profile_command(binary, dir.path(), profile),
        };
        // nobody reads what is logged, and a full pipe would hold the gateway up
        command.env("RUST_LOG", "error");
        let gateway = Gateway::spawn(binary, command, dir).await;
        let demo = std::fs::read(gateway.dir.path().join("data/demo.json")).unwrap();
        let demo = serde_json::from_slice(&demo).unwrap();
        Self { gateway, demo, profile: profile.to_owned(), is_as_it_comes: changes.is_none() }
    }

    /// Tells a story; what comes of each step, as far as it is the same every time.
    async fn perform(&self, book: &Book, story: &Story) -> Result<Vec<String>, String> {
        let mut scene = Scene {
            demo: &self.demo,
            forgeries: &book.token,
            host: self.gateway.address.to_string(),
            step: forge::now() / 30,
            kept: BTreeMap::new(),
        };
        let mut shapes = Vec::new();
        for (index, step) in story.steps.iter().enumerate() {
            for _ in 0..step.times {
                let took_place = match &step.command {
                    Some(words) => self.run(words, &mut scene),
                    None => self.ask(step, &mut scene).await,
                };
                let shape = took_place.map_err(|problem| {
                    let asked = step.request.as_ref().or(step.command.as_ref()).unwrap();
                    format!("step {} ({asked}): {problem}", index + 1)
                })?;
                shapes.push(shape);
            }
        }
        Ok(shapes)
    }

    /// Runs the gateway's command line; what it prints is kept as `printed`.
    fn run(&self, words: &str, scene: &mut Scene<'_>) -> Result<String, String> {
        let words = scene.expand(words);
        let words: Vec<&str> = words.split(' ').collect();
        let dir = self.gateway.dir.path();
        let mut command = if self.is_as_it_comes {
            profile_tool(self.gateway.binary, dir, &words, &self.profile)
        } else {
            tool(self.gateway.binary, dir, &words)
        };
        let output = command.output().unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let printed = String::from_utf8(output.stdout).unwrap();
        for (place, line) in printed.lines().enumerate() {
            scene.kept.insert(format!("printed.{place}"), line.to_owned());
        }
        scene.kept.insert("printed".to_owned(), printed.trim().to_owned());
        Ok(words[0].to_owned())
    }

    async fn ask(&self, step: &Step, scene: &mut Scene<'_>) -> Result<String, String> {
        let request = written(step, scene);
        let begun = Instant::now();
        loop {
            let answer = self.exchange(&request).await;
            match judged(step, scene, &answer) {
                Ok(kept) => {
                    scene.kept.extend(kept);
                    return Ok(shape(&answer));
                }
                // what comes with time has to be asked for again and again: nothing tells that it has come
                Err(_) if step.until && begun.elapsed() < PATIENCE => tokio::time::sleep(A_WHILE).await,
                Err(problem) => {
                    return Err(format!("{problem}\n     all: {} {:?} {}", answer.line, answer.fields, answer.text()));
                }
            }
        }
    }

    /// Sends a request on a connection of its own.
    pub(super) async fn exchange(&self, request: &[u8]) -> Answer {
        let mut connection = self.gateway.connect().await;
        connection.send(request).await;
        let method = request.split(|byte| *byte == b' ').next().unwrap();
        connection.answer_to(std::str::from_utf8(method).unwrap()).await
    }
}

/// The profile's text with some passages replaced.
pub(super) fn changed(profile: &str, changes: &Changes) -> String {
    let mut text = Profile::named(profile).unwrap().text.to_owned();
    for (from, to) in &changes.replace {
        assert_eq!(text.matches(from).count(), 1, "{profile} does not say {from:?} once");
        text = text.replace(from, to);
    }
    text.replace("{keys}", crate::corpus::folder("keys").to_str().unwrap())
}

/// The request of a step, as it goes on the wire.
fn written(step: &Step, scene: &Scene<'_>) -> Vec<u8> {
    let target = scene.expand(step.request.as_ref().unwrap());
    let mut request = format!("{target} HTTP/1.1\r\nhost: {}\r\n", scene.host);
    for (name, value) in &step.headers {
        let _ = write!(request, "{name}: {}\r\n", scene.expand(value));
    }
    let content = step.json.as_ref().or(step.content.as_ref()).map(|content| scene.expand(content));
    if step.json.is_some() {
        request += "content-type: application/json\r\n";
    }
    if let Some(content) = &content {
        let _ = write!(request, "content-length: {}\r\n", content.len());
    }
    format!("{request}\r\n{}", content.unwrap_or_default()).into_bytes()
}

/// What an answer has that was to be kept, where it is the one that had to come.
fn judged(step: &Step, scene: &Scene<'_>, answer: &Answer) -> Result<BTreeMap<String, String>, String> {
    if answer.status() != step.status {
        return Err(format!("expected {}", step.status));
    }
    let mut kept = BTreeMap::new();
    for (name, expected) in &step.fields {
        let lines: Vec<&str> =
            answer.fields.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str()).collect();
        if lines.len() != expected.all().len() {
            return Err(format!("{name}: expected {:?}, got {lines:?}", expected.all()));
        }
        for (expected, line) in expected.all().iter().zip(lines) {
            kept.extend(fits(&scene.expand(expected), line).map_err(|problem| format!("{name}: {problem}"))?);
        }
    }
    let text = answer.text();
    if let Some(body) = &step.body {
        kept.extend(fits(&scene.expand(&compact(body)), &text).map_err(|problem| format!("body: {problem}"))?);
    }
    if let Some(members) = &step.members {
        let mut found = Vec::new();
        compare("body", &scene.expand_all(members), Some(&answer.json()), &mut found);
        if !found.is_empty() {
            return Err(found.join("\n"));
        }
    }
    for (name, path) in &step.keep {
        let json = answer.json();
        let found = json.pointer(&format!("/{}", path.replace('.', "/")));
        let found = found.ok_or_else(|| format!("there is no {path}"))?;
        kept.insert(name.clone(), found.as_str().map_or_else(|| found.to_string(), str::to_owned));
    }
    Ok(kept)
}

/// What of an answer both gateways have alike: its status, and its fields but for those of the connection.
fn shape(answer: &Answer) -> String {
    let of_the_answer = |name: &&str| !matches!(*name, "date" | "connection" | "transfer-encoding" | "keep-alive");
    let mut names: Vec<&str> = answer.fields.iter().map(|(name, _)| name.as_str()).filter(of_the_answer).collect();
    names.sort_unstable();
    format!("{} {}", answer.status(), names.join(" "))
}
