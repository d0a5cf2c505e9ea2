use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::*;
use crate::clock::{Clock, Now, SimulatedClock};
use crate::error::StoreError;
use crate::limit::{Charges, Spending};
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::store::{Answer, LimitStore, MemoryLimitStore};

struct Stage {
    throttle: LoginThrottle,
    clock: Arc<SimulatedClock>,
}

impl Clock for Arc<SimulatedClock> {
    fn now(&self) -> Now {
        self.as_ref().now()
    }
}

fn stage() -> Stage {
    let clock = Arc::new(SimulatedClock::at_unix_seconds(1_700_000_000));
    let [pair, source, strangers, trickle] =
        ["5/hour", "8/hour", "12/hour", "2/hour"].map(|text| text.parse().unwrap());
    let quotas = ThrottleQuotas { pair, source, strangers, trickle };
    let throttle = LoginThrottle::new(quotas, Arc::new(MemoryLimitStore::new()), Arc::new(Arc::clone(&clock)));
    Stage { throttle, clock }
}

fn source(last: u8) -> Option<IpAddr> {
    format!("192.0.2.{last}").parse().ok()
}

impl Stage {
    fn begin(&self, who: &str, source: Option<IpAddr>, familiarity: Familiarity) -> Result<LoginAttempt, Rejection> {
        match self.throttle.begin(who, source, familiarity) {
            Outcome::Done(told) => told,
            Outcome::Wait(_) => panic!("it waits"),
        }
    }

    /// How many of so many attempts find room, all of which fail.
    fn guess(&self, who: &str, source: Option<IpAddr>, familiarity: Familiarity, times: usize) -> usize {
        let fail = |_: &usize| self.begin(who, source, familiarity).map(|attempt| drop(attempt.failed())).is_ok();
        (0..times).filter(fail).count()
    }

    fn wait_told(&self, who: &str, source: Option<IpAddr>, familiarity: Familiarity) -> u64 {
        match self.begin(who, source, familiarity) {
            Err(Rejection::TooManyFailures(exceeded)) => {
                assert_eq!(exceeded.policies, ["failed-logins"]);
                exceeded.retry_after.unwrap().seconds()
            }
            other => panic!("{other:?}"),
        }
    }
}

use Familiarity::{Known, Stranger};

#[test]
fn s5_one_source_has_so_many_guesses_at_one_account_and_is_told_when_to_come_back() {
    let stage = stage();
    assert_eq!(stage.guess("ada", source(1), Stranger, 9), 5);
    assert_eq!(stage.wait_told("ada", source(1), Stranger), 720);
    stage.clock.advance(Duration::from_secs(719));
    assert_eq!(stage.guess("ada", source(1), Stranger, 1), 0);
    stage.clock.advance(Duration::from_secs(1));
    assert_eq!(stage.guess("ada", source(1), Stranger, 2), 1);
}

#[test]
fn s5_one_source_has_so_many_guesses_at_all_accounts_together() {
    let stage = stage();
    let found = (0..20).map(|number| stage.guess(&format!("user {number}"), source(1), Stranger, 1)).sum::<usize>();
    assert_eq!(found, 8);
    assert_eq!(stage.guess("somebody else", source(2), Stranger, 1), 1);
}

#[test]
fn s5_strangers_from_everywhere_share_what_an_account_has_for_them_and_then_a_trickle() {
    let stage = stage();
    let found = (0..200).map(|last| stage.guess("ada", source(last), Stranger, 3)).sum::<usize>();
    assert_eq!(found, 12 + 2);
    // what the trickle let pass and failed is owed too: three of twelve an hour have to come back
    assert_eq!(stage.wait_told("ada", source(250), Stranger), 900);
    stage.clock.advance(Duration::from_mins(30));
    assert!(stage.guess("ada", source(251), Stranger, 9) >= 1, "its owner gets in from a new place");
    assert_eq!(stage.guess("bob", source(252), Stranger, 1), 1, "another account has its own");
}

#[test]
fn s5_strangers_lock_nobody_out() {
    let stage = stage();
    let home = source(1);
    for last in 2..200 {
        stage.guess("ada", source(last), Stranger, 9);
    }
    for _ in 0..50 {
        stage.begin("ada", home, Known).unwrap().succeeded();
    }
    // somebody beside the owner who guesses at others
    stage.guess("bob", home, Stranger, 9);
    stage.guess("eve", home, Stranger, 9);
    stage.begin("ada", home, Known).unwrap().succeeded();
    // and a source that is known has no more guesses than another
    assert_eq!(stage.guess("ada", home, Known, 9), 5);
    assert_eq!(stage.wait_told("ada", home, Known), 720);
}

#[test]
fn s5_what_a_known_source_guesses_counts_for_it_elsewhere_but_not_for_strangers() {
    let stage = stage();
    assert_eq!(stage.guess("ada", source(1), Known, 9), 5);
    assert_eq!(stage.guess("bob", source(1), Stranger, 9), 3, "eight together");
    let found = (2..9).map(|last| stage.guess("ada", source(last), Stranger, 9)).sum::<usize>();
    assert_eq!(found, 14, "all of the strangers' room");
}

#[test]
fn s5_a_network_is_one_source() {
    let stage = stage();
    let host = |last: u16| Some(IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]));
    let found = (0..20).map(|last| stage.guess("ada", host(last), Stranger, 1)).sum::<usize>();
    assert_eq!(found, 5);
    assert_eq!(LoginThrottle::source_name(host(7).unwrap()), "2001:db8:0:1::/64");
    assert_eq!(stage.guess("ada", None, Stranger, 9), 5, "those from nowhere known are one source");
}

#[test]
fn success_costs_nothing_and_what_is_given_up_costs_a_failure() {
    let stage = stage();
    for _ in 0..100 {
        stage.begin("ada", source(1), Stranger).unwrap().succeeded();
    }
    for _ in 0..4 {
        drop(stage.begin("ada", source(1), Stranger).unwrap());
    }
    assert_eq!(stage.guess("ada", source(1), Stranger, 9), 1);
}

/// Counts how often it was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

type Waits = Pin<Box<dyn Future<Output = Result<LoginAttempt, Rejection>> + Send>>;

/// Many logins at once: those that may go on, and those that wait.
fn at_once(
    stage: &Stage,
    count: usize,
    who: impl Fn(usize) -> (String, Option<IpAddr>),
) -> (Vec<LoginAttempt>, Vec<Waits>) {
    let (mut inside, mut waiting) = (Vec::new(), Vec::new());
    for number in 0..count {
        let (who, source) = who(number);
        match stage.throttle.begin(&who, source, Stranger) {
            Outcome::Done(attempt) => inside.push(attempt.unwrap()),
            Outcome::Wait(waits) => waiting.push(waits),
        }
    }
    (inside, waiting)
}

/// Polls all that wait until nothing moves any more; every attempt that comes of it ends as `end` says.
fn settle(mut waiting: Vec<Waits>, end: impl Fn(LoginAttempt)) -> (usize, usize, usize) {
    let (mut passed, mut refused) = (0, 0);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    loop {
        let before = (waiting.len(), woken.0.load(Ordering::SeqCst));
        let mut still = Vec::new();
        for mut waits in waiting {
            match waits.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Pending => still.push(waits),
                Poll::Ready(Ok(attempt)) => {
                    passed += 1;
                    end(attempt);
                }
                Poll::Ready(Err(_)) => refused += 1,
            }
        }
        waiting = still;
        if waiting.is_empty() || before == (waiting.len(), woken.0.load(Ordering::SeqCst)) {
            return (passed, refused, waiting.len());
        }
    }
}

#[test]
fn s5_a_thousand_guesses_at_once_find_no_more_room_than_one_after_the_other() {
    let stage = stage();
    let (inside, waiting) = at_once(&stage, 1_000, |_| ("ada".to_owned(), source(1)));
    assert_eq!((inside.len(), waiting.len()), (5, 995));
    inside.into_iter().map(LoginAttempt::failed).for_each(drop);
    assert_eq!(settle(waiting, |attempt| drop(attempt.failed())), (0, 995, 0));
}

#[test]
fn s5_guesses_from_everywhere_at_once_find_no_more_room_than_one_after_the_other() {
    let stage = stage();
    let (inside, waiting) = at_once(&stage, 200, |number| ("ada".to_owned(), source(u8::try_from(number).unwrap())));
    assert_eq!(inside.len(), 12);
    inside.into_iter().map(LoginAttempt::failed).for_each(drop);
    let (passed, refused, left) = settle(waiting, |attempt| drop(attempt.failed()));
    assert_eq!((passed, refused, left), (2, 186, 0), "the trickle");
}

#[test]
fn good_logins_at_once_all_pass_one_after_the_other() {
    let stage = stage();
    let (inside, waiting) =
        at_once(&stage, 300, |number| (format!("user {}", number % 7), source(u8::try_from(number % 3).unwrap())));
    let begun = inside.len();
    inside.into_iter().for_each(LoginAttempt::succeeded);
    let (passed, refused, left) = settle(waiting, LoginAttempt::succeeded);
    assert_eq!((begun + passed, refused, left), (300, 0, 0));
}

#[test]
fn whoever_hangs_up_while_waiting_hands_its_turn_on() {
    let stage = stage();
    let (mut inside, mut waiting) = at_once(&stage, 8, |_| ("ada".to_owned(), source(1)));
    let waker = Waker::from(Arc::new(Woken::default()));
    for waits in &mut waiting {
        assert!(waits.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    inside.pop().unwrap().succeeded();
    // the first was called and does not hear it
    drop(waiting.remove(0));
    let Poll::Ready(Ok(next)) = waiting.remove(0).as_mut().poll(&mut Context::from_waker(&waker)) else {
        panic!("the next was not called");
    };
    next.succeeded();
    assert_eq!(settle(waiting, LoginAttempt::succeeded), (1, 0, 0));
}

struct Out;

impl LimitStore for Out {
    fn spend(&self, _: &Charges<'_>, _: Now) -> Answer<Spending> {
        Outcome::Done(Err(StoreError::Unavailable("gone".to_owned())))
    }

    fn look(&self, charges: &Charges<'_>, now: Now) -> Answer<Spending> {
        self.spend(charges, now)
    }

    fn debit(&self, charges: &Charges<'_>, now: Now) -> Answer<Spending> {
        self.spend(charges, now)
    }
}

#[test]
fn nobody_guesses_while_nobody_counts() {
    let throttle = LoginThrottle::new(ThrottleQuotas::default(), Arc::new(Out), Arc::new(crate::clock::SystemClock));
    let told = throttle.begin("ada", source(1), Known);
    assert!(matches!(told, Outcome::Done(Err(Rejection::Unavailable(_)))));
}

#[test]
fn guesses_under_way_count_for_the_throttle_that_takes_over() {
    let before = stage();
    let under_way: Vec<_> = (0..5).map(|_| before.begin("ada", source(1), Stranger).unwrap()).collect();
    let fresh = stage().throttle;
    let waits = |throttle: &LoginThrottle| matches!(throttle.begin("ada", source(1), Stranger), Outcome::Wait(_));
    assert!(!waits(&fresh));
    assert!(waits(&fresh.continuing(&before.throttle)));
    drop(under_way);
}
