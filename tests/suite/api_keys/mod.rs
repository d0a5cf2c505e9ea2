//! API keys: their form, their verification, their stores.

mod format;
mod remembered;
mod sqlite;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use auth_core::api_key::{KeyFormat, KeyHasher, Peppers};
use auth_core::issue::{ApiKeys, MintedKey, NewKey};
use auth_core::store::ApiKeyStore;
use auth_core::verify::{ApiKeyVerifier, Verifier};
use auth_core::{CredentialFault, Identity, Monotonic, Now, Rejection, Secret, Timestamp};
use futures_util::FutureExt;

/// So many seconds after the start of the test, on both clocks.
fn at(seconds: u64) -> Now {
    let wall = Timestamp::from_unix_seconds(1_700_000_000).saturating_add(Duration::from_secs(seconds));
    Now { wall, monotonic: Monotonic::from_nanos(seconds * 1_000_000_000) }
}

fn format() -> KeyFormat {
    KeyFormat::new("sk", ["live", "test"]).unwrap()
}

fn pepper(id: &str) -> KeyHasher {
    let mut bytes = id.as_bytes().to_vec();
    bytes.resize(32, 7);
    KeyHasher::new(id, &Secret::new(bytes)).unwrap()
}

fn keys_in(store: Arc<dyn ApiKeyStore>) -> ApiKeys {
    ApiKeys::new(format(), Peppers::new(pepper("a")), store, "gateway")
}

fn wanted() -> NewKey {
    let mut wanted = NewKey::new("build server", "alice");
    wanted.environment = Some("live".into());
    wanted
}

/// The answer of something that must not have to wait.
fn now_or_never<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("an answer from memory is there at once")
}

fn text(minted: &MintedKey) -> &str {
    minted.key.expose_text().unwrap()
}

fn verify(verifier: &ApiKeyVerifier, key: &str, now: Now) -> Result<Arc<Identity>, Rejection> {
    now_or_never(verifier.verify(key, now).resolve())
}

fn refused(fault: CredentialFault) -> Rejection {
    Rejection::InvalidCredential(fault)
}
