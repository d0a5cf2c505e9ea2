//! How many messages there are, so that nobody can flood a mailbox, nor many of them.

use std::fmt;
use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;

use crate::clock::Clock;
use crate::error::StoreError;
use crate::limit::{Charges, Facts, Limit, Network, Quota, Rate, Scope, Verdict};
use crate::rejection::{LimitExceeded, Outage, Rejection, RetryAfter};
use crate::store::LimitStore;

use super::MessageKind;

/// What the policy is called in answers.
const POLICY: &str = "messages";
/// The limits' names. No limit of a plan can have one of them, which keeps their budgets apart in a shared store.
const SOURCE: &str = "\u{1}message source";
const ACCOUNT: &str = "\u{1}message account";

/// How many messages may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageQuotas {
    /// To one account, of one kind: 3 an hour by default. There is room for the next one before the last one's ticket has
    /// ended, so that whoever uses up the room of somebody else leaves them with a ticket that is good.
    pub account: Quota,
    /// By one source, an IPv4 address or an IPv6 /64: 20 an hour by default, since an office or a mobile network is one.
    pub source: Quota,
}

const fn an_hour(count: u32) -> Quota {
    match (NonZeroU32::new(count), NonZeroU64::new(3_600)) {
        (Some(count), Some(seconds)) => Quota::Rate(Rate::in_seconds(count, seconds)),
        _ => Quota::ONE_A_SECOND,
    }
}

impl Default for MessageQuotas {
    fn default() -> Self {
        Self { account: an_hour(3), source: an_hour(20) }
    }
}

/// Counts messages in a store that others may use too. It locks nothing: who has no room for messages logs in as ever.
#[derive(Clone)]
pub struct MessageThrottle {
    account: Limit,
    source: Limit,
    store: Arc<dyn LimitStore>,
    clock: Arc<dyn Clock>,
}

/// Whether a mailbox has room for another message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::issue) enum Flood {
    No,
    /// It has had enough; told to nobody who may not know whether there is such an account.
    Yes(Rejection),
}

impl MessageThrottle {
    /// Counts in this store.
    pub fn new(quotas: MessageQuotas, store: Arc<dyn LimitStore>, clock: Arc<dyn Clock>) -> Self {
        let account = Limit::new(ACCOUNT, quotas.account, Scope::PRINCIPAL);
        let source = Limit::new(SOURCE, quotas.source, Scope::NETWORK);
        Self { account, source, store, clock }
    }

    /// Takes one message out of the budgets, the source's first, in which it says nothing about any account.
    ///
    /// # Errors
    /// The source has asked for too many, or nobody can tell.
    pub(in crate::issue) async fn spend(
        &self,
        kind: MessageKind,
        who: &str,
        source: Option<IpAddr>,
    ) -> Result<Flood, Rejection> {
        let facts = Facts { network: source.map(Network::of), ..Facts::default() };
        if let Some(rejection) = self.over(facts, &self.source).await? {
            return Err(rejection);
        }
        let facts = Facts { principal: Some((kind.as_str(), who)), ..Facts::default() };
        let over = self.over(facts, &self.account).await?;
        Ok(over.map_or(Flood::No, Flood::Yes))
    }

    async fn over(&self, facts: Facts<'_>, limit: &Limit) -> Result<Option<Rejection>, Rejection> {
        let unavailable = |error: StoreError| Rejection::Unavailable(Outage::new(format!("{POLICY}: {error}")));
        let spending = {
            let charge = limit.charge(1);
            self.store.spend(&Charges::single(&facts, &charge), self.clock.now())
        };
        let retry_after = match spending.resolve().await.map_err(unavailable)?.verdict() {
            Verdict::Fits => return Ok(None),
            Verdict::Wait(wait) => Some(RetryAfter(wait)),
            Verdict::Never => None,
        };
        Ok(Some(Rejection::RateLimited(LimitExceeded { retry_after, policies: vec![POLICY.to_owned()] })))
    }
}

impl fmt::Debug for MessageThrottle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageThrottle")
            .field("account", &self.account)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_what_they_are_said_to_be() {
        let quotas = MessageQuotas::default();
        assert_eq!([quotas.account, quotas.source], ["3/hour", "20/hour"].map(|text| text.parse::<Quota>().unwrap()));
    }
}
