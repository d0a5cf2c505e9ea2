//! Decisions that have to wait, and verifiers and stores that panic.
//!
//! One that panics must refuse the request, and must not take the connection's other requests with it: what it
//! was asked cannot be decided, which is a failure of ours and not of the caller.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use crate::clock::Now;
use crate::error::StoreError;
use crate::limit::{Charges, Spending};
use crate::outcome::{Outcome, Pending};
use crate::rejection::{Outage, Rejection, RequestFault};
use crate::store::{Answer, LimitStore};
use crate::verify::{Verified, Verifier};

/// Asks a verifier and survives its panics.
pub(super) fn verify_guarded(verifier: &dyn Verifier, text: &str, now: Now) -> Outcome<Verified> {
    guarded(|| verifier.verify(text, now), || Rejection::Unavailable(Outage::new("a verifier panicked")))
}

/// Charges budgets and survives a store's panics.
pub(super) fn spend_guarded(store: &dyn LimitStore, charges: &Charges<'_>, now: Now) -> Answer<Spending> {
    guarded(|| store.spend(charges, now), || StoreError::Unavailable("it panicked".to_owned()))
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
        return Outcome::Wait(Box::pin(async move {
            let mut verified = Vec::with_capacity(outcomes.len());
            for outcome in outcomes {
                verified.push(outcome.resolve().await);
            }
            agree(verified)
        }));
    }
    let done = outcomes.into_iter().filter_map(|outcome| match outcome {
        Outcome::Done(verified) => Some(verified),
        Outcome::Wait(_) => None,
    });
    Outcome::Done(agree(done.collect()))
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
