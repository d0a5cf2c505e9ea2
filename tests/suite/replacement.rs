//! A gate that is replaced while it serves: every request goes by one configuration, whole.
//!
//! The two configurations differ in everything that a decision touches — whom the verifier sees, what they hold, what
//! the table and the layers ask for, how refusals read — such that each agrees with itself, and no mixture of the two
//! admits anybody.

use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::dev::Service as _;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, HttpResponse, web};
use auth_actix::Auth;
use auth_core::credential::Source;
use auth_core::gate::{Caller, Decision, Gate, GateBuilder};
use auth_core::policy::{PermissionModel, Policy, permission};
use auth_core::reply::{ErrorStyle, Shape};
use auth_core::verify::{Verified, Verifier};
use auth_core::{Identity, Method, Names, Now, Outcome, Principal, RequestHead};
use auth_tower::{AuthLayer, Authenticated};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::middleware::{Next, from_fn};
use axum::routing::get;
use http::Request;
use tower::ServiceExt as _;

/// Sees everybody as the caller of its configuration; `slow` has to be waited for.
struct Seer(&'static str);

impl Verifier for Seer {
    fn recognises(&self, _: &str) -> bool {
        true
    }

    fn verify(&self, text: &str, _: Now) -> Outcome<Verified> {
        let mut identity = Identity::new(Method::Custom("seen"), "issuer", self.0);
        identity.permissions = Names::from_scope(self.0);
        let verified = Ok(identity.into());
        match text {
            "slow" => Outcome::Wait(Box::pin(async {
                tokio::task::yield_now().await;
                verified
            })),
            _ => Outcome::Done(verified),
        }
    }
}

const NAMES: [&str; 2] = ["one", "two"];

fn configuration(name: &'static str) -> GateBuilder {
    let policy = Policy::new().get("/open", permission(name)).get("/closed", permission(format!("not-{name}")));
    Gate::builder()
        .accept(Source::bearer(), Seer(name))
        .policy(policy)
        .permissions(PermissionModel::default().implies(name, ["inner"]))
        .errors(ErrorStyle::new(Shape::Problem).realm(name).unwrap())
}

/// Panics unless the challenge is of one configuration throughout.
fn assert_whole(challenge: &str) {
    let of = |what: &str| NAMES.map(|name| challenge.contains(&what.replace("NAME", name)));
    let realm = of("realm=\"NAME\"");
    assert!(realm.contains(&true) && realm == of("scope=\"not-NAME\""), "{challenge}");
}

fn ask(gate: &Gate, path: &str, token: &str, known: Option<&Principal>) -> Decision {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let head = RequestHead { known, ..RequestHead::new("GET", path, &headers) };
    match gate.decide(&head, gate.now()) {
        Outcome::Done(decision) => decision,
        Outcome::Wait(pending) => tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(pending),
    }
}

/// One request through a table and a layer inside of it; answers whom it saw.
fn through_both(gate: &Gate, layer: &Gate, token: &str) -> String {
    let Decision::Admit(admission) = ask(gate, "/open", token, None) else { panic!("a mixture was refused") };
    let Caller::Principal(caller) = admission.caller else { panic!("nobody in particular") };
    let Decision::Admit(inner) = ask(layer, "/open", token, Some(&caller)) else {
        panic!("a layer went by another configuration than its request")
    };
    assert_eq!(inner.caller.principal().unwrap().subject, caller.subject);
    assert!(caller.has_permission("inner"));
    caller.subject.to_string()
}

#[test]
fn s11_no_request_sees_a_mixture() {
    let gate = configuration("one").build().unwrap();
    let layer = gate.requiring(permission("inner")).unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asking = |token: &'static str| {
            let (gate, layer, is_over) = (gate.clone(), layer.clone(), &is_over);
            scope.spawn(move || {
                let mut seen = [0_u64; 2];
                // by both at least, so that there was something to mix up
                while !is_over.load(Ordering::Relaxed) || seen.contains(&0) {
                    let whom = through_both(&gate, &layer, token);
                    seen[NAMES.iter().position(|name| *name == whom).unwrap()] += 1;
                    let Decision::Refuse(refusal) = ask(&gate, "/closed", token, None) else { panic!("admitted") };
                    assert_whole(refusal.reply.field("www-authenticate").unwrap());
                }
            })
        };
        let threads = [asking("quick"), asking("quick"), asking("slow")];
        let mut turn = 0;
        while !threads.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            turn += 1;
            gate.replace(configuration(NAMES[turn % 2])).unwrap();
            if turn == 2_000 {
                is_over.store(true, Ordering::Relaxed);
            }
        }
    });
}

/// What happens between the outer and the inner layer of a request: the gate is replaced by the other configuration.
fn replace(gate: &Gate, seen: &str) {
    let other = NAMES.into_iter().find(|name| *name != seen).unwrap();
    gate.replace(configuration(other)).unwrap();
}

#[tokio::test]
async fn a_layer_of_tower_goes_by_what_its_request_began_with() {
    let gate = configuration("one").build().unwrap();
    let inner = AuthLayer::new(gate.requiring(permission("inner")).unwrap());
    let replaced = gate.clone();
    let app = Router::new()
        .route("/open", get(async |Authenticated(caller): Authenticated| caller.subject.to_string()))
        .layer(inner)
        .layer(from_fn(move |request: axum::extract::Request, next: Next| {
            replace(&replaced, &request.extensions().get::<Principal>().unwrap().subject);
            next.run(request)
        }))
        .layer(AuthLayer::new(gate));
    for expected in ["one", "two", "one"] {
        let request = Request::get("/open").header("authorization", "Bearer slow").body(Body::empty()).unwrap();
        let answer = app.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(to_bytes(answer.into_body(), 64).await.unwrap(), expected);
    }
}

#[actix_web::test]
async fn a_layer_of_actix_goes_by_what_its_request_began_with() {
    let gate = configuration("one").build().unwrap();
    let inner = Auth::new(gate.requiring(permission("inner")).unwrap());
    let replaced = Rc::new(gate.clone());
    let handler = async |caller: auth_actix::Authenticated| HttpResponse::Ok().body(caller.0.subject.to_string());
    let app = App::new()
        .service(web::resource("/open").route(web::get().to(handler)).wrap(inner))
        .wrap_fn(move |request, next| {
            replace(&replaced, &actix_web::HttpMessage::extensions(&request).get::<Principal>().unwrap().subject);
            next.call(request)
        })
        .wrap(Auth::new(gate));
    let app = init_service(app).await;
    for expected in ["one", "two", "one"] {
        let request = TestRequest::get().uri("/open").insert_header(("authorization", "Bearer slow")).to_request();
        let answer = call_service(&app, request).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(read_body(answer).await, expected);
    }
}
