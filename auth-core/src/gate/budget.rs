//! The budget of somebody outside of any request: for usage in a profile, for work that is paid for later.

use crate::clock::Now;
use crate::gate::Gate;
use crate::gate::pending::budgets_guarded;
use crate::limit::{Balance, Charges, Spending};
use crate::outcome::Outcome;
use crate::principal::Identity;
use crate::store::{Answer, LimitStore};

impl Gate {
    /// What is left of the limit of that name in somebody's plan; takes nothing.
    ///
    /// `None` where the plan has no such limit, or one whose budgets belong to a route or an address, which nobody has
    /// outside of a request. For limits that count on some routes alone as well. A [`Principal`](crate::Principal) is
    /// an identity; so is what an account's next token will say.
    ///
    /// ```
    /// use auth_core::gate::{Gate, Limits};
    /// use auth_core::limit::{Limit, Plan, Plans, Scope};
    /// use auth_core::store::MemoryLimitStore;
    /// use auth_core::{Identity, Method, Outcome};
    ///
    /// let daily = Limit::new("generations", "500/calendar day".parse()?, Scope::PRINCIPAL);
    /// let plans = Plans::builder().plan(Plan::new("pro").with(daily.on_routes(["generate"]))).default_plan("pro").build()?;
    /// let gate = Gate::builder().limits(Limits::new(plans, MemoryLimitStore::new())).build()?;
    /// let alice = Identity::new(Method::Jwt, "https://login.example.com/", "alice");
    ///
    /// gate.spend(&alice, "generations", 3);
    /// let Outcome::Done(Ok(Some(left))) = gate.remaining(&alice, "generations") else { unreachable!() };
    /// assert_eq!((left.quota().count(), left.remaining()), (500, 497));
    /// assert!(left.resets(gate.now().wall).to_rfc3339().ends_with("T00:00:00Z"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`StoreError::Unavailable`](crate::StoreError::Unavailable) where the store cannot tell now.
    pub fn remaining(&self, of: &Identity, limit: &str) -> Answer<Option<Balance>> {
        self.ask(of, limit, 0, <dyn LimitStore>::look)
    }

    /// Takes so many units from that limit, if they fit, and tells what is left; the balance says whether they did.
    ///
    /// `None` as in [`remaining`](Self::remaining).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`](crate::StoreError::Unavailable) where it cannot be known now whether they fit.
    pub fn spend(&self, of: &Identity, limit: &str, units: u32) -> Answer<Option<Balance>> {
        self.ask(of, limit, units, <dyn LimitStore>::spend)
    }

    fn ask(
        &self,
        of: &Identity,
        limit: &str,
        units: u32,
        how: impl FnOnce(&dyn LimitStore, &Charges<'_>, Now) -> Answer<Spending>,
    ) -> Answer<Option<Balance>> {
        let shares = self.live.current();
        let context = shares.own();
        let Some(limits) = &context.limits else { return Outcome::Done(Ok(None)) };
        let Some((facts, charge)) = limits.charge_of(of, limit, units) else { return Outcome::Done(Ok(None)) };
        let charges = Charges::single(&facts, &charge);
        let answer = budgets_guarded(|| how(limits.store(), &charges, self.now()));
        answer.map(|told| told.map(|spending| spending.first().copied()))
    }
}
