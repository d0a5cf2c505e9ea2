//! How much a caller may ask for: quotas, what they are counted against, plans, and what clients are told.
//!
//! A [`Quota`] such as `100/hour` refills evenly: every 36 seconds one more request may pass, and `burst` of them may
//! come at once. There is no window that ends, so there is no moment at which two windows meet and twice the quota
//! passes. What is stored for a budget is one instant, the time at which it is full again; everything else is
//! arithmetic over it ([`gcra`]), with the quota handed in at each request, so that a changed burst acts at once.
//!
//! A request is charged against several budgets in one step ([`LimitStore::spend`](crate::store::LimitStore::spend)):
//! all of them have room, or none is touched.
//!
//! - `quota`: [`Quota`] and [`Factor`], read from texts such as `100/hour burst 2x`
//! - `gcra`: when a budget is full again, as pure arithmetic
//! - `charge`: what a budget belongs to, and what a request costs
//! - `spending`: what a charge came to
//! - `plan`: the table that chooses the limits of a caller
//! - `terms`: those limits, ready to be charged and told
//! - `headers`: what clients are told

mod charge;
pub mod gcra;
mod headers;
mod plan;
mod quota;
mod spending;
mod terms;

pub(crate) use charge::Told;
pub use charge::{Charge, Charges, Facts, MAX_CHARGES, Network, Scope};
pub use headers::{LimitHeaders, ResetStyle, StandardHeaders};
pub use plan::{Callers, Plan, Plans, PlansBuilder};
pub use quota::{Burst, Factor, Quota};
pub use spending::{Balance, Spending, Verdict};
pub use terms::{Limit, Terms};
