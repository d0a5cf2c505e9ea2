//! How much a caller may ask for: quotas, what they are counted against, plans, and what clients are told.
//!
//! A [`Quota`] such as `100/hour` refills evenly: every 36 seconds one more request may pass, and `burst` of them may
//! come at once. There is no window that ends, so there is no moment at which two windows meet and twice the quota
//! passes. What is stored for a budget is one instant, the time at which it is full again; everything else is
//! arithmetic over it ([`gcra`]), with the quota handed in at each request, so that a changed burst acts at once.
//!
//! An allowance such as `500/calendar day` is the other kind: all of it may be used at once, and it comes back whole at
//! midnight. What is stored for it is how much was spent of the period that runs ([`Allowance`]).
//!
//! A request is charged against several budgets in one step ([`LimitStore::spend`](crate::store::LimitStore::spend)):
//! all of them have room, or none is touched.
//!
//! - `quota`: [`Quota`], read from texts such as `100/hour burst 2x` and `500/calendar day`
//! - `rate` and `factor`: so many in so much time, and how many at once
//! - `allowance`: so many in each hour, day or month of the calendar
//! - `gcra`: when a budget is full again, as pure arithmetic
//! - `scope`: who asks for what, and what a budget belongs to
//! - `owner`: what tells budgets apart
//! - `charge`: what a request costs
//! - `spending`: what a charge came to
//! - `plan`: the table that chooses the limits of a caller
//! - `plans_builder`: how it is put together, and what is wrong with it
//! - `by_route`: limits that count on some routes alone
//! - `terms`: those limits, ready to be charged and told
//! - `headers`: what clients are told

mod allowance;
mod by_route;
mod charge;
mod factor;
pub mod gcra;
mod headers;
mod owner;
mod plan;
mod plans_builder;
mod quota;
mod rate;
mod scope;
mod spending;
mod terms;

pub use allowance::{Allowance, Period, Room};
pub use charge::{Charge, Charges, MAX_CHARGES};
pub use factor::{Burst, Factor};
pub use headers::{LimitHeaders, ResetStyle, StandardHeaders};
pub(crate) use owner::Told;
pub use plan::{Callers, Plan, Plans};
pub use plans_builder::PlansBuilder;
pub use quota::Quota;
pub use rate::Rate;
pub use scope::{Facts, Network, Scope};
pub use spending::{Balance, Spending, Verdict};
pub use terms::{Limit, Terms};
