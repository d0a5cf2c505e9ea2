//! A context is counted apart by each thread.
//!
//! Every request that is admitted holds its context. Were all of them counted in one place, the processors would pass
//! that line of memory around, two times for each request: with two threads, a decision took twice as long.

use std::array;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::gate::Context;
use crate::thread_number::thread_number;

/// A context, as one thread hands it out, or a few do by chance: who clones this moves no count of the others.
///
/// Aligned such that processors which fetch lines in pairs do not fetch a neighbour's count.
#[repr(align(128))]
pub(crate) struct Share {
    context: Arc<Context>,
}

impl Share {
    /// The only share of a context.
    pub(crate) fn alone(context: Arc<Context>) -> Arc<Self> {
        Arc::new(Self { context })
    }

    pub(crate) fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// Whether both are shares of one context.
    pub(super) fn is_same(&self, context: &Self) -> bool {
        Arc::ptr_eq(&self.context, &context.context)
    }
}

impl Deref for Share {
    type Target = Context;

    fn deref(&self) -> &Context {
        &self.context
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.context.fmt(f)
    }
}

/// As many as there are processors in most machines; 16 KiB for each context of a gate.
const SHARES: usize = 64;

/// All shares of one context.
pub(super) struct Shares([Arc<Share>; SHARES]);

impl Shares {
    pub(super) fn new(context: Context) -> Self {
        let context = Arc::new(context);
        Self(array::from_fn(|_| Share::alone(Arc::clone(&context))))
    }

    /// The one of the thread that asks.
    pub(super) fn own(&self) -> &Arc<Share> {
        let [first, ..] = &self.0;
        thread_number().and_then(|number| self.0.get(number % SHARES)).unwrap_or(first)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    #[test]
    fn threads_have_shares_of_their_own_of_one_context() {
        const THREADS: usize = 20;
        let (shares, all_live) = (Shares::new(Context::default()), Barrier::new(THREADS));
        let ask = || {
            let own = shares.own();
            all_live.wait();
            assert!(Arc::ptr_eq(own, shares.own()));
            (Arc::as_ptr(own).addr(), Arc::as_ptr(own.context()).addr())
        };
        let (own, contexts): (BTreeSet<_>, BTreeSet<_>) = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|thread| thread.join().expect("a share")).unzip()
        });
        // two of them may meet in one where other tests have many threads
        assert!(own.len() > THREADS / 2 && contexts.len() == 1, "{}", own.len());
    }
}
