//! Verifiers for tests of what lies around verification: they take a caller's word for it, count, and wait on demand. And an
//! authorization server that answers what it is told to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use auth_core::fetch::{Fetch, FetchError, FetchRequest, Fetched};
use auth_core::verify::{Verified, Verifier};
use auth_core::{CredentialFault, Identity, Method, Names, Now, Outcome, Pending, Rejection, Secret};
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

/// An authorization server: what it says of a token is for the test to tell, and so is when it answers.
#[derive(Clone)]
pub(crate) struct AuthorizationServer(Arc<Answers>);

struct Answers {
    asked: AtomicUsize,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
    seen: Mutex<Vec<String>>,
    answer: Mutex<Result<String, FetchError>>,
    permits: Semaphore,
}

impl AuthorizationServer {
    /// One that answers this to everything, at once.
    pub(crate) fn new(answer: &serde_json::Value) -> Self {
        let server = Self::hesitant(answer);
        server.0.permits.add_permits(Semaphore::MAX_PERMITS);
        server
    }

    /// One that answers this once told to.
    pub(crate) fn hesitant(answer: &serde_json::Value) -> Self {
        Self(Arc::new(Answers {
            asked: AtomicUsize::new(0),
            under_way: AtomicUsize::new(0),
            most_under_way: AtomicUsize::new(0),
            seen: Mutex::default(),
            answer: Mutex::new(Ok(answer.to_string())),
            permits: Semaphore::new(0),
        }))
    }

    /// What it answers from now on.
    pub(crate) fn says(&self, answer: &serde_json::Value) {
        *self.0.answer.lock().unwrap() = Ok(answer.to_string());
    }

    /// What becomes of requests to it from now on.
    pub(crate) fn fails(&self, error: FetchError) {
        *self.0.answer.lock().unwrap() = Err(error);
    }

    /// Lets one question be answered.
    pub(crate) fn answer_one(&self) {
        self.0.permits.add_permits(1);
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }

    /// How many questions somebody still waits for.
    pub(crate) fn under_way(&self) -> usize {
        self.0.under_way.load(Ordering::SeqCst)
    }

    /// How many questions were under way at the same time.
    pub(crate) fn most_under_way(&self) -> usize {
        self.0.most_under_way.load(Ordering::SeqCst)
    }

    /// What was posted, in order.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.0.seen.lock().unwrap().clone()
    }
}

impl Fetch for AuthorizationServer {
    fn fetch(&self, request: FetchRequest) -> Pending<Result<Fetched, FetchError>> {
        let server = Arc::clone(&self.0);
        let form = request.form.as_ref().and_then(Secret::expose_text).expect("a form").to_owned();
        server.seen.lock().unwrap().push(form);
        server.asked.fetch_add(1, Ordering::SeqCst);
        let now = server.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        server.most_under_way.fetch_max(now, Ordering::SeqCst);
        let question = Asked(Arc::clone(&server));
        Box::pin(async move {
            let _question = question;
            server.permits.acquire().await.expect("the semaphore is never closed").forget();
            let answer = server.answer.lock().unwrap().clone()?;
            Ok(Fetched::new(200, answer.into_bytes()).content_type("application/json"))
        })
    }
}

/// Counts itself out when its future is dropped.
struct Asked(Arc<Answers>);

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
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
