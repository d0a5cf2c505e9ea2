//! Runs every case against every subject.

use std::collections::BTreeMap;

use super::answer::{Answer, Sent};
use super::cases::{Case, Earlier, SubjectName, Topic, topics};
use super::expand::Materials;
use super::invariants;
use super::stage::{Stage, problems_of};
use super::subjects::ask;

/// One case, ready to be asked.
pub(crate) struct Run<'a> {
    pub(crate) topic: &'a Topic,
    pub(crate) case: &'a Case,
    pub(crate) stage: &'a Stage,
    pub(crate) sent: Sent,
    earlier: Vec<Before<'a>>,
}

/// What came before.
struct Before<'a> {
    at: &'a str,
    times: usize,
    sent: Sent,
}

impl Run<'_> {
    /// Asks one subject, at the time of the case, after what came before.
    pub(crate) async fn ask(&self, subject: SubjectName) -> Result<Answer, String> {
        self.stage.begin();
        for Before { at, times, sent } in &self.earlier {
            self.stage.stand_at(at)?;
            for _ in 0..*times {
                ask(subject, &self.stage.gate, sent).await?;
            }
        }
        self.stage.stand_at(&self.case.at)?;
        ask(subject, &self.stage.gate, &self.sent).await
    }

    /// How many decisions it takes.
    pub(crate) fn decisions(&self) -> usize {
        self.earlier.iter().map(|before| before.times).sum::<usize>() + 1
    }

    pub(crate) fn place(&self) -> String {
        format!("{}/{}", self.topic.name, self.case.name)
    }
}

/// Prepares every case and hands it to `visit`; answers what could not be prepared.
pub(crate) async fn each_run(topics: &[Topic], mut visit: impl AsyncFnMut(Run<'_>)) -> Vec<String> {
    let mut problems = Vec::new();
    for topic in topics {
        let mut stages: BTreeMap<&str, Option<Stage>> = BTreeMap::new();
        for case in &topic.cases {
            let stage = stages.entry(&case.config).or_insert_with(|| {
                let stage = Stage::new(topic, &case.config);
                stage.map_err(|why| problems.push(format!("{}: configuration {}: {why}", topic.name, case.config))).ok()
            });
            let Some(stage) = stage else { continue };
            let requests = sent(Wanted::of(case), &stage.materials).and_then(|sent| Ok((sent, earlier(case, stage)?)));
            match requests {
                Ok((sent, earlier)) => visit(Run { topic, case, stage, sent, earlier }).await,
                Err(why) => problems.push(format!("{}/{}: {why}", topic.name, case.name)),
            }
        }
    }
    problems
}

/// A request as it is written.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    request: &'a str,
    headers: &'a [(String, String)],
    peer: &'a str,
}

impl<'a> Wanted<'a> {
    fn of(case: &'a Case) -> Self {
        Self { request: &case.request, headers: &case.headers, peer: &case.peer }
    }
}

fn earlier<'a>(case: &'a Case, stage: &Stage) -> Result<Vec<Before<'a>>, String> {
    let before = |earlier: &'a Earlier| {
        let wanted = Wanted {
            request: earlier.request.as_deref().unwrap_or(&case.request),
            headers: earlier.headers.as_deref().unwrap_or(&case.headers),
            peer: earlier.peer.as_deref().unwrap_or(&case.peer),
        };
        Ok(Before { at: &earlier.at, times: earlier.times, sent: sent(wanted, &stage.materials)? })
    };
    case.earlier.iter().map(before).collect()
}

fn sent(case: Wanted<'_>, materials: &Materials) -> Result<Sent, String> {
    let (method, target) = case.request.split_once(' ').ok_or("the request is no method and target")?;
    let target = String::from_utf8(materials.expand(target)?).map_err(|_| "the target is not text")?;
    let headers = case.headers.iter().map(|(name, value)| Ok((name.clone(), materials.expand(value)?)));
    let peer = match case.peer {
        "none" => None,
        address => Some(address.parse().map_err(|_| format!("{address} is no address"))?),
    };
    Ok(Sent { method: method.to_owned(), target, headers: headers.collect::<Result<_, String>>()?, peer })
}

fn run_against(subject: SubjectName) {
    let topics = topics();
    let mut failures = Vec::new();
    let mut count = 0;
    let problems = actix_web::rt::System::new().block_on(each_run(topics, async |run: Run<'_>| {
        if !run.case.concerns(subject) {
            return;
        }
        count += 1;
        let found = match run.ask(subject).await {
            Ok(answer) => {
                let mut found = run.case.expect.differences(&answer);
                found.extend(invariants::broken(&run.sent, &answer));
                found
            }
            Err(why) => vec![why],
        };
        if !found.is_empty() {
            let lines: Vec<String> = found.iter().map(|line| format!("\n    {line}")).collect();
            failures.push(format!("{}\n    why: {}{}", run.place(), run.case.why, lines.concat()));
        }
    }));
    failures.extend(problems);
    assert!(failures.is_empty(), "{} of {count} cases fail on {subject:?}:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn core_answers_every_case() {
    run_against(SubjectName::Core);
}

#[test]
fn tower_answers_every_case() {
    run_against(SubjectName::Tower);
}

#[test]
fn actix_answers_every_case() {
    run_against(SubjectName::Actix);
}

#[test]
fn mistaken_configurations_are_refused() {
    let mut failures = Vec::new();
    for topic in topics() {
        for mistake in &topic.mistakes {
            let problems = topic.config.get(&mistake.config).map_or_else(String::new, |text| problems_of(text));
            if !problems.contains(&mistake.says) {
                let why = &mistake.why;
                failures.push(format!("{}/{}\n    why: {why}\n    got: {problems:?}", topic.name, mistake.name));
            }
        }
    }
    assert!(failures.is_empty(), "{} fail:\n{}", failures.len(), failures.join("\n"));
}
