//! S14: no token, key or secret in any log line, `Debug` output, header or body, over the whole corpus.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tracing::Dispatch;
use tracing::subscriber::NoSubscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

use super::cases::{SubjectName, folder, topics};
use super::run::{Run, each_run};

/// Collects what is logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn take(&self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut *self.0.lock().unwrap())).into_owned()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[test]
fn s14_no_secret_is_seen_anywhere() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(lines.clone())
        .finish();
    let subscriber = Dispatch::new(subscriber);
    // While there is only one dispatcher, tracing asks a new event's own thread whether anybody listens, and remembers
    // the answer for all: a test of another thread would silence the events here. A second dispatcher makes it ask all.
    let _second = Dispatch::new(NoSubscriber::default());
    let standing = standing_secrets();
    let mut leaks = Vec::new();
    let mut silent = Vec::new();
    let problems = tracing::dispatcher::with_default(&subscriber, || {
        actix_web::rt::System::new().block_on(each_run(topics(), async |run: Run<'_>| {
            let mut seen = format!("{:?}", run.stage);
            for subject in [SubjectName::Core, SubjectName::Tower, SubjectName::Actix] {
                if !run.case.concerns(subject) {
                    continue;
                }
                drop(lines.take());
                let Ok(answer) = run.ask(subject).await else { continue };
                let logged = lines.take();
                if logged.matches("auth::decision").count() != run.decisions() {
                    silent.push(format!("{} on {subject:?}: {logged:?}", run.place()));
                }
                seen.push_str(&answer.text());
                seen.push_str(&logged);
            }
            let secrets = run.stage.materials.secrets().flat_map(fragments).chain(standing.iter().map(String::as_str));
            leaks.extend(leaked(&seen, secrets).map(|secret| format!("{}: {secret}", run.place())));
        }))
    });
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
    assert!(silent.is_empty(), "S15: not exactly one event per decision:\n{}", silent.join("\n"));
}

fn leaked<'s>(seen: &str, secrets: impl Iterator<Item = &'s str>) -> impl Iterator<Item = &'s str> {
    secrets.filter(move |secret| seen.contains(secret))
}

#[test]
fn a_leak_would_be_found() {
    let token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ";
    let key = "sk_live_abcdefghijklmnopqrstuvwxyz012345";
    let standing = standing_secrets();
    assert!(standing.len() > 30, "secrets and lines of private keys");
    for seen in
        [format!("token={token}"), format!("claims={}", &token[21..43]), format!("key={key}"), standing[0].clone()]
    {
        let secrets = fragments(token).chain(fragments(key)).chain(standing.iter().map(String::as_str));
        assert!(leaked(&seen, secrets).next().is_some(), "{seen}");
    }
    assert!(leaked("alg=ES256 key=sk_live_abcd…", fragments(token).chain(fragments(key))).next().is_none());
}

/// The parts of a credential that are secret: of a token its claims and its signature, of a key all behind the part
/// that may be shown.
fn fragments(credential: &str) -> impl Iterator<Item = &str> {
    let parts = credential.split('.').skip(1).filter(|part| part.len() >= 16);
    let key = (!credential.contains('.')).then(|| credential.get(16..)).flatten().filter(|rest| rest.len() >= 12);
    parts.chain(key)
}

/// The secrets of `tests/keys`, and the bodies of its private keys.
fn standing_secrets() -> Vec<String> {
    let mut secrets = Vec::new();
    for entry in std::fs::read_dir(folder("keys")).unwrap() {
        let path = entry.unwrap().path();
        let is_public = path.file_stem().is_some_and(|stem| Path::new(stem).extension().is_some());
        match path.extension().and_then(OsStr::to_str) {
            Some("secret") => secrets.push(std::fs::read_to_string(&path).unwrap().trim().to_owned()),
            Some("pem") if !is_public => {
                let text = std::fs::read_to_string(&path).unwrap();
                let lines = text.lines().filter(|line| line.len() >= 40 && !line.starts_with('-'));
                secrets.extend(lines.map(str::to_owned));
            }
            _ => {}
        }
    }
    secrets
}
