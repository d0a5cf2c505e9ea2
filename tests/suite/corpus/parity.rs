//! The two adapters answer alike: same status, same fields, same body, byte for byte.
//!
//! Only what must differ is masked: `date`, and request identifiers that are made up.

use super::answer::Answer;
use super::cases::{SubjectName, topics};
use super::run::{Run, each_run};

#[test]
fn both_adapters_answer_every_case_alike() {
    let topics = topics();
    let mut differences = Vec::new();
    let mut compared = 0;
    let problems = actix_web::rt::System::new().block_on(each_run(topics, async |run: Run<'_>| {
        if !run.case.concerns(SubjectName::Tower) || !run.case.concerns(SubjectName::Actix) {
            return;
        }
        compared += 1;
        let tower = run.ask(SubjectName::Tower).await.map(masked);
        let actix = run.ask(SubjectName::Actix).await.map(masked);
        if tower != actix {
            differences.push(format!("{}\n  tower: {tower:?}\n  actix: {actix:?}", run.place()));
        }
    }));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(differences.is_empty(), "{} of {compared} differ:\n{}", differences.len(), differences.join("\n"));
    assert!(compared >= 250, "only {compared} cases were compared");
}

#[test]
fn head_is_refused_like_get() {
    let topics = topics();
    let mut differences = Vec::new();
    let problems = actix_web::rt::System::new().block_on(each_run(topics, async |mut run: Run<'_>| {
        if run.sent.method != "GET" || !run.case.concerns(SubjectName::Core) {
            return;
        }
        let get = run.ask(SubjectName::Core).await.map(masked);
        "HEAD".clone_into(&mut run.sent.method);
        let head = run.ask(SubjectName::Core).await.map(masked);
        let (Ok(get), Ok(mut head)) = (get, head) else { return };
        if get.status >= 400 {
            let length = head.fields.iter().position(|(name, _)| name == "content-length");
            let length = length.map(|at| head.fields.remove(at).1);
            if length != Some(get.body.len().to_string()) || !head.body.is_empty() {
                differences.push(format!("{}: length {length:?}, body {:?}", run.place(), head.body));
            }
            head.body.clone_from(&get.body);
        }
        if get != head {
            differences.push(format!("{}\n  GET:  {get:?}\n  HEAD: {head:?}", run.place()));
        }
    }));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

/// The answer without what may differ from one request to the next.
fn masked(mut answer: Answer) -> Answer {
    answer.fields.retain(|(name, _)| name != "date");
    let made_up = answer.lines("x-request-id").into_iter().find(|id| is_made_up(id)).map(str::to_owned);
    if let Some(id) = made_up {
        let mask = "x".repeat(id.len());
        answer.fields.iter_mut().for_each(|(_, value)| *value = value.replace(&id, &mask));
        answer.body = String::from_utf8_lossy(&answer.body).replace(&id, &mask).into_bytes();
    }
    answer
}

/// `req_` and 128 random bits.
fn is_made_up(id: &str) -> bool {
    id.strip_prefix("req_").is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
