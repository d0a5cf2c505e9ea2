//! Who is told of a credential before it is looked at.

use std::sync::Mutex;

use super::*;
use crate::Secret;
use crate::api_key::{KeyFormat, KeyHasher, Peppers};
use crate::store::MemoryKeyStore;
use crate::verify::{ApiKeyVerifier, CacheSize};

/// Takes everything, and writes down what it is told and asked, in turn.
struct Told {
    wants: bool,
    seen: Mutex<Vec<String>>,
}

impl Told {
    fn new(wants: bool) -> Arc<Self> {
        Arc::new(Self { wants, seen: Mutex::default() })
    }

    fn note(&self, what: &str, bytes: &[u8]) {
        self.seen.lock().unwrap().push(format!("{what} {}", String::from_utf8_lossy(bytes)));
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

impl Verifier for Told {
    fn recognises(&self, _: &str) -> bool {
        true
    }

    fn verify(&self, text: &str, _: Now) -> Outcome<Verified> {
        self.note("asked of", text.as_bytes());
        Outcome::Done(Ok(Arc::new(Identity::new(Method::Custom("told"), "issuer", "somebody"))))
    }

    fn fetches_ahead(&self) -> bool {
        self.wants
    }

    fn fetch_ahead(&self, value: &[u8]) {
        self.note("told of", value);
        assert!(!value.ends_with(b"panic"), "as the test wants");
    }
}

fn gate(entrances: impl IntoIterator<Item = (Source, Arc<Told>)>) -> Gate {
    let builder = Gate::builder().policy(Policy::new().get("/read", authenticated()));
    let accept = |builder: GateBuilder, (source, verifier): (_, Arc<Told>)| builder.accept_shared(source, verifier);
    entrances.into_iter().fold(builder, accept).build().unwrap()
}

#[test]
fn the_first_verifier_of_a_field_is_told_of_it_first() {
    let [bearer, second, key, cookie] = [true; 4].map(Told::new);
    let gate = gate([
        (Source::bearer(), bearer.clone()),
        (Source::bearer(), second.clone()),
        (Source::header("x-api-key"), key.clone()),
        (Source::cookie("sid"), cookie.clone()),
    ]);
    assert_eq!(status(&decide(&gate, "/read", &[("authorization", "Bearer one")])), 200);
    assert_eq!(bearer.take(), ["told of Bearer one", "asked of one"]);
    assert_eq!(status(&decide(&gate, "/read", &[("x-api-key", "two")])), 200);
    assert_eq!(key.take(), ["told of two", "asked of two"]);
    assert_eq!(status(&decide(&gate, "/read", &[("cookie", "sid=three"), ("host", "a")])), 200);
    assert_eq!(cookie.take(), ["asked of three"]);
    assert!(bearer.take().is_empty() && second.take().is_empty() && key.take().is_empty());
}

/// Also where nobody looks at the credential, and never of two.
#[test]
fn what_decides_on_the_route_comes_later() {
    let told = Told::new(true);
    let policy = Policy::new().get("/public", public());
    let gate = Gate::builder().accept_shared(Source::header("X-API-Key"), told.clone()).policy(policy).build().unwrap();
    assert_eq!(status(&decide(&gate, "/public", &[("x-api-key", "one")])), 200);
    assert_eq!(status(&decide(&gate, "/nowhere", &[("x-api-key", "two")])), 403);
    assert_eq!(told.take(), ["told of one", "told of two", "asked of two"]);
    assert_eq!(status(&decide(&gate, "/nowhere", &[("x-api-key", "one"), ("x-api-key", "one")])), 400);
    assert!(told.take().is_empty());
    let next = Told::new(true);
    gate.replace(Gate::builder().accept_shared(Source::header("x-api-key"), next.clone())).unwrap();
    assert_eq!(status(&decide(&gate, "/nowhere", &[("x-api-key", "three")])), 403);
    assert!(told.take().is_empty());
    assert_eq!(next.take(), ["told of three", "asked of three"]);
}

#[test]
fn who_gains_nothing_by_it_is_not_told() {
    let told = Told::new(false);
    let gate = gate([(Source::bearer(), told.clone())]);
    assert_eq!(status(&decide(&gate, "/read", &[("authorization", "Bearer one")])), 200);
    assert_eq!(told.take(), ["asked of one"]);
}

#[test]
fn verifiers_of_keys_want_to_be_told_where_they_remember_very_many() {
    let pepper = KeyHasher::new("2031-a", &Secret::new(vec![7; 32])).unwrap();
    let format = KeyFormat::new("sk", ["live"]).unwrap();
    let keys = ApiKeyVerifier::new(format, Peppers::new(pepper), Arc::new(MemoryKeyStore::new()));
    assert!(!keys.fetches_ahead());
    assert!(!keys.clone().remembering(CacheSize::default()).fetches_ahead());
    assert!(keys.remembering(CacheSize::entries(100_000)).fetches_ahead());
}

#[test]
fn being_told_decides_nothing() {
    let told = Told::new(true);
    let gate = gate([(Source::bearer(), told.clone())]);
    for (headers, expected) in [
        (&[("authorization", "Bearer panic")][..], "admitted"),
        (&[("authorization", "Basic panic")], "missing_token"),
        (&[("authorization", "Bearer one"), ("authorization", "Bearer one")], "repeated_field"),
        (&[("authorization", "")], "missing_token"),
    ] {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
        let head = RequestHead::new("GET", "/read", &headers);
        assert_eq!(cause(&finish(gate.decide(&head, gate.now()))), expected, "{headers:?}");
    }
    told.take();
    // who is known already is not looked up
    let one = [("authorization", "Bearer one")];
    let Decision::Admit(Admission { caller: Caller::Principal(known), .. }) = decide(&gate, "/read", &one) else {
        panic!("refused");
    };
    told.take();
    let head = RequestHead { known: Some(&known), ..RequestHead::new("GET", "/read", &one) };
    assert_eq!(status(&finish(gate.decide(&head, gate.now()))), 200);
    assert!(told.take().is_empty());
}
