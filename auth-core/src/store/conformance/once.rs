//! What a store of things that may be used once promises.

use std::sync::Arc;

use crate::store::{OnceKey, OnceStore, Spending};

use super::races::{MANY, at_once};
use super::{Kept, Violation, answer, at, good, same};

/// Runs every check of a store of things that may be used once, each against a new and empty store.
///
/// # Errors
/// The first promise that was broken.
///
/// ```
/// use std::sync::Arc;
/// use auth_core::store::{MemoryOnceStore, conformance};
///
/// conformance::check_once(|| Arc::new(MemoryOnceStore::new()))?;
/// # Ok::<(), conformance::Violation>(())
/// ```
pub fn check_once(mut empty_store: impl FnMut() -> Arc<dyn OnceStore>) -> Result<(), Violation> {
    one_use_succeeds(&*empty_store())?;
    what_has_ended_is_forgotten(&*empty_store())?;
    one_of_many_succeeds(&empty_store())
}

fn key(name: &str) -> OnceKey {
    OnceKey::new("test", "somebody", name)
}

fn one_use_succeeds(store: &dyn OnceStore) -> Kept {
    let promise = "a thing is used once, and another one too";
    for (name, outcome) in [("a", Spending::Spent), ("a", Spending::Refused), ("b", Spending::Spent)] {
        same(promise, &good(promise, store.use_once(&key(name), at(10)))?, &outcome)?;
    }
    Ok(())
}

fn what_has_ended_is_forgotten(store: &dyn OnceStore) -> Kept {
    let promise = "what has to be remembered no longer is forgotten, and nothing else";
    good(promise, store.use_once(&key("a"), at(10)))?;
    good(promise, store.use_once(&key("b"), at(11)))?;
    let mut forgotten = 0;
    loop {
        match good(promise, store.delete_ended(at(11)))? {
            0 => break,
            more => forgotten += more,
        }
    }
    same(promise, &forgotten, &1)?;
    same(promise, &good(promise, store.use_once(&key("b"), at(20)))?, &Spending::Refused)?;
    same(promise, &good(promise, store.use_once(&key("a"), at(20)))?, &Spending::Spent)
}

fn one_of_many_succeeds(store: &Arc<dyn OnceStore>) -> Kept {
    let promise = "of many that use a thing at once, one succeeds";
    let outcomes = at_once(|_| answer(store.use_once(&key("a"), at(10))));
    let spent = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Spending::Spent))).count();
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Spending::Refused))).count();
    same(promise, &(spent, refused), &(1, usize::from(MANY) - 1))
}
