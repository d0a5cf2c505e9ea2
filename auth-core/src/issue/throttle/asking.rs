//! Asking for leave to compare a password.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::error::StoreError;
use crate::limit::{Balance, Charge, Charges, Facts, Limit, Network, Scope, Spending, Verdict};
use crate::outcome::Outcome;
use crate::rejection::{LimitExceeded, Outage, Rejection, RetryAfter};
use crate::store::{Answer, LimitStore};

use super::in_flight::{InFlight, Name, Place, Turn};
use super::{LoginAttempt, ThrottleQuotas};

/// What the policy is called in answers.
const POLICY: &str = "failed-logins";
/// The limits' names. No limit of a plan can have one of them, which keeps their budgets apart in a shared store.
const PAIR: &str = "\u{1}login pair";
const SOURCE: &str = "\u{1}login source";
const STRANGERS: &str = "\u{1}login strangers";
const TRICKLE: &str = "\u{1}login trickle";

/// Bounds how many logins fail, per account and per source, such that strangers lock nobody out.
///
/// A source is an IPv4 address or an IPv6 /64. One that somebody logged in to the account from before has room of its
/// own there. All others share what the account has for strangers, and beyond that a trickle; and each of them has so
/// much at all accounts together. Success costs nothing. Clones share everything.
///
/// ```
/// use std::sync::Arc;
/// use auth_core::issue::{Familiarity, LoginThrottle, ThrottleQuotas};
/// use auth_core::store::MemoryLimitStore;
/// use auth_core::{Outcome, SystemClock};
///
/// let mut quotas = ThrottleQuotas::default();
/// quotas.pair = "2/hour".parse()?;
/// let throttle = LoginThrottle::new(quotas, Arc::new(MemoryLimitStore::new()), Arc::new(SystemClock));
/// let source = "192.0.2.7".parse().ok();
/// for _ in 0..2 {
///     let Outcome::Done(Ok(attempt)) = throttle.begin("ada", source, Familiarity::Stranger) else { unreachable!() };
///     attempt.failed();
/// }
/// assert!(matches!(throttle.begin("ada", source, Familiarity::Stranger), Outcome::Done(Err(_))));
/// # Ok::<(), auth_core::ConfigError>(())
/// ```
///
/// Security: the count is exact within a process; processes that share a store may each have as many attempts under way
/// as a budget still holds.
#[derive(Clone)]
pub struct LoginThrottle {
    limits: Arc<Limits>,
    store: Arc<dyn LimitStore>,
    clock: Arc<dyn Clock>,
    in_flight: Arc<InFlight>,
}

#[derive(Debug)]
struct Limits {
    pair: Limit,
    source: Limit,
    strangers: Limit,
    trickle: Limit,
}

impl Limits {
    fn new(quotas: &ThrottleQuotas) -> Self {
        Self {
            pair: Limit::new(PAIR, quotas.pair, Scope::PRINCIPAL | Scope::NETWORK),
            source: Limit::new(SOURCE, quotas.source, Scope::NETWORK),
            strangers: Limit::new(STRANGERS, quotas.strangers, Scope::PRINCIPAL),
            trickle: Limit::new(TRICKLE, quotas.trickle, Scope::PRINCIPAL),
        }
    }
}

/// Whether somebody logged in to the account from that source before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Familiarity {
    /// They did, not too long ago; see [`knows_source`](crate::store::AccountStore::knows_source).
    Known,
    /// Nobody did, or there is no such account.
    Stranger,
}

/// A login that would like to begin.
#[derive(Clone)]
pub(super) struct Asking {
    throttle: LoginThrottle,
    who: Arc<str>,
    origin: Option<Network>,
    familiarity: Familiarity,
}

/// What the budgets say.
enum Said {
    Go(Place),
    /// There is room, but attempts under way may yet need it.
    Crowded(Turn),
    /// Nothing is left, for so long.
    Spent(Duration),
    /// The strangers have nothing left, for so long; there is the trickle.
    Beyond(Place, Duration),
    /// It could not be asked.
    Refused(Rejection),
}

impl LoginThrottle {
    /// Counts the logins under way together with those of the throttle that this one replaces, which may have another
    /// configuration.
    #[must_use]
    pub fn continuing(self, replaced: &Self) -> Self {
        Self { in_flight: Arc::clone(&replaced.in_flight), ..self }
    }

    /// Counts in a store that others may use too.
    pub fn new(quotas: ThrottleQuotas, store: Arc<dyn LimitStore>, clock: Arc<dyn Clock>) -> Self {
        Self { limits: Arc::new(Limits::new(&quotas)), store, clock, in_flight: Arc::default() }
    }

    /// What the source of a request is called where an account's known sources are kept: the address, or the /64 of an
    /// IPv6 address.
    pub fn source_name(address: IpAddr) -> String {
        Network::of(address).to_string()
    }

    /// Asks for leave to compare a password, before any work is done.
    ///
    /// `who` is the [folded](crate::account::LoginName::folded) name that is logged in to, whether anybody has it or
    /// not. Requests from nowhere known are one source. Waits where attempts under way may yet need the room that is
    /// left.
    ///
    /// # Errors
    /// [`Rejection::TooManyFailures`] with the time after which there is room, and [`Rejection::Unavailable`] where the
    /// store cannot tell: what bounds guessing is no bound if it can be switched off by bringing down the store.
    pub fn begin(
        &self,
        who: &str,
        source: Option<IpAddr>,
        familiarity: Familiarity,
    ) -> Outcome<Result<LoginAttempt, Rejection>> {
        let origin = source.map(Network::of);
        Asking { throttle: self.clone(), who: who.into(), origin, familiarity }.ask()
    }
}

impl Asking {
    fn ask(self) -> Outcome<Result<LoginAttempt, Rejection>> {
        match self.look() {
            Outcome::Done(Said::Crowded(turn)) => Outcome::Wait(Box::pin(self.wait_for(turn))),
            Outcome::Done(said) => self.conclude(said),
            Outcome::Wait(pending) => Outcome::Wait(Box::pin(async move {
                match pending.await {
                    Said::Crowded(turn) => self.wait_for(turn).await,
                    said => self.conclude(said).resolve().await,
                }
            })),
        }
    }

    async fn wait_for(self, mut turn: Turn) -> Result<LoginAttempt, Rejection> {
        loop {
            turn.await;
            match self.look().resolve().await {
                Said::Crowded(next) => turn = next,
                said => return self.conclude(said).resolve().await,
            }
        }
    }

    fn conclude(self, said: Said) -> Outcome<Result<LoginAttempt, Rejection>> {
        match said {
            Said::Go(place) => Outcome::Done(Ok(LoginAttempt::new(self, place))),
            Said::Spent(wait) => Outcome::Done(Err(too_many(wait))),
            Said::Beyond(place, wait) => self.ask_trickle(place, wait),
            Said::Refused(rejection) => Outcome::Done(Err(rejection)),
            // nobody concludes from a crowd
            Said::Crowded(_) => Outcome::Done(Err(too_many(Duration::ZERO))),
        }
    }

    /// The budgets that failures of this login are counted in.
    fn budgets(&self) -> &'static [Budget] {
        match self.familiarity {
            // its failures at other accounts are not held against it, but this one is held against it there
            Familiarity::Known => &[Budget::Pair],
            Familiarity::Stranger => &[Budget::Pair, Budget::Source, Budget::Strangers],
        }
    }

    fn limit(&self, budget: Budget) -> &Limit {
        let limits = &self.throttle.limits;
        match budget {
            Budget::Pair => &limits.pair,
            Budget::Source => &limits.source,
            Budget::Strangers => &limits.strangers,
            Budget::Trickle => &limits.trickle,
        }
    }

    fn facts(&self) -> Facts<'_> {
        Facts { principal: Some(("", &self.who)), network: self.origin, ..Facts::default() }
    }

    /// Looks whether there is room for this attempt beside all that are under way.
    fn look(&self) -> Outcome<Said> {
        let budgets = self.budgets();
        let name = |budget: &Budget| Name::from(self.limit(*budget).budget(&self.facts()).to_string());
        let place = self.throttle.in_flight.enter(budgets.iter().map(name).collect());
        let with_position = |(budget, units): (&Budget, &u32)| self.limit(*budget).charge(*units);
        let charges: Vec<_> = budgets.iter().zip(&place.positions).map(with_position).collect();
        let told = self.ask_store(&charges, |store, charges| store.look(charges, self.throttle.clock.now()));
        told.map(move |answer| read(answer, budgets, place))
    }

    /// Takes one of the attempts that strangers have left.
    fn ask_trickle(self, place: Place, wait: Duration) -> Outcome<Result<LoginAttempt, Rejection>> {
        let charges = [self.limit(Budget::Trickle).charge(1)];
        let spent = self.ask_store(&charges, |store, charges| store.spend(charges, self.throttle.clock.now()));
        spent.map(move |answer| match answer.map(|spending| spending.verdict()) {
            Ok(Verdict::Fits) => Ok(LoginAttempt::new(self, place)),
            Ok(Verdict::Wait(sooner)) => Err(too_many(wait.min(sooner))),
            Ok(Verdict::Never) => Err(too_many(wait)),
            Err(error) => Err(unavailable(&error)),
        })
    }

    /// Charges a failure to every budget of it, the source's even where it is known to the account.
    pub(super) fn debit(&self) -> Answer<Spending> {
        let all = [Budget::Pair, Budget::Source, Budget::Strangers].map(|budget| self.limit(budget).charge(1));
        let charges = match self.familiarity {
            Familiarity::Known => &all[..2],
            Familiarity::Stranger => &all[..],
        };
        self.ask_store(charges, |store, charges| store.debit(charges, self.throttle.clock.now()))
    }

    fn ask_store(
        &self,
        charges: &[Charge<'_>],
        how: impl FnOnce(&dyn LimitStore, &Charges<'_>) -> Answer<Spending>,
    ) -> Answer<Spending> {
        match Charges::new(&self.facts(), charges) {
            Ok(charges) => how(&*self.throttle.store, &charges),
            Err(error) => Outcome::Done(Err(StoreError::Unavailable(error.to_string()))),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Budget {
    Pair,
    Source,
    Strangers,
    Trickle,
}

fn read(answer: Result<Spending, StoreError>, budgets: &[Budget], place: Place) -> Said {
    let spending = match answer {
        Ok(spending) => spending,
        Err(error) => return Said::Refused(unavailable(&error)),
    };
    let told = || spending.iter().zip(budgets);
    let spent = told().filter(|(balance, budget)| balance.remaining() == 0 && **budget != Budget::Strangers);
    if let Some(wait) = spent.map(|(balance, _)| balance.until_one()).max() {
        return Said::Spent(wait);
    }
    let has_room = |(balance, units): (&Balance, &u32)| balance.remaining() == 0 || balance.remaining() >= *units;
    if let Some(at) = spending.iter().zip(&place.positions).position(|both| !has_room(both)) {
        return Said::Crowded(place.queue(at));
    }
    match told().find(|(balance, _)| balance.remaining() == 0) {
        Some((balance, _)) => Said::Beyond(place, balance.until_one()),
        None => Said::Go(place),
    }
}

fn too_many(wait: Duration) -> Rejection {
    Rejection::TooManyFailures(LimitExceeded { retry_after: Some(RetryAfter(wait)), policies: vec![POLICY.to_owned()] })
}

fn unavailable(error: &StoreError) -> Rejection {
    Rejection::Unavailable(Outage::new(format!("{POLICY}: {error}")))
}

impl fmt::Debug for LoginThrottle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginThrottle").field("limits", &self.limits).finish_non_exhaustive()
    }
}
