//! The conformance suite notices stores that break their promises.

use std::sync::Arc;
use std::time::Duration;

use auth_core::account::{
    AccountChange, AccountRecord, Changed, LoginName, Refreshed, SessionRecord, TenantChange, TenantRecord, Turn,
    Voucher,
};
use auth_core::api_key::KeyDigest;
use auth_core::store::{AccountScope, AccountStore, Answer, MemoryAccountStore, SessionKey, Spending, conformance};
use auth_core::{Outcome, Timestamp};

use super::wait;

/// What a store gets wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    /// Sweeps up sessions and does not look at the generation when one is opened.
    ForgetsGenerations,
    /// Never takes a second use of a token for theft.
    EndlessGrace,
    /// Takes no second use of a token for a lost answer.
    NoGrace,
    /// Lets use move the absolute end.
    MovesTheEnd,
    /// Accepts a time step whenever it is not older than the newest.
    AcceptsTheLastStep,
    /// Opens as many sessions as are asked for.
    HasRoomForAll,
    /// Forgets which sessions a change ended.
    TellsNoEnds,
}

struct Faulty(MemoryAccountStore, Fault);

impl Faulty {
    fn has(&self, fault: Fault) -> bool {
        self.1 == fault
    }
}

macro_rules! as_it_is {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {
        $(fn $name(&self, $($argument: $kind),*) -> Answer<$answer> {
            self.0.$name($($argument),*)
        })*
    };
}

impl AccountStore for Faulty {
    fn open_session_within(&self, mut session: SessionRecord, most: usize) -> Answer<Vec<Arc<str>>> {
        if self.has(Fault::ForgetsGenerations)
            && let Some(account) = wait(self.0.by_id(&session.account)).unwrap()
        {
            session.generation = account.generation;
        }
        let most = if self.has(Fault::HasRoomForAll) { usize::MAX } else { most };
        self.0.open_session_within(session, most)
    }

    fn refresh(&self, key: &SessionKey, mut turn: Turn) -> Answer<Refreshed> {
        match self.1 {
            Fault::EndlessGrace => turn.grace = Duration::MAX,
            Fault::NoGrace => turn.grace = Duration::ZERO,
            _ => {}
        }
        let extend = self.has(Fault::MovesTheEnd);
        self.0.refresh(key, turn).map(move |given| {
            let mut given = given?;
            if let Refreshed::Good { session, .. } = &mut given
                && extend
            {
                let session = Arc::make_mut(session);
                session.ends = session.ends.saturating_add(Duration::from_secs(1));
            }
            Ok(given)
        })
    }

    fn change(&self, id: &str, change: AccountChange, at: Timestamp) -> Answer<Option<Changed>> {
        let silent = self.has(Fault::TellsNoEnds);
        self.0.change(id, change, at).map(move |changed| {
            Ok(changed?.map(|mut changed| {
                if silent {
                    changed.ended.clear();
                }
                changed
            }))
        })
    }

    fn spend_totp_step(&self, account: &str, step: u64) -> Answer<Spending> {
        match wait(self.0.spend_totp_step(account, step)) {
            Ok(Spending::Refused) if self.has(Fault::AcceptsTheLastStep) => Outcome::Done(Ok(Spending::Spent)),
            given => Outcome::Done(given),
        }
    }

    as_it_is! {
        insert(account: AccountRecord, tenant: Option<TenantRecord>) -> ();
        by_id(id: &str) -> Option<Arc<AccountRecord>>;
        by_login(name: &LoginName) -> Option<Arc<AccountRecord>>;
        list(scope: &AccountScope, after: Option<&str>, limit: usize) -> Vec<AccountRecord>;
        session(key: &SessionKey) -> Option<SessionRecord>;
        sessions(account: &str) -> Vec<SessionRecord>;
        end_session(key: &SessionKey, at: Timestamp) -> Option<SessionRecord>;
        end_vouched(by: &Voucher, at: Timestamp) -> ();
        ended_since(at: Timestamp) -> Vec<SessionRecord>;
        delete_ended(before: Timestamp) -> u64;
        spend_recovery_code(account: &str, code: &[KeyDigest]) -> Spending;
        note_source(account: &str, source: &str, at: Timestamp, keep: usize) -> ();
        knows_source(account: &str, source: &str, since: Timestamp) -> bool;
        insert_tenant(tenant: TenantRecord) -> ();
        tenant(id: &str) -> Option<TenantRecord>;
        tenants(after: Option<&str>, limit: usize) -> Vec<TenantRecord>;
        change_tenant(id: &str, change: TenantChange) -> Option<TenantRecord>;
    }
}

#[test]
fn the_conformance_suite_notices_what_a_store_of_accounts_gets_wrong() {
    for (fault, broken) in [
        (Fault::None, None),
        (Fault::ForgetsGenerations, Some("generation")),
        (Fault::EndlessGrace, Some("after the grace")),
        (Fault::NoGrace, Some("within the grace")),
        (Fault::MovesTheEnd, Some("nothing else")),
        (Fault::AcceptsTheLastStep, Some("time step")),
        (Fault::HasRoomForAll, Some("too many open sessions")),
        (Fault::TellsNoEnds, Some("end every open session")),
    ] {
        let checked = conformance::check_accounts(|| Arc::new(Faulty(MemoryAccountStore::new(), fault)));
        let promise = checked.err().map(|violation| violation.promise);
        match (promise, broken) {
            (None, None) => {}
            (Some(promise), Some(words)) => assert!(promise.contains(words), "{fault:?}: {promise}"),
            (promise, _) => panic!("{fault:?}: {promise:?}"),
        }
    }
}
