//! What a case is run against: the core alone, the tower adapter around an axum router, the actix adapter around an
//! actix app. All answer in one form, so that they can be compared.

use std::net::SocketAddr;

use actix_web::HttpMessage as _;
use actix_web::body::{BodySize, MessageBody};
use auth_core::gate::{Decision, Gate};
use auth_core::{Anonymous, Principal, Rejection, RequestHead};
use auth_tower::{AuthLayer, PeerAddress};
use axum::body::Body;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::answer::{Answer, Sent, describe, describe_principal};
use super::cases::SubjectName;

/// Asks a subject; an error says why the request cannot be sent to it at all.
pub(crate) async fn ask(subject: SubjectName, gate: &Gate, sent: &Sent) -> Result<Answer, String> {
    match subject {
        SubjectName::Core => Ok(ask_core(gate, sent).await),
        SubjectName::Tower => ask_tower(gate, sent).await,
        SubjectName::Actix => ask_actix(gate, sent).await,
    }
}

/// What the handler behind the gate found in the request's extensions.
#[derive(Clone)]
struct Reached(Value);

async fn ask_core(gate: &Gate, sent: &Sent) -> Answer {
    let (path, query) = sent.path_and_query();
    let head = RequestHead { query, peer: sent.peer, ..RequestHead::new(&sent.method, path, &sent.headers) };
    let decision = gate.decide(&head, gate.now()).resolve().await;
    // for the search for secrets, which reads what is logged
    tracing::trace!(?head, ?decision, ?gate);
    match decision {
        Decision::Admit(admission) => {
            let added = admission.response_fields.iter().map(|(name, value, _)| (name.to_owned(), value.to_owned()));
            let caller = Some(describe(&admission.caller));
            Answer { status: 200, fields: added.collect(), body: Vec::new(), cause: None, caller }
        }
        Decision::Refuse(refusal) => Answer {
            status: refusal.reply.status,
            fields: refusal.reply.fields.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
            body: refusal.reply.body.into_owned(),
            cause: Some(refusal.rejection.cause().to_owned()),
            caller: None,
        },
    }
}

async fn ask_tower(gate: &Gate, sent: &Sent) -> Result<Answer, String> {
    let mut request = http::Request::builder().method(sent.method.as_str()).uri(&sent.target);
    for (name, value) in &sent.headers {
        request = request.header(name, value.as_slice());
    }
    let mut request = request.body(Body::empty()).map_err(|error| format!("http refuses it: {error}"))?;
    let (path, query) = sent.path_and_query();
    if !sent.target.contains("://") && (request.uri().path(), request.uri().query()) != (path, query) {
        return Err(format!("http reads the target as {}", request.uri()));
    }
    if let Some(peer) = sent.peer {
        request.extensions_mut().insert(PeerAddress(peer));
    }
    let handler = |request: axum::extract::Request| async move {
        let extensions = request.extensions();
        let reached = reached(extensions.get::<Principal>(), extensions.get::<Anonymous>());
        let mut response = axum::response::Response::new(Body::empty());
        response.extensions_mut().insert(reached);
        response
    };
    let app = axum::Router::new().fallback(handler).layer(AuthLayer::new(gate.clone()));
    let Ok(response) = app.oneshot(request).await;
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.map_err(|error| error.to_string())?;
    Ok(Answer {
        status: parts.status.as_u16(),
        fields: sorted(parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))),
        body: body.to_vec(),
        cause: parts.extensions.get::<Rejection>().map(|rejection| rejection.cause().to_owned()),
        caller: parts.extensions.get::<Reached>().map(|reached| reached.0.clone()),
    })
}

async fn ask_actix(gate: &Gate, sent: &Sent) -> Result<Answer, String> {
    use actix_web::test::{TestRequest, init_service};
    use actix_web::{App, HttpRequest, HttpResponse, web};

    let method = actix_web::http::Method::from_bytes(sent.method.as_bytes()).map_err(|error| error.to_string())?;
    let uri: actix_web::http::Uri =
        sent.target.parse().map_err(|error| format!("actix refuses the target: {error}"))?;
    let mut request = TestRequest::default().method(method).uri(&uri.to_string());
    for (name, value) in &sent.headers {
        use actix_web::http::header::{HeaderName, HeaderValue};
        let name: HeaderName = name.parse().map_err(|_| format!("actix refuses the field name {name}"))?;
        let value = HeaderValue::from_bytes(value).map_err(|_| format!("actix refuses the value of {name}"))?;
        request = request.append_header((name, value));
    }
    if let Some(peer) = sent.peer {
        request = request.peer_addr(SocketAddr::new(peer, 40_000));
    }
    let handler = |request: HttpRequest| async move {
        let reached = reached(request.extensions().get::<Principal>(), request.extensions().get::<Anonymous>());
        let mut response = HttpResponse::Ok().finish();
        response.extensions_mut().insert(reached);
        response
    };
    let app = App::new().default_service(web::to(handler)).wrap(auth_actix::Auth::new(gate.clone()));
    let service = init_service(app).await;
    let response = actix_web::test::call_service(&service, request.to_request()).await.into_parts().1;
    let status = response.status().as_u16();
    let cause = response.extensions().get::<Rejection>().map(|rejection| rejection.cause().to_owned());
    let caller = response.extensions().get::<Reached>().map(|reached| reached.0.clone());
    let fields = response.headers().iter().filter(|(name, _)| *name != "content-length");
    // actix writes the length from what the body says of itself, whatever the field says.
    let length = match response.body().size() {
        BodySize::Sized(length) => Some(length.to_string()),
        BodySize::None | BodySize::Stream => None,
    };
    let length = length.iter().map(|length| ("content-length", length.as_bytes()));
    let fields = sorted(fields.map(|(name, value)| (name.as_str(), value.as_bytes())).chain(length));
    let body = actix_web::body::to_bytes(response.into_body()).await.map_err(|error| error.to_string())?;
    Ok(Answer { status, fields, body: body.to_vec(), cause, caller })
}

fn reached(principal: Option<&Principal>, anonymous: Option<&Anonymous>) -> Reached {
    Reached(match (principal, anonymous) {
        (Some(principal), None) => describe_principal(principal),
        (None, Some(_)) => json!("anonymous"),
        (None, None) => json!("nobody: the gate attached nothing"),
        (Some(_), Some(_)) => json!("both a principal and the mark of an anonymous caller"),
    })
}

/// Fields by name; the lines of one name keep their order.
fn sorted<'a>(fields: impl Iterator<Item = (&'a str, &'a [u8])>) -> Vec<(String, String)> {
    let text = |(name, value): (&str, &[u8])| (name.to_owned(), String::from_utf8_lossy(value).into_owned());
    let mut fields: Vec<_> = fields.map(text).collect();
    fields.sort_by(|(left, _), (right, _)| left.cmp(right));
    fields
}
