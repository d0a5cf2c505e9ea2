//! A gate that serves while what it decides by is replaced.
//!
//! A decision takes the context once, with one atomic load and without a lock, and keeps it to its end. So does a
//! layer inside another of the same gate: the principal brings along the context that admitted it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};

use crate::clock::{Clock, Now};
use crate::error::ConfigErrors;
use crate::gate::GateBuilder;
use crate::gate::share::Shares;
use crate::policy::Rule;

/// What every clone of a gate shares, its layers included.
pub(super) struct Live {
    pub(super) id: GateId,
    clock: Arc<dyn Clock>,
    /// Whether the current context keeps budgets, for which the time of the last tick is not enough.
    needs_exact_time: AtomicBool,
    current: ArcSwap<Shares>,
    /// Held by whoever replaces the context or adds a layer to it; decisions never ask for it.
    changing: Mutex<()>,
}

/// Tells gates apart, so that none takes over what another one admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GateId(u64);

impl GateId {
    fn fresh() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl Live {
    pub(super) fn new(builder: GateBuilder) -> Result<Self, ConfigErrors> {
        let (id, clock) = (GateId::fresh(), builder.own_clock());
        clock.now(); // whatever a clock has to prepare, no request waits for
        let context = builder.context(id, Arc::clone(&clock), Vec::new())?;
        let needs_exact_time = AtomicBool::new(context.keeps_budgets());
        let current = ArcSwap::from_pointee(Shares::new(context));
        Ok(Self { id, clock, needs_exact_time, current, changing: Mutex::new(()) })
    }

    pub(super) fn now(&self) -> Now {
        if self.needs_exact_time.load(Ordering::Relaxed) { self.clock.now() } else { self.clock.recent() }
    }

    /// What decides now, in all its shares.
    pub(super) fn current(&self) -> Guard<Arc<Shares>> {
        self.current.load()
    }

    pub(super) fn add_layer(&self, rule: &Arc<Rule>) -> Result<(), ConfigErrors> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let shares = self.current();
        let current = shares.own();
        current.layers.add(rule, current.compile(rule)?);
        Ok(())
    }

    pub(super) fn replace(&self, builder: GateBuilder) -> Result<(), ConfigErrors> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let shares = self.current();
        let current = shares.own();
        let mut next = builder.context(self.id, Arc::clone(&self.clock), current.layers.rules())?;
        next.go_on_from(current);
        self.needs_exact_time.store(next.keeps_budgets(), Ordering::Relaxed);
        self.current.store(Arc::new(Shares::new(next)));
        Ok(())
    }
}
