//! How many credentials of one network are being verified right now, and who waits for them.
//!
//! A budget of failures is charged once an attempt has failed. Until then the attempt counts here, so that a thousand
//! guesses at the same moment find as little room as a thousand one after the other. Whoever finds room taken by
//! attempts that may yet turn out to be good waits for one of them to end.
//!
//! Only credentials that have to be verified the costly way come here, one short lock each way. There is one entry per
//! network with a request under way, so memory is bounded by the number of requests.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::limit::Network;

/// Where a request comes from; those from nowhere known are one.
type Origin = Option<Network>;

#[derive(Default)]
pub(super) struct InFlight(Mutex<Crowds>);

#[derive(Default)]
struct Crowds {
    by_origin: HashMap<Origin, Crowd>,
    /// The number of the next one who waits. It outlives the crowds: whoever was called may look only after its crowd
    /// is gone and another has come, and must not take somebody of that one for itself.
    next: u64,
}

/// The attempts of one network.
#[derive(Default)]
struct Crowd {
    inside: u32,
    /// Those who wait, the longest first.
    waiting: VecDeque<(u64, Option<Waker>)>,
}

impl InFlight {
    /// Counts one more attempt.
    pub(super) fn enter(self: &Arc<Self>, origin: Origin) -> Place {
        let mut crowds = self.crowds();
        let crowd = crowds.by_origin.entry(origin).or_default();
        crowd.inside = crowd.inside.saturating_add(1);
        Place { position: crowd.inside, is_held: true, origin, in_flight: Arc::clone(self) }
    }

    /// No step leaves the counts half changed.
    fn crowds(&self) -> MutexGuard<'_, Crowds> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the crowd of a network; it is forgotten once nobody is in it. Whoever is to be woken is woken afterwards.
    fn change<T>(&self, origin: Origin, change: impl FnOnce(&mut Crowd, &mut u64) -> (T, Option<Waker>)) -> T {
        let mut crowds = self.crowds();
        let Crowds { by_origin, next } = &mut *crowds;
        let crowd = by_origin.entry(origin).or_default();
        let (value, woken) = change(crowd, next);
        if crowd.inside == 0 && crowd.waiting.is_empty() {
            by_origin.remove(&origin);
        }
        drop(crowds);
        if let Some(waker) = woken {
            waker.wake();
        }
        value
    }
}

impl Crowd {
    fn leave(&mut self) {
        self.inside = self.inside.saturating_sub(1);
    }

    /// Takes the one who has waited longest out of the queue; it finds out when it looks.
    fn call_next(&mut self) -> Option<Waker> {
        self.waiting.pop_front().and_then(|(_, waker)| waker)
    }
}

/// An attempt under way; dropping it ends it, and calls the next who waits.
pub(super) struct Place {
    /// How many attempts of the network were under way when this one began, itself included.
    pub(super) position: u32,
    is_held: bool,
    origin: Origin,
    in_flight: Arc<InFlight>,
}

impl Place {
    /// Gives the place up before the attempt was made, and waits until another attempt has ended.
    ///
    /// Where no other is under way any more there is nothing to wait for. That also calls nobody: this one goes on, and
    /// whoever waits is called when it is done.
    pub(super) fn queue(mut self) -> Turn {
        self.is_held = false;
        let number = self.in_flight.change(self.origin, |crowd, next| {
            crowd.leave();
            if crowd.inside == 0 {
                return (None, None);
            }
            let number = *next;
            *next = next.wrapping_add(1);
            crowd.waiting.push_back((number, None));
            (Some(number), None)
        });
        Turn { number, is_taken: false, origin: self.origin, in_flight: Arc::clone(&self.in_flight) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_held {
            self.in_flight.change(self.origin, |crowd, _| {
                crowd.leave();
                ((), crowd.call_next())
            });
        }
    }
}

/// Waits for its turn to try again.
pub(super) struct Turn {
    number: Option<u64>,
    /// Whether it found out that it was called.
    is_taken: bool,
    origin: Origin,
    in_flight: Arc<InFlight>,
}

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let is_waiting = self.number.is_some_and(|number| {
            self.in_flight.change(self.origin, |crowd, _| {
                let own = crowd.waiting.iter_mut().find(|(waiting, _)| *waiting == number);
                let is_waiting = own.is_some();
                if let Some((_, waker)) = own {
                    *waker = Some(context.waker().clone());
                }
                (is_waiting, None)
            })
        });
        if is_waiting {
            return Poll::Pending;
        }
        self.is_taken = true;
        Poll::Ready(())
    }
}

/// A call that was not heard goes to the next.
impl Drop for Turn {
    fn drop(&mut self) {
        let Some(number) = self.number.filter(|_| !self.is_taken) else { return };
        self.in_flight.change(self.origin, |crowd, _| {
            let own = crowd.waiting.iter().position(|(waiting, _)| *waiting == number);
            match own {
                Some(place) => {
                    crowd.waiting.remove(place);
                    ((), None)
                }
                None => ((), crowd.call_next()),
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    fn is_called(turn: &mut Pin<&mut Turn>) -> bool {
        turn.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn whoever_was_called_and_looks_late_does_not_take_another_for_itself() {
        let in_flight = Arc::new(InFlight::default());
        let first = in_flight.enter(None);
        let mut second = pin!(in_flight.enter(None).queue());
        drop(first);
        assert!(in_flight.crowds().by_origin.is_empty());

        let third = in_flight.enter(None);
        let mut fourth = pin!(in_flight.enter(None).queue());
        assert!(!is_called(&mut fourth));
        assert!(is_called(&mut second), "it was called before the fourth came");
        drop(third);
        assert!(is_called(&mut fourth));
    }
}
