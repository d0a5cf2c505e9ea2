//! What is covered, for how long, and that nobody is late.

mod kept;

use std::sync::atomic::AtomicUsize;

use super::*;
use crate::clock::{Clock, SimulatedClock, Timestamp};
use crate::principal::Method;
use crate::store::MemoryRevocationStore;
use kept::kept_in;

const ISSUER: &str = "https://login.example";

fn identity() -> Identity {
    let mut identity = Identity::new(Method::Jwt, ISSUER, "ada");
    identity.tenant = Some("acme".into());
    identity.session = Some("s-1".into());
    identity.credential_id = Some("t-1".into());
    identity.issued = Some(at(100));
    identity
}

fn revoke(revocations: &Revocations, revocation: &Revocation, now: Now) {
    assert!(matches!(revocations.revoke(revocation, now), Outcome::Done(Ok(()))), "memory never waits or fails");
}

const fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_seconds(second)
}

fn all(target: Target) -> Revocation {
    Revocation::new(target, at(10_000))
}

#[test]
fn each_target_covers_its_own_and_nothing_else() {
    let now = SimulatedClock::at_unix_seconds(200).now();
    let (own, other) = (ISSUER, "https://other.example");
    for (target, covered) in [
        (Target::credential(own, "t-1"), true),
        (Target::credential(own, "t-2"), false),
        (Target::credential(other, "t-1"), false),
        (Target::session(own, "s-1"), true),
        (Target::session(own, "t-1"), false),
        (Target::session(other, "s-1"), false),
        (Target::subject(own, "ada"), true),
        (Target::subject(own, "acme"), false),
        (Target::subject(other, "ada"), false),
        (Target::Tenant("acme".into()), true),
        (Target::Tenant("ada".into()), false),
        (Target::Issuer(own.into()), true),
        (Target::Issuer(other.into()), false),
        (Target::All, true),
    ] {
        let revocations = Revocations::new();
        let identity = identity();
        assert!(!revocations.cover(&identity, now), "{target:?}, before");
        revoke(&revocations, &all(target.clone()), now);
        assert_eq!(revocations.cover(&identity, now), covered, "{target:?}");
        assert_eq!(revocations.cover(&identity, now), covered, "{target:?}, asked again");
        assert_eq!(revocations.cover(&identity.clone(), now), covered, "{target:?}, as a copy");
    }
}

#[test]
fn issued_before_spares_what_came_later_and_takes_what_does_not_say() {
    let now = SimulatedClock::at_unix_seconds(200).now();
    let mut identity = identity();
    for (instant, issued, covered) in [
        (100, Some(99), true),
        (100, Some(100), false),
        (100, Some(101), false),
        (100, None, true),
        (i64::MIN, None, true),
    ] {
        let revocations = Revocations::new();
        identity.issued = issued.map(at);
        revoke(&revocations, &all(Target::All).issued_before(at(instant)), now);
        assert_eq!(revocations.cover(&identity, now), covered, "before {instant}, issued {issued:?}");
    }
}

#[test]
fn a_second_revocation_of_the_same_never_gives_back() {
    let now = SimulatedClock::at_unix_seconds(200).now();
    let whole = all(Target::subject(ISSUER, "ada"));
    let old = Revocation::new(Target::subject(ISSUER, "ada"), at(300)).issued_before(at(50));
    for order in [[&whole, &old], [&old, &whole]] {
        let revocations = Revocations::new();
        for one in order {
            revoke(&revocations, one, now);
        }
        assert!(revocations.cover(&identity(), now));
        revoke(&revocations, order[0], now);
        assert_eq!(revocations.len(), 2);
    }
}

/// Shut out for a while, and logged out everywhere at the same time.
#[test]
fn whole_and_issued_before_end_each_by_itself() {
    let target = || Target::subject(ISSUER, "ada");
    let shut_out = Revocation::new(target(), at(300));
    let logged_out = Revocation::new(target(), at(10_000)).issued_before(at(200));
    for order in [[&shut_out, &logged_out], [&logged_out, &shut_out]] {
        let clock = SimulatedClock::at_unix_seconds(200);
        let revocations = Revocations::new();
        for one in order {
            revoke(&revocations, one, clock.now());
        }
        let covered = |issued, clock: &SimulatedClock| {
            let mut identity = identity();
            identity.issued = Some(at(issued));
            revocations.cover(&identity, clock.now())
        };
        clock.advance(Duration::from_secs(99));
        assert!(covered(199, &clock) && covered(299, &clock));
        clock.advance(Duration::from_secs(1));
        assert!(covered(199, &clock) && !covered(299, &clock));
        clock.advance(Duration::from_secs(9_700));
        assert!(!covered(199, &clock));
    }
}

#[test]
fn it_is_over_when_both_clocks_say_so() {
    let clock = SimulatedClock::at_unix_seconds(0);
    let revocations = Revocations::new();
    revoke(&revocations, &Revocation::new(Target::All, at(100)), clock.now());
    let covered = |clock: &SimulatedClock| revocations.cover(&identity(), clock.now());
    clock.step_wall(1_000);
    assert!(covered(&clock), "a step forward alone does not end it");
    clock.step_wall(-2_000);
    assert!(covered(&clock), "nor does one back");
    clock.step_wall(1_000);
    clock.advance(Duration::from_secs(99));
    assert!(covered(&clock));
    clock.advance(Duration::from_secs(1));
    assert!(!covered(&clock));
}

#[test]
fn a_clock_that_is_set_back_brings_a_revocation_back_for_those_who_passed_meanwhile_too() {
    let clock = SimulatedClock::at_unix_seconds(0);
    let revocations = Revocations::new();
    let identity = identity();
    revoke(&revocations, &Revocation::new(Target::All, at(100)), clock.now());
    clock.advance(Duration::from_secs(100));
    assert!(!revocations.cover(&identity, clock.now()));
    clock.step_wall(-1);
    assert!(revocations.cover(&identity.clone(), clock.now()), "one never seen before");
    assert!(revocations.cover(&identity, clock.now()), "one that passed");
}

#[test]
fn what_is_over_is_forgotten_so_the_list_is_as_long_as_what_is_in_force() {
    let clock = SimulatedClock::at_unix_seconds(0);
    let revocations = Revocations::new();
    for number in 0..100_000_i64 {
        let until = clock.now().wall.saturating_add(Duration::from_secs(100));
        revoke(&revocations, &Revocation::new(Target::credential(ISSUER, number.to_string()), until), clock.now());
        clock.advance(Duration::from_secs(1));
    }
    assert!(revocations.len() < 16 * 2 * 65, "{}", revocations.len());
    let mut last = identity();
    last.credential_id = Some("99950".into());
    assert!(revocations.cover(&last, clock.now()));
}

#[test]
fn two_lists_do_not_take_each_other_s_word() {
    let now = SimulatedClock::at_unix_seconds(200).now();
    let (first, second) = (Revocations::new(), Revocations::new());
    let identity = identity();
    revoke(&second, &all(Target::All), now);
    assert!(!first.cover(&identity, now));
    assert!(second.cover(&identity, now));
    revoke(&first, &all(Target::Tenant("other".into())), now);
    assert!(!first.cover(&identity, now));
    assert!(second.cover(&identity, now));
}

/// One identity after the other is revoked, while a reader asks without a pause for the one whose turn it is, so that it
/// may be cleared at any moment of its revocation. Once that has returned, the reader asks again before the next turn.
#[test]
fn once_revoke_has_returned_nobody_passes_any_more() {
    const COUNT: usize = 3_000;
    let now = SimulatedClock::at_unix_seconds(200).now();
    for revocations in [Revocations::new(), kept_in(&Arc::new(MemoryRevocationStore::new()), now)] {
        let identities: Vec<Identity> = (0..COUNT)
            .map(|number| {
                let mut identity = identity();
                identity.credential_id = Some(number.to_string().into());
                identity
            })
            .collect();
        let (returned, asked) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let late: usize = std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut late = 0;
                for (turn, identity) in identities.iter().enumerate() {
                    while returned.load(Ordering::SeqCst) == turn {
                        revocations.cover(identity, now);
                    }
                    late += usize::from(!revocations.cover(identity, now));
                    asked.store(turn + 1, Ordering::SeqCst);
                }
                late
            });
            for (turn, identity) in identities.iter().enumerate() {
                let id = identity.credential_id.clone().expect("an id");
                revoke(&revocations, &all(Target::credential(ISSUER, id)), now);
                returned.store(turn + 1, Ordering::SeqCst);
                while asked.load(Ordering::SeqCst) <= turn {
                    std::thread::yield_now();
                }
            }
            reader.join().expect("no panic")
        });
        assert_eq!(late, 0, "late passes");
    }
}
