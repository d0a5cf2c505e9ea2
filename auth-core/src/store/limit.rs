//! Where budgets are kept: what a store of limits promises.

use super::Answer;
use crate::clock::Now;
use crate::limit::{Charges, Spending};

/// Keeps budgets.
///
/// A budget that was never asked for is full. A store forgets a budget when it is full again, and may do so at once.
/// All methods are one atomic step each: whatever happens at the same time, the outcome is that of some order in
/// which one request was handled after the other. No store reads first and writes later.
///
/// A store in another process keeps its own time and does not look at `now`.
pub trait LimitStore: Send + Sync + 'static {
    /// Takes the units of all charges, or of none.
    ///
    /// Where one budget has too little left, nothing is taken from any, and the balances tell what is there. Charges
    /// for one and the same budget are taken one after the other.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`](crate::StoreError::Unavailable) where it cannot be known now whether they fit.
    fn spend(&self, charges: &Charges<'_>, now: Now) -> Answer<Spending>;

    /// What [`spend`](Self::spend) would say to each charge alone, taking nothing.
    ///
    /// For what is paid for afterwards: look whether an address has failed attempts left, verify, and
    /// [`debit`](Self::debit) the failure. As many as look at the same time may pass, and all of them are owed.
    ///
    /// # Errors
    /// As [`spend`](Self::spend).
    fn look(&self, charges: &Charges<'_>, now: Now) -> Answer<Spending>;

    /// Takes the units of all charges even where they do not fit, because they were used already.
    ///
    /// A budget can so owe more than it holds, but never takes longer than two refills to be full again. The verdict
    /// of each balance says whether its units would have fitted.
    ///
    /// # Errors
    /// As [`spend`](Self::spend).
    fn debit(&self, charges: &Charges<'_>, now: Now) -> Answer<Spending>;
}
