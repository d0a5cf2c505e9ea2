//! Asking for leave to verify a credential, verifying it, and charging its failure.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, Now};
use crate::error::StoreError;
use crate::gate::pending::{budgets_guarded, verify_guarded};
use crate::limit::{Balance, Charges, Facts, Limit, Network, Spending, Verdict};
use crate::outcome::Outcome;
use crate::rejection::{CredentialFault, LimitExceeded, Rejection, RetryAfter};
use crate::store::{Answer, LimitStore};
use crate::verify::{Verified, Verifier};

use super::FailedAttempts;
use super::in_flight::{Place, Turn};

/// What the policy of failed attempts is called in answers.
const POLICY: &str = "failed-attempts";

/// A request that would like to have a credential verified.
#[derive(Clone)]
pub(super) struct Asking {
    pub(super) guard: FailedAttempts,
    pub(super) origin: Option<Network>,
    pub(super) clock: Arc<dyn Clock>,
}

/// What the budgets say.
enum Said {
    Go(Attempt),
    /// There is room, but attempts under way may yet need it.
    Crowded(Turn),
    /// Nothing is left, for so long.
    Spent(Duration),
    /// It could not be asked.
    Refused(Rejection),
}

pub(super) type Permit = Result<Attempt, Rejection>;

impl Asking {
    pub(super) fn ask(self, now: Now) -> Outcome<Permit> {
        match self.ask_budget(now) {
            Outcome::Done(said) => self.conclude(said, now),
            Outcome::Wait(pending) => Outcome::Wait(Box::pin(async move {
                let said = pending.await;
                let now = self.clock.now();
                self.conclude(said, now).resolve().await
            })),
        }
    }

    fn conclude(self, said: Said, now: Now) -> Outcome<Permit> {
        match said {
            Said::Go(attempt) => Outcome::Done(Ok(attempt)),
            Said::Spent(wait) => self.ask_trickle(wait, now),
            Said::Refused(rejection) => Outcome::Done(Err(rejection)),
            Said::Crowded(turn) => Outcome::Wait(Box::pin(self.wait_for(turn))),
        }
    }

    async fn wait_for(self, mut turn: Turn) -> Permit {
        loop {
            turn.await;
            let now = self.clock.now();
            match self.ask_budget(now).resolve().await {
                Said::Go(attempt) => return Ok(attempt),
                Said::Spent(wait) => {
                    let now = self.clock.now();
                    return self.ask_trickle(wait, now).resolve().await;
                }
                Said::Refused(rejection) => return Err(rejection),
                Said::Crowded(next) => turn = next,
            }
        }
    }

    /// Looks whether there is room for this attempt beside all that are under way.
    fn ask_budget(&self, now: Now) -> Outcome<Said> {
        let place = self.guard.in_flight.enter(self.origin);
        let asking = self.clone();
        let look = self.charge(&self.guard.failures, place.position, |store, charges| store.look(charges, now));
        look.map(move |answer| asking.read(answer, place))
    }

    fn read(self, answer: Result<Spending, StoreError>, place: Place) -> Said {
        let spending = match answer {
            Ok(spending) => spending,
            Err(error) => {
                return match self.guard.during_outage.answer(POLICY, &error) {
                    Ok(()) => Said::Go(Attempt { asking: self, place: None }),
                    Err(rejection) => Said::Refused(rejection),
                };
            }
        };
        let left = spending.first().map_or(0, Balance::remaining);
        if spending.verdict() == Verdict::Fits {
            return Said::Go(Attempt { asking: self, place: Some(place) });
        }
        if left > 0 {
            return Said::Crowded(place.queue());
        }
        Said::Spent(spending.first().map_or(Duration::ZERO, Balance::until_one))
    }

    /// Takes one of the verifications that an address with a spent budget has left.
    fn ask_trickle(self, wait: Duration, now: Now) -> Outcome<Permit> {
        let spent = self.charge(&self.guard.trickle, 1, |store, charges| store.spend(charges, now));
        spent.map(move |answer| match answer.map(|spending| spending.verdict()) {
            Ok(Verdict::Fits) => Ok(Attempt { asking: self, place: None }),
            Ok(Verdict::Wait(sooner)) => Err(too_many(wait.min(sooner))),
            Ok(Verdict::Never) => Err(too_many(wait)),
            Err(error) => {
                self.guard.during_outage.answer(POLICY, &error).map(|()| Attempt { asking: self, place: None })
            }
        })
    }

    fn charge(
        &self,
        limit: &Limit,
        units: u32,
        how: impl FnOnce(&dyn LimitStore, &Charges<'_>) -> Answer<Spending>,
    ) -> Answer<Spending> {
        let facts = Facts { network: self.origin, ..Facts::default() };
        let charge = limit.charge(units);
        let charges = Charges::single(&facts, &charge);
        budgets_guarded(|| how(&*self.guard.store, &charges))
    }
}

fn too_many(wait: Duration) -> Rejection {
    Rejection::TooManyFailures(LimitExceeded { retry_after: Some(RetryAfter(wait)), policies: vec![POLICY.to_owned()] })
}

/// Leave to verify one credential.
pub(super) struct Attempt {
    asking: Asking,
    /// Where a failure is to be charged; one of the trickle is paid for.
    place: Option<Place>,
}

impl Attempt {
    pub(super) fn make(self, verifier: &dyn Verifier, text: &str, now: Now) -> Outcome<Verified> {
        match verify_guarded(verifier, text, now) {
            Outcome::Done(verdict) => self.settle(verdict, now),
            Outcome::Wait(pending) => Outcome::Wait(Box::pin(async move {
                let verdict = pending.await;
                let now = self.asking.clock.now();
                self.settle(verdict, now).resolve().await
            })),
        }
    }

    /// Charges a failure, before the attempt stops counting as one under way.
    fn settle(mut self, verdict: Verified, now: Now) -> Outcome<Verified> {
        let Some(place) = self.place.take().filter(|_| is_failure(&verdict)) else { return Outcome::Done(verdict) };
        self.debit(now).map(move |answer| {
            if let Err(error) = answer {
                tracing::warn!(target: "auth::decision", %error, "a failed attempt could not be counted");
            }
            drop(place);
            verdict
        })
    }

    fn debit(&self, now: Now) -> Answer<Spending> {
        self.asking.charge(&self.asking.guard.failures, 1, |store, charges| store.debit(charges, now))
    }
}

/// An attempt that was given up, by a client that hung up, has cost what a failed one costs. A store that has to be
/// waited for does not hear of it.
impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(place) = self.place.take() {
            drop(self.debit(self.asking.clock.now()));
            drop(place);
        }
    }
}

/// Whether a credential was looked at and found bad. A form that the verifier could not even read is no guess, and what
/// could not be decided is nobody's fault.
fn is_failure(verdict: &Verified) -> bool {
    match verdict {
        Err(Rejection::InvalidCredential(fault)) => {
            !matches!(fault, CredentialFault::Malformed | CredentialFault::TooLong)
        }
        Ok(_) | Err(_) => false,
    }
}
