//! `limits.failed_attempts`: how many credentials from one address may fail.

use auth_core::gate::Clients;
use auth_core::limit::Quota;

use super::node::{FromNode, Node};
use super::values::choice;
use super::{Config, Server};
use crate::problem::{Place, Problem};

/// How many credentials from one address may fail before the gateway stops looking at unknown ones.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FailedAttempts {
    /// Where it stands in the file.
    pub place: Place,
    /// How many failures.
    pub quota: Quota,
    /// How many verifications remain when they are used up; `None` leaves it to the library: one a second.
    pub trickle: Option<Quota>,
    /// Whether the file says that clients connect to the gateway themselves.
    says_direct: bool,
}

impl FailedAttempts {
    /// How clients come, by what the file says of it.
    pub(crate) fn clients(&self) -> Clients {
        if self.says_direct { Clients::Direct } else { Clients::BehindTrustedProxies }
    }
}

/// The word for it. That clients come through proxies is not said here but by naming these.
#[derive(Clone, Copy)]
struct Direct;

impl FromNode for Direct {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        choice(node, &[("direct", Self)])
    }
}

impl FromNode for FailedAttempts {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let quota = section.required("quota");
            let trickle = section.read("trickle");
            section.read::<Direct>("clients");
            let says_direct = section.has("clients"); // where it says something else, that is the one problem
            Some(Self { place: section.place(), quota: quota?, trickle, says_direct })
        })?
    }
}

/// Behind a proxy that nobody named, the failures of one client would be those of all.
pub(super) fn whose_address(config: &Config) -> Option<Problem> {
    let Server { trusted_proxies, .. } = &config.server;
    let settings = config.limits.failed_attempts.as_ref()?;
    if settings.says_direct || !trusted_proxies.is_empty() {
        return None;
    }
    let message = "failures are counted by address, and nothing says whose that is: add clients = \"direct\" where clients \
                   connect to the gateway themselves, or name the proxies before it in trusted_proxies of [server]";
    Some(settings.place.problem(message))
}
