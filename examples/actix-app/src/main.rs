//! An existing actix-web service that gained a gate: the handlers were there; `gate` and one `.wrap` are new.
//!
//! ```text
//! cargo run -p actix-app       # prints TOKEN and KEY to paste; ADDRESS=127.0.0.1:0 takes any free port
//!
//! curl -i http://127.0.0.1:3000/health                                          # 200: open to everybody
//! curl -i http://127.0.0.1:3000/notes                                           # 401: from nobody in particular
//! curl -i -H "Authorization: Bearer $TOKEN" http://127.0.0.1:3000/notes         # 200
//! curl -i -H "Authorization: Bearer $TOKEN" -d milk http://127.0.0.1:3000/notes # 403: the token may only read
//! curl -i -H "X-API-Key: $KEY" -d milk http://127.0.0.1:3000/notes              # 201: the key may write
//! curl -i -H "X-API-Key: $KEY" http://127.0.0.1:3000//notes                     # 400: that path has two readings
//! ```

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::{App, HttpResponse, HttpServer, web};
use auth_actix::{Auth, Authenticated};
use auth_core::api_key::{KeyFormat, KeyHasher, Peppers};
use auth_core::credential::Source;
use auth_core::gate::Gate;
use auth_core::issue::{ApiKeys, NewKey};
use auth_core::keys::{Algorithm, KeySet};
use auth_core::policy::{PermissionModel, Policy, permission, public};
use auth_core::store::MemoryKeyStore;
use auth_core::verify::jwt::{Issuer, JwtVerifier};
use auth_core::{ConfigError, ConfigErrors, Names, Secret};

/// Shared with whoever issues the tokens. Read it from a file or the environment in a real service.
const SECRET: &str = "an example, 32 bytes at the very least";

#[derive(Default)]
pub(crate) struct Notes(Mutex<Vec<String>>);

async fn list(notes: web::Data<Notes>) -> String {
    notes.0.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
}

async fn add(notes: web::Data<Notes>, Authenticated(caller): Authenticated, text: String) -> HttpResponse {
    notes.0.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{}: {text}", caller.subject));
    HttpResponse::Created().finish()
}

/// The routes as they were.
pub(crate) fn routes(service: &mut web::ServiceConfig) {
    service.route("/health", web::get().to(async || "fine")).service(web::resource("/notes").get(list).post(add));
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

#[actix_web::main]
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
    let notes = web::Data::new(Notes::default());
    let app = move || App::new().app_data(notes.clone()).configure(routes).wrap(Auth::new(gate.clone()));
    let server = HttpServer::new(app).workers(1).bind(address)?;
    server.addrs().iter().for_each(|address| println!("listening on http://{address}"));
    Ok(server.run().await?)
}
