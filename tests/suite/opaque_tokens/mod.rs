//! Opaque tokens and sessions: their form, their ends, their stores.

mod sqlite;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use auth_core::api_key::{KeyHasher, Peppers};
use auth_core::issue::{MintedToken, NewToken, OpaqueTokens};
use auth_core::opaque::TokenFormat;
use auth_core::store::TokenStore;
use auth_core::verify::{OpaqueTokenVerifier, Verifier};
use auth_core::{CredentialFault, Identity, Monotonic, Now, Rejection, Secret, Timestamp};

const ISSUER: &str = "https://login.example";

fn at_millis(millis: u64) -> Now {
    let wall = Timestamp::from_unix_seconds(1_700_000_000).saturating_add(Duration::from_millis(millis));
    Now { wall, monotonic: Monotonic::from_nanos(millis * 1_000_000) }
}

/// So many seconds after the start of the test, on both clocks.
fn at(seconds: u64) -> Now {
    at_millis(seconds * 1_000)
}

fn pepper(id: &str) -> KeyHasher {
    let mut bytes = id.as_bytes().to_vec();
    bytes.resize(32, 7);
    KeyHasher::new(id, &Secret::new(bytes)).unwrap()
}

fn tokens_in(store: Arc<dyn TokenStore>) -> OpaqueTokens {
    OpaqueTokens::new(TokenFormat::new("at").unwrap(), Peppers::new(pepper("a")), store, ISSUER)
}

/// A token of Ada's that ends after a thousand seconds, or a hundred without use.
fn wanted() -> NewToken {
    let mut wanted = NewToken::new("ada", at(1_000).wall);
    wanted.idle_limit = Some(Duration::from_secs(100));
    wanted.session = Some("ses_1".into());
    wanted
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn minted(tokens: &OpaqueTokens) -> MintedToken {
    wait(tokens.mint(wanted(), at(0))).unwrap()
}

fn text(minted: &MintedToken) -> &str {
    minted.token.expose_text().unwrap()
}

fn verify(verifier: &OpaqueTokenVerifier, token: &MintedToken, now: Now) -> Result<Arc<Identity>, Rejection> {
    wait(verifier.verify(text(token), now).resolve())
}

fn refused(fault: CredentialFault) -> Rejection {
    Rejection::InvalidCredential(fault)
}
