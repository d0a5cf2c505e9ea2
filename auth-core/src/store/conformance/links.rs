//! What a store of links promises.

use std::sync::Arc;

use crate::account::AccountLink;
use crate::store::{LinkStore, Removal};

use super::races::at_once;
use super::{Kept, Violation, answer, at, good, same};

/// Runs every check of a store of links, each against a new and empty store.
///
/// # Errors
/// The first promise that was broken.
///
/// ```
/// use std::sync::Arc;
/// use auth_core::store::{MemoryLinkStore, conformance};
///
/// conformance::check_links(|| Arc::new(MemoryLinkStore::new()))?;
/// # Ok::<(), conformance::Violation>(())
/// ```
pub fn check_links(mut empty_store: impl FnMut() -> Arc<dyn LinkStore>) -> Result<(), Violation> {
    a_subject_is_one_account(&*empty_store())?;
    what_is_removed_is_gone(&*empty_store())?;
    one_of_many_says_which_account(&empty_store())
}

fn link(issuer: &str, subject: &str, account: &str) -> AccountLink {
    AccountLink::new(issuer, subject, account, at(1))
}

fn a_subject_is_one_account(store: &dyn LinkStore) -> Kept {
    let promise = "a subject of an issuer is the first account that it was linked to";
    for (issuer, subject, account, linked) in [
        ("a", "1", "acc_1", "acc_1"),
        ("a", "1", "acc_2", "acc_1"),
        ("b", "1", "acc_2", "acc_2"),
        ("a", "2", "acc_1", "acc_1"),
        ("A", "1", "acc_3", "acc_3"),
    ] {
        same(promise, &good(promise, store.link(link(issuer, subject, account)))?, &linked.into())?;
        same(promise, &good(promise, store.linked(issuer, subject))?.as_deref(), &Some(linked))?;
    }
    same(promise, &good(promise, store.linked("b", "2"))?, &None)?;
    let promise = "the links of an account are those of that account";
    same(promise, &good(promise, store.links("acc_1"))?, &vec![link("a", "1", "acc_1"), link("a", "2", "acc_1")])?;
    same(promise, &good(promise, store.links("acc_9"))?, &Vec::new())
}

fn what_is_removed_is_gone(store: &dyn LinkStore) -> Kept {
    let promise = "a link that is removed is gone, and the subject can be linked anew";
    good(promise, store.link(link("a", "1", "acc_1")))?;
    same(promise, &good(promise, store.unlink("a", "1"))?, &Removal::Removed)?;
    same(promise, &good(promise, store.unlink("a", "1"))?, &Removal::Absent)?;
    same(promise, &good(promise, store.linked("a", "1"))?, &None)?;
    same(promise, &good(promise, store.link(link("a", "1", "acc_2")))?, &"acc_2".into())
}

fn one_of_many_says_which_account(store: &Arc<dyn LinkStore>) -> Kept {
    let promise = "of many that link one subject at once, one says to which account, and all are answered it";
    let answers = at_once(|number| answer(store.link(link("a", "1", &format!("acc_{number}")))));
    let first = answers.first().cloned();
    let agree = answers.iter().all(|given| given.is_ok() && Some(given) == first.as_ref());
    same(promise, &agree, &true)
}
