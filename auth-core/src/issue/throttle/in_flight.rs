//! How many logins are under way at each budget, and who waits for them.
//!
//! There is one entry for each budget with a login under way, so memory is bounded by the number of requests. One lock
//! is enough: what follows takes as long as hashing a password.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The name of a budget.
pub(super) type Name = Arc<str>;

#[derive(Default)]
pub(super) struct InFlight(Mutex<Crowds>);

#[derive(Default)]
struct Crowds {
    inside: HashMap<Name, u32>,
    /// Those who wait, the longest first.
    waiting: VecDeque<Waiting>,
    /// The number of the next one who waits.
    next: u64,
}

struct Waiting {
    number: u64,
    /// The budget at which there was no room.
    at: Name,
    waker: Option<Waker>,
}

impl InFlight {
    /// Counts one more attempt at each of these budgets, in one step.
    pub(super) fn enter(self: &Arc<Self>, names: Vec<Name>) -> Place {
        let mut crowds = self.crowds();
        let mut count = |name: &Name| {
            let inside = crowds.inside.entry(Arc::clone(name)).or_default();
            *inside = inside.saturating_add(1);
            *inside
        };
        let positions = names.iter().map(&mut count).collect();
        Place { positions, names, in_flight: Arc::clone(self) }
    }

    /// No step leaves the counts half changed.
    fn crowds(&self) -> MutexGuard<'_, Crowds> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Crowds {
    /// Ends an attempt at a budget; how many are left.
    fn leave(&mut self, name: &Name) -> u32 {
        let Some(inside) = self.inside.get_mut(name) else { return 0 };
        *inside = inside.saturating_sub(1);
        let left = *inside;
        if left == 0 {
            self.inside.remove(name);
        }
        left
    }

    /// Takes the one who has waited longest at a budget out of the queue; it finds out when it looks.
    fn call_next(&mut self, name: &Name) -> Option<Waker> {
        let place = self.waiting.iter().position(|waiting| waiting.at == *name)?;
        self.waiting.remove(place)?.waker
    }
}

/// An attempt under way; dropping it ends it, and calls who waits at its budgets.
pub(super) struct Place {
    /// How many attempts were under way at each budget when this one began, itself included.
    pub(super) positions: Vec<u32>,
    names: Vec<Name>,
    in_flight: Arc<InFlight>,
}

impl Place {
    /// Gives the place up before the attempt was made, and waits until another attempt at that budget has ended.
    ///
    /// Where none is under way there any more, there is nothing to wait for. At the other budgets somebody may have
    /// seen this one and wait for it, so the next is called where nobody else would.
    pub(super) fn queue(mut self, at: usize) -> Turn {
        let names = std::mem::take(&mut self.names);
        let mut wakers = Vec::new();
        let mut crowds = self.in_flight.crowds();
        let mut number = None;
        for (place, name) in names.iter().enumerate() {
            let left = crowds.leave(name);
            if place == at && left > 0 {
                let own = crowds.next;
                crowds.next = crowds.next.wrapping_add(1);
                crowds.waiting.push_back(Waiting { number: own, at: Arc::clone(name), waker: None });
                number = Some(own);
            } else if place != at && left == 0 {
                wakers.extend(crowds.call_next(name));
            }
        }
        drop(crowds);
        wakers.into_iter().for_each(Waker::wake);
        Turn { number, is_taken: false, at: names.get(at).cloned(), in_flight: Arc::clone(&self.in_flight) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut crowds = self.in_flight.crowds();
        let mut wakers = Vec::new();
        for name in &self.names {
            crowds.leave(name);
            wakers.extend(crowds.call_next(name));
        }
        drop(crowds);
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// Waits for its turn to try again.
pub(super) struct Turn {
    number: Option<u64>,
    /// Whether it found out that it was called.
    is_taken: bool,
    at: Option<Name>,
    in_flight: Arc<InFlight>,
}

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let Some(number) = self.number {
            let mut crowds = self.in_flight.crowds();
            if let Some(own) = crowds.waiting.iter_mut().find(|waiting| waiting.number == number) {
                own.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
        }
        self.is_taken = true;
        Poll::Ready(())
    }
}

/// A call that was not heard goes to the next.
impl Drop for Turn {
    fn drop(&mut self) {
        let (Some(number), Some(at), false) = (self.number, &self.at, self.is_taken) else { return };
        let mut crowds = self.in_flight.crowds();
        let own = crowds.waiting.iter().position(|waiting| waiting.number == number);
        let woken = match own {
            Some(place) => {
                crowds.waiting.remove(place);
                None
            }
            None => crowds.call_next(at),
        };
        drop(crowds);
        if let Some(waker) = woken {
            waker.wake();
        }
    }
}
