//! Verifiers for tests of what lies around verification: they take a caller's word for it, count, and wait on demand.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use auth_core::verify::{Verified, Verifier};
use auth_core::{CredentialFault, Identity, Method, Names, Now, Outcome, Rejection};
use tokio::sync::Semaphore;

/// Believes `subject+permission+permission`; a subject that begins with `bad` is refused.
#[derive(Clone, Debug, Default)]
pub(crate) struct Credulous {
    asked: Arc<AtomicUsize>,
}

impl Credulous {
    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Verifier for Credulous {
    fn recognises(&self, _: &str) -> bool {
        true
    }

    fn verify(&self, text: &str, _: Now) -> Outcome<Verified> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Outcome::Done(believe(text))
    }
}

/// Believes the same, once told to answer.
#[derive(Clone, Debug)]
pub(crate) struct Hesitant {
    open: Arc<AtomicUsize>,
    answers: Arc<Semaphore>,
}

impl Hesitant {
    pub(crate) fn new() -> Self {
        Self { open: Arc::default(), answers: Arc::new(Semaphore::new(0)) }
    }

    /// Lets one question be answered.
    pub(crate) fn answer_one(&self) {
        self.answers.add_permits(1);
    }

    /// How many questions somebody still waits for.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

impl Verifier for Hesitant {
    fn recognises(&self, _: &str) -> bool {
        true
    }

    fn verify(&self, text: &str, _: Now) -> Outcome<Verified> {
        self.open.fetch_add(1, Ordering::SeqCst);
        let (text, answers, question) = (text.to_owned(), Arc::clone(&self.answers), Question(Arc::clone(&self.open)));
        Outcome::Wait(Box::pin(async move {
            let _question = question;
            answers.acquire().await.expect("the semaphore is never closed").forget();
            believe(&text)
        }))
    }
}

/// Counts itself out when its future is dropped, whether that came to an end or not.
struct Question(Arc<AtomicUsize>);

impl Drop for Question {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn believe(text: &str) -> Verified {
    let mut parts = text.split('+');
    let subject = parts.next().unwrap_or_default();
    if subject.starts_with("bad") {
        return Err(Rejection::InvalidCredential(CredentialFault::Unknown));
    }
    let mut identity = Identity::new(Method::Custom("stand_in"), "https://issuer.example", subject);
    identity.permissions = parts.collect::<Names>();
    Ok(Arc::new(identity))
}
