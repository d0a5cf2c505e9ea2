//! Lists that are kept in a store: restarts, other processes, and a store out of reach.

use std::pin::pin;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::store::{Changes, Mark, MemoryRevocationStore};

/// What a store in memory answers is there at once.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("an answer from memory has to be waited for"),
    }
}

const BELIEVED_FOR: Duration = Duration::from_secs(5);

pub(super) fn kept_in(store: &Arc<MemoryRevocationStore>, now: Now) -> Revocations {
    ready(Revocations::kept_in(store.clone(), BELIEVED_FOR, now)).expect("a list")
}

#[test]
fn what_is_kept_is_in_force_after_a_restart_and_in_other_processes_after_their_next_look() {
    let now = SimulatedClock::at_unix_seconds(200).now();
    let store = Arc::new(MemoryRevocationStore::new());
    let (here, there) = (kept_in(&store, now), kept_in(&store, now));
    let identity = identity();
    assert!(!here.cover(&identity, now) && !there.cover(&identity, now));
    revoke(&here, &all(Target::session(ISSUER, "s-1")), now);
    assert!(here.cover(&identity, now) && !there.cover(&identity, now));
    ready(there.refresh(now)).expect("a look");
    assert!(there.cover(&identity, now));
    assert!(kept_in(&store, now).cover(&identity, now));
    assert_eq!((here.len(), there.len()), (1, 1));
}

/// A store that can be switched off.
#[derive(Default)]
struct Switched {
    store: MemoryRevocationStore,
    off: AtomicBool,
}

impl Switched {
    fn ask<T: Send + 'static>(&self, step: impl FnOnce(&MemoryRevocationStore) -> Answer<T>) -> Answer<T> {
        if self.off.load(Ordering::SeqCst) {
            return Outcome::Done(Err(StoreError::Unavailable("switched off".into())));
        }
        step(&self.store)
    }
}

impl RevocationStore for Switched {
    fn add(&self, revocation: Revocation) -> Answer<()> {
        self.ask(|store| store.add(revocation))
    }

    fn changes(&self, since: Mark) -> Answer<Changes> {
        self.ask(|store| store.changes(since))
    }

    fn delete_ended(&self, before: Timestamp) -> Answer<u64> {
        self.ask(|store| store.delete_ended(before))
    }
}

#[test]
fn without_a_recent_look_nobody_passes_and_the_reason_is_an_outage() {
    let clock = SimulatedClock::at_unix_seconds(200);
    let store = Arc::new(Switched::default());
    let list = ready(Revocations::kept_in(store.clone(), BELIEVED_FOR, clock.now())).expect("a list");
    let (good, mut revoked) = (identity(), identity());
    revoked.session = Some("s-2".into());
    revoke(&list, &all(Target::session(ISSUER, "s-2")), clock.now());
    store.off.store(true, Ordering::SeqCst);
    assert_eq!(list.check(&good, clock.now()), Ok(()));
    clock.advance(BELIEVED_FOR);
    assert!(ready(list.refresh(clock.now())).is_err());
    assert_eq!(list.check(&good, clock.now()), Ok(()), "believed up to the bound");
    clock.advance(Duration::from_nanos(1));
    clock.step_wall(-1_000);
    assert!(!list.is_current(clock.now()));
    assert!(matches!(list.check(&good, clock.now()), Err(Rejection::Unavailable(_))));
    assert!(matches!(list.check(&good.clone(), clock.now()), Err(Rejection::Unavailable(_))), "one never seen before");
    assert!(list.cover(&good, clock.now()), "in doubt it is covered");
    let refused = Err(Rejection::InvalidCredential(CredentialFault::Revoked));
    assert_eq!(list.check(&revoked, clock.now()), refused, "what is known is told");
    assert!(matches!(list.revoke(&all(Target::All), clock.now()), Outcome::Done(Err(_))));
    store.off.store(false, Ordering::SeqCst);
    ready(list.refresh(clock.now())).expect("a look");
    assert_eq!(list.check(&good, clock.now()), Ok(()));
}

#[test]
fn a_store_that_cannot_be_read_gives_no_list() {
    let store = Arc::new(Switched::default());
    store.off.store(true, Ordering::SeqCst);
    let now = SimulatedClock::at_unix_seconds(200).now();
    assert!(ready(Revocations::kept_in(store, BELIEVED_FOR, now)).is_err());
}

#[test]
fn a_day_after_its_end_a_revocation_leaves_the_store_unless_the_clock_was_set() {
    const DAY: u64 = 86_400;
    let left = |step_wall: i64, until: u64| {
        let clock = SimulatedClock::at_unix_seconds(0);
        let store = Arc::new(MemoryRevocationStore::new());
        let list = kept_in(&store, clock.now());
        revoke(&list, &Revocation::new(Target::All, at(i64::try_from(until).expect("few"))), clock.now());
        clock.step_wall(step_wall);
        clock.advance(Duration::from_secs(DAY + 1_000));
        ready(list.refresh(clock.now())).expect("a look");
        let Outcome::Done(Ok(changes)) = store.changes(Mark::START) else { panic!("memory answers") };
        changes.revocations.len()
    };
    assert_eq!(left(0, 999), 0);
    assert_eq!(left(0, 1_000), 1);
    assert_eq!(left(400 * 86_400, 1_000), 1, "somebody set the clock");
}
