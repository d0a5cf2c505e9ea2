use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::*;
use crate::account::{AccountChange, SessionRecord};
use crate::clock::{Clock as _, SimulatedClock};
use crate::error::StoreError;
use crate::issue::{PasswordCost, PasswordThreads, SigningAlgorithm, SigningKeys};
use crate::outcome::Outcome;
use crate::principal::{Identity, Method};
use crate::store::{Answer, Changes, Mark, MemoryAccountStore, RevocationStore};

/// Memory never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    let Poll::Ready(value) = pin!(future).poll(&mut Context::from_waker(Waker::noop())) else {
        unreachable!("nothing here waits")
    };
    value
}

/// A store that keeps nothing, and at first cannot even be written.
#[derive(Default)]
struct Broken(AtomicBool);

impl RevocationStore for Broken {
    fn add(&self, _: Revocation) -> Answer<()> {
        let is_mended = self.0.swap(true, Ordering::SeqCst);
        Outcome::Done(if is_mended { Ok(()) } else { Err(StoreError::Unavailable("on purpose".to_owned())) })
    }

    fn changes(&self, mark: Mark) -> Answer<Changes> {
        Outcome::Done(Ok(Changes { revocations: Vec::new(), mark }))
    }

    fn delete_ended(&self, _: Timestamp) -> Answer<u64> {
        Outcome::Done(Ok(0))
    }
}

#[test]
fn s7_what_could_not_be_refused_is_refused_when_the_sessions_are_ended_once_more() {
    let now = SimulatedClock::at_unix_seconds(1_700_000_000).now();
    let revocations = ready(Revocations::kept_in(Arc::new(Broken::default()), Duration::from_secs(10), now)).unwrap();
    let keys = SigningKeys::generate(SigningAlgorithm::Hs256).unwrap();
    let issuer = AccessTokenIssuer::new("us", "api", Duration::from_hours(1), keys);
    let cost = PasswordCost::dangerously_weak(8, 1, 1).unwrap();
    let passwords = Passwords::new(cost, PasswordThreads::default()).unwrap();
    let mut parts = AccountParts::new(Arc::new(MemoryAccountStore::new()), passwords, issuer);
    parts.revocations = Some(revocations.clone());
    let accounts = Accounts::new(parts);
    let mut wanted = NewAccount::new();
    wanted.user_name = Some("ada".to_owned());
    let ada = ready(accounts.create(wanted, now)).unwrap();
    let session = SessionRecord::new("ses_1", Arc::clone(&ada.id), 0, now.wall, Timestamp::MAX);
    ready(accounts.store().open_session(session).resolve()).unwrap();
    let mut bearer = Identity::new(Method::Jwt, "us", &*ada.id);
    bearer.session = Some("ses_1".into());

    let disable = || ready(accounts.change(&ada.id, AccountChange::Disable, now));
    assert!(matches!(disable(), Err(AccountError::Store(_))));
    assert!(revocations.check(&bearer, now).is_ok(), "it could not be kept");
    assert!(disable().is_ok());
    assert!(revocations.check(&bearer, now).is_err());
}
