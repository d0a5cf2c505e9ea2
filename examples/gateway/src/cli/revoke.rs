//! `gateway revoke`: taking back credentials that were given.

use std::sync::Arc;

use auth_core::revocation::{Revocation, Target};
use auth_core::{Clock as _, SystemClock};

use super::{Failure, Revoke, Revoked, open, say};
use crate::config::Store;
use crate::start::waiting_runtime;
use crate::wiring::own_issuer;

/// Does it, and says so.
pub(super) fn run(arguments: &Revoke) -> Result<(), Failure> {
    let config = arguments.whose.configuration()?;
    let Some(settings) = &config.revocations else {
        return Err(Failure::Usage("the configuration has no [revocations]".to_owned()));
    };
    if settings.store == Store::Memory {
        let why = "`store = \"memory\"` keeps the list in the serving process, where no command can reach it";
        return Err(Failure::Usage(why.to_owned()));
    }
    let own = arguments.issuer.as_deref().unwrap_or_else(|| own_issuer(&config, None));
    let target = target(&arguments.what, own)?;
    let now = SystemClock.now();
    let mut revocation = Revocation::new(target, now.wall.saturating_add(arguments.remember));
    if arguments.issued_before_now {
        revocation = revocation.issued_before(now.wall);
    }
    let list = open(&arguments.whose, &config)?.revocations;
    let list = list.ok_or_else(|| Failure::obstacle("the configuration has no [revocations]"))?;
    let kept = waiting_runtime()?.block_on(list.revoke(&revocation, now).resolve());
    kept.map_err(Failure::obstacle)?;
    say(&format!("revoked; remembered until {}\n", revocation.until.to_rfc3339()))
}

fn target(what: &Revoked, issuer: &str) -> Result<Target, Failure> {
    let issuer: Arc<str> = issuer.into();
    let named = [
        what.credential.as_deref().map(|id| Target::credential(Arc::clone(&issuer), id)),
        what.session.as_deref().map(|id| Target::session(Arc::clone(&issuer), id)),
        what.subject.as_deref().map(|subject| Target::subject(Arc::clone(&issuer), subject)),
        what.tenant.as_deref().map(|tenant| Target::Tenant(tenant.into())),
        what.all_of_issuer.then_some(Target::Issuer(issuer)),
        what.everything.then_some(Target::All),
    ];
    named.into_iter().flatten().next().ok_or_else(|| Failure::Usage("say what to take back".to_owned()))
}
