//! An existing axum service that gained a gate: the handlers were there; `gate` and one `.layer` are new.
//!
//! ```text
//! cargo run -p axum-app        # prints TOKEN and KEY to paste; ADDRESS=127.0.0.1:0 takes any free port
//!
//! curl -i http://127.0.0.1:3000/health                                          # 200: open to everybody
//! curl -i http://127.0.0.1:3000/notes                                           # 401: from nobody in particular
//! curl -i -H "Authorization: Bearer $TOKEN" http://127.0.0.1:3000/notes         # 200
//! curl -i -H "Authorization: Bearer $TOKEN" -d milk http://127.0.0.1:3000/notes # 403: the token may only read
//! curl -i -H "X-API-Key: $KEY" -d milk http://127.0.0.1:3000/notes              # 201: the key may write
//! curl -i -H "X-API-Key: $KEY" http://127.0.0.1:3000//notes                     # 400: that path has two readings
//! ```

use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use auth_core::api_key::{KeyFormat, KeyHasher, Peppers};
use auth_core::credential::Source;
use auth_core::gate::Gate;
use auth_core::issue::{ApiKeys, NewKey};
use auth_core::keys::{Algorithm, KeySet};
use auth_core::policy::{PermissionModel, Policy, permission, public};
use auth_core::store::MemoryKeyStore;
use auth_core::verify::jwt::{Issuer, JwtVerifier};
use auth_core::{ConfigError, ConfigErrors, Names, Secret};
use auth_tower::{AuthLayer, Authenticated};
use axum::{
    Router,
    extract::{ConnectInfo, State},
    http::StatusCode,
    routing::get,
};

/// Shared with whoever issues the tokens. Read it from a file or the environment in a real service.
const SECRET: &str = "an example, 32 bytes at the very least";

#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

async fn list(State(notes): State<Notes>) -> String {
    notes.0.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
}

async fn add(State(notes): State<Notes>, Authenticated(caller): Authenticated, text: String) -> StatusCode {
    notes.0.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{}: {text}", caller.subject));
    StatusCode::CREATED
}

/// The service as it was, and the layer around all of it, the fallback included.
pub(crate) fn app(gate: Gate) -> Router {
    let routes = Router::new().route("/health", get(async || "fine")).route("/notes", get(list).post(add));
    let auth = AuthLayer::new(gate).peer_from(|given| Some(given.get::<ConnectInfo<SocketAddr>>()?.0.ip()));
    routes.with_state(Notes::default()).layer(auth)
}

/// What is taken for a credential, and what the routes need. A path that is not named here is refused.
pub(crate) fn gate(keys: &ApiKeys) -> Result<Gate, ConfigErrors> {
    let signed_with = KeySet::shared_secret(Algorithm::Hs256, &Secret::from(SECRET))?;
    let tokens = JwtVerifier::new([Issuer::new("https://login.example", ["notes"], signed_with)])?;
    let policy =
        Policy::new().get("/health", public()).get("/notes", permission("read")).any("/notes", permission("write"));
    Gate::builder()
        .accept(Source::bearer(), tokens)
        .accept(Source::header("X-API-Key"), keys.verifier())
        .permissions(PermissionModel::default().implies("write", ["read"]))
        .policy(policy)
        .build()
}

pub(crate) fn keys() -> Result<ApiKeys, ConfigError> {
    let peppers = Peppers::new(KeyHasher::new("2026", &Secret::from(SECRET))?);
    Ok(ApiKeys::new(KeyFormat::new("notes", [])?, peppers, Arc::new(MemoryKeyStore::new()), "notes"))
}

pub(crate) fn token(lives_until: i64) -> Result<String, Box<dyn Error>> {
    let claims = serde_json::json!({
        "iss": "https://login.example", "aud": "notes", "sub": "ada", "exp": lives_until, "scope": "read",
    });
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
    Ok(jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key)?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let keys = keys()?;
    let gate = gate(&keys)?;
    let mut wanted = NewKey::new("the example's key", "grace");
    wanted.permissions = Names::from_scope("write");
    let key = keys.mint(wanted, gate.now()).await?.key;
    println!("KEY={}", key.expose_text().unwrap_or_default());
    println!("TOKEN={}", token(gate.now().wall.unix_seconds() + 3600)?);
    let address = std::env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app(gate).into_make_service_with_connect_info::<SocketAddr>()).await?)
}
