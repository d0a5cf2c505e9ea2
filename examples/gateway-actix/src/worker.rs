//! One worker's gateway: made anew when another generation is in force.

use std::cell::RefCell;
use std::sync::Arc;

use arc_swap::ArcSwap;
use gateway::gateway::Gateway;
use gateway::reload::Generation;

/// The generation in force, for all workers.
pub(crate) type Current = Arc<ArcSwap<Generation>>;

/// What one worker serves by. Its connections to the upstreams belong to its thread.
pub(crate) struct Worker {
    current: Current,
    made: RefCell<Made>,
}

struct Made {
    of: Arc<Generation>,
    gateway: Arc<Gateway>,
}

impl Worker {
    pub(crate) fn new(current: Current) -> Self {
        let made = RefCell::new(Made::of(current.load_full()));
        Self { current, made }
    }

    /// The gateway for a request that comes now.
    pub(crate) fn gateway(&self) -> Arc<Gateway> {
        let current = self.current.load();
        let mut made = self.made.borrow_mut();
        if !Arc::ptr_eq(&made.of, &current) {
            *made = Made::of(Arc::clone(&current));
        }
        Arc::clone(&made.gateway)
    }
}

impl Made {
    fn of(generation: Arc<Generation>) -> Self {
        Self { gateway: Arc::new(generation.gateway()), of: generation }
    }
}
