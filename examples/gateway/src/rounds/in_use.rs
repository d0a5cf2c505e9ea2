//! Which parts requests are asked about: those of the newest configuration, and those of the ones before it whose last
//! requests are not done yet.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use auth_core::gate::Context;

use super::part::Part;
use crate::wiring::Wired;

/// The parts that requests are asked about.
#[derive(Clone, Debug, Default)]
pub(crate) struct InUse(Arc<Mutex<Vec<Wiring>>>);

#[derive(Clone, Debug)]
struct Wiring {
    parts: Vec<Part>,
    /// There for as long as somebody can be admitted by the parts.
    context: Weak<Context>,
}

impl InUse {
    /// Adds the parts of the newest configuration.
    pub(crate) fn add(&self, wired: &Wired) {
        let wiring = Wiring { parts: Part::all_of(wired), context: Arc::downgrade(&wired.gate.context()) };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(wiring);
    }

    pub(super) fn newest(&self) -> Vec<Part> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.last().map(|wiring| wiring.parts.clone()).unwrap_or_default()
    }

    /// Writes down every use, and forgets the parts that there will be no more uses of.
    pub(super) fn write_down(&self) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // looked at before the last uses are written down, so that there can be none behind them
        let is_over: Vec<bool> = all.iter().map(|wiring| wiring.context.strong_count() == 0).collect();
        all.iter().flat_map(|wiring| &wiring.parts).for_each(Part::write_down);
        let mut is_over = is_over.into_iter();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_| !is_over.next().unwrap_or(false));
    }
}
