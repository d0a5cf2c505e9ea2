//! How often tokens may be asked for, and proofs fail.

use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use crate::clock::Now;
use crate::limit::{Charges, Facts, Limit, Network, Quota, Rate, Scope, Spending, Verdict};
use crate::rejection::RetryAfter;

use super::{ClientError, ClientParts};

/// How often tokens may be asked for, and proofs fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientQuotas {
    /// How often one client may ask with a good proof: 60 a minute by default. Tokens are there to be kept until they end.
    pub client: Quota,
    /// How many proofs may fail from one source, at whichever clients: 60 a minute by default. A source is an IPv4 address
    /// or an IPv6 /64; requests from nowhere known are one.
    pub source: Quota,
}

impl Default for ClientQuotas {
    fn default() -> Self {
        let (count, seconds) = (NonZeroU32::new(60), NonZeroU64::new(60));
        let quota = count.zip(seconds).map(|(count, seconds)| Quota::Rate(Rate::in_seconds(count, seconds)));
        let quota = quota.unwrap_or(Quota::ONE_A_SECOND);
        Self { client: quota, source: quota }
    }
}

/// The limits' names. No limit of a plan can have one of them, which keeps their budgets apart in a shared store.
const CLIENT: &str = "\u{1}client";
const SOURCE: &str = "\u{1}client source";

/// How a store is asked.
#[derive(Clone, Copy)]
enum How {
    Look,
    Spend,
}

impl ClientParts {
    /// A proof failed: the source is charged for it.
    ///
    /// A source that has nothing left is told so, and not whether the proof was good. Since a good one is looked at only
    /// while something is left, guesses that come all at once learn no more than guesses one after the other.
    pub(super) async fn charge_failure(&self, source: Option<IpAddr>, now: Now) -> Result<(), ClientError> {
        self.source(source, How::Spend, now).await
    }

    /// A proof was good: the client is charged, if the source may still be told.
    pub(super) async fn charge_success(&self, id: &str, source: Option<IpAddr>, now: Now) -> Result<(), ClientError> {
        self.source(source, How::Look, now).await?;
        let facts = Facts { principal: Some(("", id)), ..Facts::default() };
        let limit = Limit::new(CLIENT, self.quotas.client, Scope::PRINCIPAL);
        self.ask(facts, &limit, How::Spend, now).await
    }

    async fn source(&self, source: Option<IpAddr>, how: How, now: Now) -> Result<(), ClientError> {
        let facts = Facts { network: source.map(Network::of), ..Facts::default() };
        let limit = Limit::new(SOURCE, self.quotas.source, Scope::NETWORK);
        self.ask(facts, &limit, how, now).await
    }

    async fn ask(&self, facts: Facts<'_>, limit: &Limit, how: How, now: Now) -> Result<(), ClientError> {
        let answer = {
            let charge = limit.charge(1);
            let charges = Charges::single(&facts, &charge);
            match how {
                How::Look => self.limit_store.look(&charges, now),
                How::Spend => self.limit_store.spend(&charges, now),
            }
        };
        // what bounds guessing is no bound if it can be switched off by bringing down the store
        let spending: Spending = answer.resolve().await?;
        match spending.verdict() {
            Verdict::Fits => Ok(()),
            Verdict::Wait(wait) => Err(ClientError::TooMany(RetryAfter(wait))),
            Verdict::Never => Err(ClientError::TooMany(RetryAfter(Duration::from_mins(1)))),
        }
    }
}
