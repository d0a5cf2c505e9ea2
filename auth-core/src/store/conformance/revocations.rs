//! What a store of revocations promises, by itself and when several add at once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;

use crate::revocation::{Revocation, Target};
use crate::store::{Mark, RevocationStore};

use super::{Kept, Violation, at, good, same};

/// A check of one store without revocations.
type Check = fn(&dyn RevocationStore) -> Kept;

const ALL: &[Check] = &[
    what_was_added_comes_back_in_order_and_once,
    what_need_not_be_remembered_is_removed_and_nothing_else,
    who_reads_on_misses_nothing,
];

/// Runs every check of a store of revocations, each against a new and empty store.
///
/// # Errors
/// The first promise that was broken.
///
/// ```
/// use std::sync::Arc;
/// use auth_core::store::{MemoryRevocationStore, conformance};
///
/// conformance::check_revocations(|| Arc::new(MemoryRevocationStore::new()))?;
/// # Ok::<(), conformance::Violation>(())
/// ```
pub fn check_revocations(mut empty_store: impl FnMut() -> Arc<dyn RevocationStore>) -> Result<(), Violation> {
    ALL.iter().try_for_each(|one| one(&*empty_store()))
}

/// Everything after the mark, and the mark behind it.
fn read_on(store: &dyn RevocationStore, mut mark: Mark) -> Result<(Vec<Revocation>, Mark), Violation> {
    let mut all = Vec::new();
    loop {
        let changes = good("changes are answered", store.changes(mark))?;
        if changes.revocations.is_empty() {
            return Ok((all, mark));
        }
        all.extend(changes.revocations);
        mark = changes.mark;
    }
}

fn what_was_added_comes_back_in_order_and_once(store: &dyn RevocationStore) -> Kept {
    let promise = "what was added comes back as it was, in order, and not again after its mark";
    same(promise, &read_on(store, Mark::START)?.0, &vec![])?;
    let targets = [
        Target::credential("https://a", "t'1"),
        Target::session("https://a", "ünïcode"),
        Target::subject("https://a", ""),
        Target::Tenant("acme".into()),
        Target::Issuer("https://a".into()),
        Target::All,
    ];
    let mut added: Vec<_> = targets.into_iter().map(|target| Revocation::new(target, at(10))).collect();
    added.push(Revocation::new(Target::All, crate::Timestamp::MAX).issued_before(at(5)));
    for revocation in &added {
        good(promise, store.add(revocation.clone()))?;
    }
    let (all, mark) = read_on(store, Mark::START)?;
    same(promise, &all, &added)?;
    same(promise, &read_on(store, mark)?.0, &vec![])?;
    let again = Revocation::new(Target::All, at(20));
    good(promise, store.add(again.clone()))?;
    same(promise, &read_on(store, mark)?.0, &vec![again])
}

fn what_need_not_be_remembered_is_removed_and_nothing_else(store: &dyn RevocationStore) -> Kept {
    let promise = "what need not be remembered is removed, nothing else, and marks stay good";
    let of = |seconds: i64| Revocation::new(Target::Tenant(seconds.to_string().into()), at(seconds));
    for seconds in [30, 10, 20, 40] {
        good(promise, store.add(of(seconds)))?;
    }
    let (_, mark) = read_on(store, Mark::START)?;
    let mut removed = 0;
    loop {
        match good(promise, store.delete_ended(at(30)))? {
            0 => break,
            some => removed += some,
        }
    }
    same(promise, &removed, &2)?;
    same(promise, &read_on(store, Mark::START)?.0, &vec![of(30), of(40)])?;
    good(promise, store.delete_ended(at(100)))?;
    same(promise, &read_on(store, mark)?.0, &vec![])?;
    good(promise, store.add(of(50)))?;
    same(promise, &read_on(store, mark)?.0, &vec![of(50)])
}

fn who_reads_on_misses_nothing(store: &dyn RevocationStore) -> Kept {
    const WRITERS: i64 = 8;
    const EACH: i64 = 20;
    let promise = "who reads on from mark to mark while others add misses nothing";
    let mut seen = BTreeSet::new();
    let mut mark = Mark::START;
    let mut look = || -> Kept {
        let (some, next) = read_on(store, mark)?;
        mark = next;
        seen.extend(some.into_iter().map(|revocation| revocation.until));
        Ok(())
    };
    thread::scope(|scope| {
        let write = |writer: i64| {
            scope.spawn(move || {
                (0..EACH).try_for_each(|number| {
                    good(promise, store.add(Revocation::new(Target::All, at(writer * EACH + number))))
                })
            })
        };
        let writers: Vec<_> = (0..WRITERS).map(write).collect();
        while writers.iter().any(|writer| !writer.is_finished()) {
            look()?;
        }
        writers.into_iter().filter_map(|writer| writer.join().ok()).collect::<Kept>()
    })?;
    look()?;
    same(promise, &seen, &(0..WRITERS * EACH).map(at).collect())
}
