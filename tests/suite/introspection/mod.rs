//! Opaque tokens of other authorization servers, by asking them: the verifier with a clock that stands still, and both
//! gateways with servers of several kinds.

mod at_once;
mod failing_servers;
mod own_gateway;
mod real_provider;
mod reload;
mod remembered;

use std::sync::Arc;

use auth_core::credential::Source;
use auth_core::gate::{Decision, Gate, GateBuilder};
use auth_core::policy::{Policy, permission};
use auth_core::verify::CacheSize;
use auth_core::verify::introspection::{IntrospectionServer, IntrospectionVerifier};
use auth_core::{Clock, Outcome, RequestHead, Secret, SimulatedClock};
use serde_json::{Value, json};

use crate::stand_in::AuthorizationServer;

const ISSUER: &str = "https://as.example";
const START: i64 = 1_900_000_000;

fn settings() -> IntrospectionServer {
    IntrospectionServer::new(ISSUER, ["api"], "https://as.example/introspect", "rs", Secret::from("a secret"))
        .remembering(CacheSize::entries(32))
}

fn verifier(settings: IntrospectionServer, server: &AuthorizationServer) -> IntrospectionVerifier {
    IntrospectionVerifier::new(settings, Arc::new(server.clone())).unwrap()
}

/// An answer that is believed, with these members besides.
fn active(more: &Value) -> Value {
    let mut answer = json!({ "active": true, "sub": "ada", "aud": "api", "token_type": "Bearer", "scope": "read" });
    let (Value::Object(all), Value::Object(more)) = (&mut answer, more) else { panic!("an answer is an object") };
    all.extend(more.clone());
    answer
}

fn inactive() -> Value {
    json!({ "active": false })
}

fn builder(verifier: IntrospectionVerifier, clock: &Arc<SimulatedClock>) -> GateBuilder {
    let policy = Policy::new().get("/read", permission("read")).get("/write", permission("write"));
    Gate::builder().accept(Source::bearer(), verifier).policy(policy).clock(Simulated(Arc::clone(clock)))
}

struct Simulated(Arc<SimulatedClock>);

impl Clock for Simulated {
    fn now(&self) -> auth_core::Now {
        self.0.now()
    }
}

/// What is decided on a request with this token: the status, and the exact cause of a refusal.
async fn decided(gate: &Gate, path: &str, token: &str) -> (u16, &'static str) {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let outcome = gate.decide(&RequestHead::new("GET", path, &headers), gate.now());
    let decision = match outcome {
        Outcome::Done(decision) => decision,
        Outcome::Wait(pending) => pending.await,
    };
    match decision {
        Decision::Admit(_) => (200, ""),
        Decision::Refuse(refusal) => (refusal.reply.status, refusal.rejection.cause()),
    }
}

/// The same where nothing has to be waited for beyond the stand-in.
fn decide(gate: &Gate, path: &str, token: &str) -> (u16, &'static str) {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(decided(gate, path, token))
}
