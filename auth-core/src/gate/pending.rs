//! Decisions that have to wait, and verifiers and stores that panic.
//!
//! One that panics must refuse the request, and must not take the connection's other requests with it: what it
//! was asked cannot be decided, which is a failure of ours and not of the caller.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;

use crate::clock::Now;
use crate::error::StoreError;
use crate::limit::{Charges, Spending};
use crate::outcome::{Outcome, Pending};
use crate::principal::Identity;
use crate::rejection::{Outage, Rejection, RequestFault};
use crate::store::{Answer, LimitStore};
use crate::verify::{Verified, Verifier};

/// Asks a verifier and survives its panics.
pub(super) fn verify_guarded(verifier: &dyn Verifier, text: &str, now: Now) -> Outcome<Verified> {
    guarded(|| verifier.verify(text, now), || Rejection::Unavailable(Outage::new("a verifier panicked")))
}

/// Asks a verifier what it remembers; one that panics remembers nothing.
pub(super) fn remembered_guarded(verifier: &dyn Verifier, credential: &[u8], now: Now) -> Option<Arc<Identity>> {
    catch_unwind(AssertUnwindSafe(|| verifier.remembered(credential, now))).unwrap_or_default()
}

/// Asks a verifier whether it knows a credential, and survives its panics.
pub(super) fn recall_guarded(verifier: &dyn Verifier, text: &str, now: Now) -> Option<Outcome<Verified>> {
    let panicked = || Rejection::Unavailable(Outage::new("a verifier panicked"));
    match catch_unwind(AssertUnwindSafe(|| verifier.recall(text, now))) {
        Ok(Some(Outcome::Wait(pending))) => Some(Outcome::Wait(guarded_later(pending, panicked))),
        Ok(known) => known,
        Err(_) => Some(Outcome::Done(Err(panicked()))),
    }
}

/// Asks a verifier for its verdict on bytes as they came; one that panics is asked again in the usual way.
pub(super) fn verify_bytes_guarded(verifier: &dyn Verifier, credential: &[u8], now: Now) -> Option<Outcome<Verified>> {
    let panicked = || Rejection::Unavailable(Outage::new("a verifier panicked"));
    match catch_unwind(AssertUnwindSafe(|| verifier.verify_bytes(credential, now))) {
        Ok(Some(Outcome::Wait(pending))) => Some(Outcome::Wait(guarded_later(pending, panicked))),
        Ok(verdict) => verdict,
        Err(_) => None,
    }
}

/// Charges budgets and survives a store's panics.
pub(super) fn spend_guarded(store: &dyn LimitStore, charges: &Charges<'_>, now: Now) -> Answer<Spending> {
    budgets_guarded(|| store.spend(charges, now))
}

/// Asks a store of budgets something and survives its panics.
pub(super) fn budgets_guarded(call: impl FnOnce() -> Answer<Spending>) -> Answer<Spending> {
    guarded(call, || StoreError::Unavailable("it panicked".to_owned()))
}

fn guarded<T: 'static, E: 'static>(
    call: impl FnOnce() -> Outcome<Result<T, E>>,
    panicked: fn() -> E,
) -> Outcome<Result<T, E>> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Outcome::Wait(pending)) => Outcome::Wait(guarded_later(pending, panicked)),
        Ok(done) => done,
        Err(_) => Outcome::Done(Err(panicked())),
    }
}

fn guarded_later<T: 'static, E: 'static>(
    mut pending: Pending<Result<T, E>>,
    panicked: fn() -> E,
) -> Pending<Result<T, E>> {
    Box::pin(poll_fn(move |context| {
        let polled = catch_unwind(AssertUnwindSafe(|| pending.as_mut().poll(context)));
        polled.unwrap_or_else(|_| Poll::Ready(Err(panicked())))
    }))
}

/// Waits for several credentials: all must be good and name the same subject of the same issuer. The first is the one
/// the request goes on with.
pub(super) fn all_agree(outcomes: Vec<Outcome<Verified>>) -> Outcome<Verified> {
    if outcomes.iter().any(|outcome| matches!(outcome, Outcome::Wait(_))) {
        return Outcome::Wait(Box::pin(async move { agree(together(outcomes).await) }));
    }
    Outcome::Done(agree(outcomes.into_iter().filter_map(done).collect()))
}

fn done<T>(outcome: Outcome<T>) -> Option<T> {
    match outcome {
        Outcome::Done(value) => Some(value),
        Outcome::Wait(_) => None,
    }
}

/// Waits for all at the same time, not for one after the other: one may be waiting for the place that another holds.
fn together<T: Send + Unpin + 'static>(mut outcomes: Vec<Outcome<T>>) -> impl Future<Output = Vec<T>> + Send {
    poll_fn(move |context| {
        for outcome in &mut outcomes {
            if let Outcome::Wait(pending) = outcome
                && let Poll::Ready(value) = pending.as_mut().poll(context)
            {
                *outcome = Outcome::Done(value);
            }
        }
        if outcomes.iter().any(|outcome| matches!(outcome, Outcome::Wait(_))) {
            return Poll::Pending;
        }
        Poll::Ready(std::mem::take(&mut outcomes).into_iter().filter_map(done).collect())
    })
}

fn agree(verified: Vec<Verified>) -> Verified {
    let identities = verified.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut identities = identities.into_iter();
    let first = identities.next().ok_or(Rejection::MissingCredential)?;
    if identities.any(|other| other.subject != first.subject || other.issuer != first.issuer) {
        return Err(Rejection::InvalidRequest(RequestFault::DisagreeingCredentials));
    }
    Ok(first)
}
