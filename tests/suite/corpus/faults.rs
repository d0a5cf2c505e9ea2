//! Verifiers that fail: what a configuration cannot make, shown through both adapters.

use auth_core::credential::Source;
use auth_core::gate::Gate;
use auth_core::policy::{Policy, authenticated, optional};
use auth_core::verify::{Verified, Verifier};
use auth_core::{Identity, Method, Now, Outage, Outcome, Rejection};
use serde_json::json;

use super::answer::{Answer, Sent};
use super::cases::SubjectName;
use super::invariants;
use super::subjects::ask;

const SUBJECTS: [SubjectName; 3] = [SubjectName::Core, SubjectName::Tower, SubjectName::Actix];

/// Fails in the way that the credential names.
struct Failing;

impl Verifier for Failing {
    fn recognises(&self, _: &str) -> bool {
        true
    }

    fn verify(&self, text: &str, _: Now) -> Outcome<Verified> {
        let outage = || Rejection::Unavailable(Outage::new("the key server at 10.0.0.9 is down"));
        match text {
            "panic" => panic!("a verifier panics on purpose"),
            "out" => Outcome::Done(Err(outage())),
            "wait-panic" => Outcome::Wait(Box::pin(async { panic!("a verifier panics on purpose, later") })),
            "wait-out" => Outcome::Wait(Box::pin(async move {
                tokio::task::yield_now().await;
                Err(outage())
            })),
            "wait" => Outcome::Wait(Box::pin(async {
                tokio::task::yield_now().await;
                Ok(Identity::new(Method::Custom("slow"), "us", "alice").into())
            })),
            _ => Outcome::Done(Ok(Identity::new(Method::Custom("fast"), "us", "alice").into())),
        }
    }
}

fn answers(path: &str, credential: &str) -> Vec<Answer> {
    let gate = Gate::builder()
        .accept(Source::Authorization { scheme: "Bearer".into() }, Failing)
        .policy(Policy::new().any("/me", authenticated()).any("/maybe", optional()))
        .build()
        .unwrap();
    let sent = Sent {
        method: "GET".to_owned(),
        target: path.to_owned(),
        headers: vec![("authorization".to_owned(), format!("Bearer {credential}").into_bytes())],
        peer: None,
    };
    actix_web::rt::System::new().block_on(async {
        let mut answers = Vec::new();
        for subject in SUBJECTS {
            let answer = ask(subject, &gate, &sent).await.unwrap();
            assert_eq!(invariants::broken(&sent, &answer), [] as [String; 0], "{credential} on {subject:?}");
            answers.push(answer);
        }
        answers
    })
}

#[test]
fn j37_a_verifier_that_panics_refuses() {
    for credential in ["panic", "wait-panic"] {
        for path in ["/me", "/maybe"] {
            for answer in answers(path, credential) {
                assert_eq!((answer.status, answer.caller.as_ref()), (503, None), "{credential}: {}", answer.text());
                assert!(!answer.text().contains("panic"), "S17: {}", answer.text());
            }
        }
    }
}

#[test]
fn stat6_what_cannot_be_decided_is_503_with_retry_after() {
    for credential in ["out", "wait-out"] {
        for answer in answers("/me", credential) {
            assert_eq!(answer.status, 503);
            assert_eq!(answer.lines("retry-after"), ["5"]);
            assert_eq!(answer.lines("www-authenticate"), [] as [&str; 0], "no credential would help");
            assert!(!answer.text().contains("10.0.0.9"), "S17: {}", answer.text());
        }
    }
}

#[test]
fn stat6_an_outage_is_no_anonymous_caller() {
    for answer in answers("/maybe", "out") {
        assert_eq!(answer.status, 503);
    }
}

#[test]
fn decisions_that_wait_come_to_the_same() {
    for (credential, method) in [("wait", "slow"), ("done", "fast")] {
        for answer in answers("/me", credential) {
            assert_eq!(answer.status, 200);
            assert_eq!(answer.caller.unwrap()["method"], json!(method));
        }
    }
}
