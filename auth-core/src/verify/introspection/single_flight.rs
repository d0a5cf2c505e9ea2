//! One question for everybody who wants the same answer at the same time.
//!
//! A question under way belongs to nobody: whoever waits for it moves it on, and it is given up when the last one has gone.
//! So there is no leader whose client could hang up and leave the others waiting.
//!
//! An answer is about the time after its question was sent. Whoever comes later than the bound allows does not get it: one
//! more question waits behind the first, for all who come meanwhile, and is sent once that is answered.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::clock::Monotonic;
use crate::outcome::Pending;

/// The questions that are under way.
pub(super) struct Flights<K: Copy + Eq + Hash, T> {
    under_way: Mutex<HashMap<K, Weak<Flight<K, T>>>>,
    /// The answer to a question that panicked.
    panicked: fn() -> T,
}

/// One question, until it is answered.
struct Flight<K: Copy + Eq + Hash, T> {
    about: K,
    asked: Monotonic,
    departed: Departed,
    progress: Mutex<Progress<T>>,
    passengers: Arc<Passengers>,
    flights: Arc<Flights<K, T>>,
}

enum Progress<T> {
    Flying(Pending<T>),
    Landed(T),
}

/// Whether a question has been sent. Until then it answers everybody who comes.
#[derive(Clone, Default)]
pub(super) struct Departed(Arc<AtomicBool>);

impl Departed {
    /// To be called before the question is sent.
    pub(super) fn note(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl<K: Copy + Eq + Hash, T: Clone> Flights<K, T> {
    pub(super) fn new(panicked: fn() -> T) -> Self {
        Self { under_way: Mutex::default(), panicked }
    }

    /// Joins the question that is under way if its answer may be that old by now, or begins another one, which is handed the
    /// seat on the one before it.
    pub(super) fn board(
        self: &Arc<Self>,
        about: K,
        now: Monotonic,
        bound: Duration,
        begin: impl FnOnce(Option<Seat<K, T>>, Departed) -> Pending<T>,
    ) -> Seat<K, T> {
        let mut under_way = lock(&self.under_way);
        let before = match under_way.get(&about).and_then(Weak::upgrade) {
            Some(flight) if flight.takes(now, bound) => return Seat::on(flight),
            before => before.map(Seat::on),
        };
        let departed = Departed::default();
        let flight = Arc::new(Flight {
            about,
            asked: now,
            progress: Mutex::new(Progress::Flying(begin(before, departed.clone()))),
            departed,
            passengers: Arc::default(),
            flights: Arc::clone(self),
        });
        under_way.insert(about, Arc::downgrade(&flight));
        drop(under_way);
        Seat::on(flight)
    }
}

impl<K: Copy + Eq + Hash, T> Flights<K, T> {
    /// Forgets a question, unless another one took its place.
    fn forget(&self, flight: &Flight<K, T>) {
        let mut under_way = lock(&self.under_way);
        if under_way.get(&flight.about).is_some_and(|known| std::ptr::eq(known.as_ptr(), flight)) {
            under_way.remove(&flight.about);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        lock(&self.under_way).len()
    }
}

impl<K: Copy + Eq + Hash, T: Clone> Flight<K, T> {
    fn takes(&self, now: Monotonic, bound: Duration) -> bool {
        let age = Duration::from_nanos(now.nanos().saturating_sub(self.asked.nanos()));
        age <= bound && !bound.is_zero() || !self.departed.0.load(Ordering::SeqCst)
    }

    /// Moves the question on; answers where it is answered.
    fn advance(&self) -> Option<T> {
        let mut progress = lock(&self.progress);
        let landed = match &mut *progress {
            Progress::Landed(answer) => return Some(answer.clone()),
            Progress::Flying(pending) => {
                let waker = Waker::from(Arc::clone(&self.passengers));
                let mut context = Context::from_waker(&waker);
                match catch_unwind(AssertUnwindSafe(|| pending.as_mut().poll(&mut context))) {
                    Ok(Poll::Pending) => return None,
                    Ok(Poll::Ready(answer)) => answer,
                    Err(_) => (self.flights.panicked)(),
                }
            }
        };
        let flown = std::mem::replace(&mut *progress, Progress::Landed(landed.clone()));
        drop(progress);
        drop(flown);
        // whoever comes from now on asks anew, or finds what is remembered
        self.flights.forget(self);
        self.passengers.wake_all();
        Some(landed)
    }
}

impl<K: Copy + Eq + Hash, T> Drop for Flight<K, T> {
    fn drop(&mut self) {
        self.flights.forget(self);
    }
}

/// Somebody who waits for the answer.
pub(super) struct Seat<K: Copy + Eq + Hash, T: Clone> {
    number: u64,
    flight: Arc<Flight<K, T>>,
}

impl<K: Copy + Eq + Hash, T: Clone> Seat<K, T> {
    fn on(flight: Arc<Flight<K, T>>) -> Self {
        Self { number: flight.passengers.number(), flight }
    }
}

impl<K: Copy + Eq + Hash, T: Clone> Future for Seat<K, T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // first, so that an answer that comes between the two is heard of
        self.flight.passengers.note(self.number, context.waker());
        self.flight.advance().map_or(Poll::Pending, Poll::Ready)
    }
}

impl<K: Copy + Eq + Hash, T: Clone> Drop for Seat<K, T> {
    fn drop(&mut self) {
        self.flight.passengers.leave(self.number);
    }
}

/// Those who wait for one question. Each of them is woken when it may get on, since any of them may be gone by then.
#[derive(Default)]
struct Passengers(Mutex<Wakers>);

#[derive(Default)]
struct Wakers {
    /// The number of the next one, never used twice.
    next: u64,
    by_number: HashMap<u64, Waker>,
}

impl Passengers {
    fn number(&self) -> u64 {
        let mut wakers = lock(&self.0);
        wakers.next += 1;
        wakers.next
    }

    fn note(&self, number: u64, waker: &Waker) {
        let replaced = lock(&self.0).by_number.insert(number, waker.clone());
        // what a waker holds may end with it, and come here again
        drop(replaced);
    }

    fn leave(&self, number: u64) {
        let own = lock(&self.0).by_number.remove(&number);
        drop(own);
    }

    fn wake_all(&self) {
        let wakers = std::mem::take(&mut lock(&self.0).by_number);
        wakers.into_values().for_each(Waker::wake);
    }
}

impl Wake for Passengers {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_all();
    }
}

/// No step leaves what is locked half changed, so a panic elsewhere does not make it unusable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// Answers what is in the slot, once something is.
    #[derive(Clone, Default)]
    struct Server(Arc<Mutex<(Option<u32>, Option<Waker>)>>);

    impl Server {
        fn answer(&self, answer: u32) {
            let mut slot = lock(&self.0);
            slot.0 = Some(answer);
            let waker = slot.1.take();
            drop(slot);
            if let Some(waker) = waker {
                waker.wake();
            }
        }

        fn pending(&self) -> Pending<u32> {
            let server = self.clone();
            Box::pin(std::future::poll_fn(move |context| {
                let mut slot = lock(&server.0);
                slot.1 = Some(context.waker().clone());
                slot.0.take().map_or(Poll::Pending, Poll::Ready)
            }))
        }
    }

    /// Counts how often it was woken.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn flights() -> Arc<Flights<u8, u32>> {
        Arc::new(Flights::new(|| 500))
    }

    const BOUND: Duration = Duration::from_secs(1);

    const fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    fn sent(server: &Server) -> impl FnOnce(Option<Seat<u8, u32>>, Departed) -> Pending<u32> {
        let pending = server.pending();
        |_, departed| {
            departed.note();
            pending
        }
    }

    fn never(_: Option<Seat<u8, u32>>, _: Departed) -> Pending<u32> {
        panic!("one more question was asked")
    }

    fn poll(seat: &mut Seat<u8, u32>, woken: &Arc<Woken>) -> Option<u32> {
        match Pin::new(seat).poll(&mut Context::from_waker(&Arc::clone(woken).into())) {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => None,
        }
    }

    #[test]
    fn whoever_wants_the_same_shares_one_question_and_is_woken_by_its_answer() {
        let (flights, server, woken) = (flights(), Server::default(), Arc::<Woken>::default());
        let mut first = flights.board(1, at(0), BOUND, sent(&server));
        let mut others: Vec<_> = (0..5).map(|_| flights.board(1, at(1), BOUND, never)).collect();
        assert_eq!(poll(&mut first, &woken), None);
        assert!(others.iter_mut().all(|seat| poll(seat, &woken).is_none()));
        server.answer(7);
        assert_eq!(woken.0.load(Ordering::SeqCst), 6);
        assert!(others.iter_mut().chain([&mut first]).all(|seat| poll(seat, &woken) == Some(7)));
        assert_eq!(flights.len(), 0, "while its passengers still sit");
        let another = Server::default();
        let mut next = flights.board(1, at(1), BOUND, sent(&another));
        another.answer(8);
        assert_eq!(poll(&mut next, &woken), Some(8));
    }

    #[test]
    fn whoever_moved_it_on_may_go_and_the_others_are_woken_all_the_same() {
        let (flights, server, woken) = (flights(), Server::default(), Arc::<Woken>::default());
        let mut first = flights.board(1, at(0), BOUND, sent(&server));
        let mut second = flights.board(1, at(0), BOUND, never);
        assert_eq!(poll(&mut second, &woken), None);
        // the last one to look is the one that the server knows of, and it goes
        assert_eq!(poll(&mut first, &Arc::default()), None);
        drop(first);
        server.answer(7);
        assert_eq!(woken.0.load(Ordering::SeqCst), 1);
        // woken, and gone before it looked
        let mut third = flights.board(1, at(0), BOUND, never);
        drop(second);
        assert_eq!(poll(&mut third, &woken), Some(7));
    }

    #[test]
    fn a_question_for_which_nobody_waits_is_given_up() {
        let (flights, server) = (flights(), Server::default());
        let seats = [flights.board(1, at(0), BOUND, sent(&server)), flights.board(1, at(0), BOUND, never)];
        drop(flights.board(2, at(0), BOUND, sent(&server)));
        assert_eq!(flights.len(), 1);
        drop(seats);
        assert_eq!(flights.len(), 0);
    }

    #[test]
    fn t37_nobody_gets_an_answer_to_a_question_that_was_sent_longer_ago_than_the_bound() {
        for (bound, late) in [(Duration::ZERO, at(0)), (BOUND, at(2))] {
            let (flights, woken) = (flights(), Arc::<Woken>::default());
            let (first, second) = (Server::default(), Server::default());
            let mut early = flights.board(1, at(0), bound, sent(&first));
            assert_eq!(poll(&mut early, &woken), None);
            let behind = |before: Option<Seat<u8, u32>>, departed: Departed| -> Pending<u32> {
                let (before, question) = (before.expect("there is one under way"), second.pending());
                Box::pin(async move {
                    before.await;
                    departed.note();
                    question.await
                })
            };
            let mut one = flights.board(1, late, bound, behind);
            let mut other = flights.board(1, late, bound, never);
            assert_eq!((poll(&mut one, &woken), poll(&mut other, &woken)), (None, None));
            second.answer(2);
            assert_eq!(poll(&mut one, &woken), None, "it waits behind the first");
            // the first is moved on by those who wait behind it
            drop(early);
            first.answer(1);
            assert_eq!((poll(&mut one, &woken), poll(&mut other, &woken)), (Some(2), Some(2)));
            drop((one, other));
            assert_eq!(flights.len(), 0);
        }
    }

    #[test]
    fn one_that_panics_answers_everybody_and_stays_for_nobody() {
        let (flights, woken) = (flights(), Arc::<Woken>::default());
        let mut first = flights.board(1, at(0), BOUND, |_, _| Box::pin(async { panic!("for this test") }));
        let mut second = flights.board(1, at(0), BOUND, never);
        assert_eq!((poll(&mut first, &woken), poll(&mut second, &woken)), (Some(500), Some(500)));
        assert_eq!(flights.len(), 0);
    }
}
