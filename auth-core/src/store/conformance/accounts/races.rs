//! What holds when several do the same at once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::account::{
    AccountChange, AccountRecord, RefreshToken, Refreshed, SessionRecord, SessionStatus, TenantRecord, Turn,
};
use crate::api_key::KeyDigest;
use crate::error::StoreError;
use crate::store::conformance::races::{MANY, at_once, one_won, so_many_at_once};
use crate::store::{AccountScope, AccountStore, SessionKey, Spending};

use super::factors::with_factor;
use super::{
    Check, Kept, Violation, account, answer, at, digest, good, hash, id, name, presented, refreshes_to, same, session,
    stored, token, turn, with_account,
};

pub(super) const ALL: &[Check] = &[
    s5_one_of_many_spellings_is_taken,
    one_of_many_renames_to_one_name_succeeds,
    t16_a_hundred_refreshes_of_one_token_give_one_successor,
    t15_without_a_grace_the_second_of_a_hundred_ends_the_session,
    s7_a_login_that_races_what_ends_sessions_leaves_none_open,
    one_of_many_changes_from_one_generation_succeeds,
    one_of_fifty_uses_of_a_time_step_succeeds,
    each_recovery_code_is_spent_by_one,
    a_session_is_ended_by_one,
    many_who_log_in_at_once_leave_no_more_sessions_than_there_is_room_for,
];

fn many_who_log_in_at_once_leave_no_more_sessions_than_there_is_room_for(store: &dyn AccountStore) -> Kept {
    let promise = "of many sessions that open at once, as many stay as there is room for, and the others are told";
    with_account(store)?;
    let opened = at_once(|number| answer(store.open_session_within(session(number), 5)));
    let told: BTreeSet<Arc<str>> = opened.into_iter().flatten().flatten().collect();
    let sessions = good(promise, store.sessions("acc_1"))?;
    let (open, ended): (Vec<_>, Vec<_>) =
        sessions.into_iter().partition(|session| session.status == SessionStatus::Open);
    same(promise, &open.len(), &5)?;
    same(promise, &ended.into_iter().map(|session| session.id).collect(), &told)?;
    same(promise, &told.len(), &(usize::from(MANY) - 5))
}

fn s5_one_of_many_spellings_is_taken(store: &dyn AccountStore) -> Kept {
    let promise = "of many accounts with one name in many spellings, one is added, and nothing of the others";
    let spellings = ["ada", "ADA", "Ａda", "a\u{ad}da"].map(name);
    let spellings: Vec<_> = spellings.into_iter().collect::<Result<_, _>>()?;
    let inserted = at_once(|number| {
        let mut record = account(number);
        let spelling = spellings.iter().cycle().nth(usize::from(number)).cloned();
        let place = if number % 2 == 0 { &mut record.email } else { &mut record.user_name };
        *place = spelling;
        let tenant = TenantRecord::new(format!("ten_{number}"), "Tenant", at(0));
        answer(store.insert(record, Some(tenant)))
    });
    one_won(promise, &inserted)?;
    let listed = good(promise, store.list(&AccountScope::All, None, 99))?;
    let found = good(promise, store.by_login(&name("ada")?))?;
    same(promise, &listed, &found.into_iter().map(Arc::unwrap_or_clone).collect())?;
    same(promise, &good(promise, store.tenants(None, 99))?.len(), &1)
}

fn one_of_many_renames_to_one_name_succeeds(store: &dyn AccountStore) -> Kept {
    let promise = "of many that take one name, one gets it";
    for number in 0..MANY {
        good(promise, store.insert(account(number), None))?;
    }
    let ada = name("ada")?;
    let renamed = at_once(|number| {
        answer(store.change(&format!("acc_{number}"), AccountChange::UserName(Some(ada.clone())), at(0)))
    });
    one_won(promise, &renamed)?;
    let listed = good(promise, store.list(&AccountScope::All, None, 99))?;
    let having: Vec<_> = listed.into_iter().filter(|account| account.user_name.is_some()).collect();
    let found = good(promise, store.by_login(&ada))?;
    same(promise, &having, &found.into_iter().map(Arc::unwrap_or_clone).collect())
}

fn t16_a_hundred_refreshes_of_one_token_give_one_successor(store: &dyn AccountStore) -> Kept {
    let promise = "a hundred refreshes of one token at once are all good, agree, and leave one token in force";
    with_account(store)?;
    good(promise, store.open_session(session(1)))?;
    let answers = so_many_at_once(100, |number| {
        let seconds = 50 + i64::from(number % 5);
        good(promise, store.refresh(&presented(1), turn(seconds, 2)))
    });
    let session = good(promise, store.session(&id(1)))?;
    same(promise, &session.as_ref().and_then(|session| session.refresh.as_ref()), &Some(&token(2)))?;
    let account = Arc::new(stored(promise, store, "acc_1")?);
    let expected = session.map(|session| Refreshed::Good { session: session.into(), account });
    for given in answers {
        same(promise, &Some(given?), &expected)?;
    }
    refreshes_to(promise, store, &presented(2), turn(56, 3), "good")
}

fn t15_without_a_grace_the_second_of_a_hundred_ends_the_session(store: &dyn AccountStore) -> Kept {
    let promise =
        "without a grace one of a hundred refreshes is good, one ends the session, and the others find it ended";
    with_account(store)?;
    good(promise, store.open_session(session(1)))?;
    let strict = Turn { grace: Duration::ZERO, ..turn(50, 2) };
    let answers: Result<Vec<_>, _> =
        so_many_at_once(100, |_| good(promise, store.refresh(&presented(1), strict.clone()))).into_iter().collect();
    let answers = answers?;
    let count = |word| answers.iter().filter(|given| super::word(given) == word).count();
    same(promise, &["good", "reused", "ended"].map(count), &[1, 1, 98])
}

/// Whatever comes first, the sessions that were opened are those that the change ended.
fn s7_a_login_that_races_what_ends_sessions_leaves_none_open(store: &dyn AccountStore) -> Kept {
    const CHANGES: u8 = 5;
    let promise = "logins and refreshes that race a change of password or a disabling leave no session open";
    for round in 0..12 {
        let race = Race { round, account: format!("acc_{round}") };
        good(promise, store.insert(account(round), None))?;
        good(promise, store.open_session(race.session(100)))?;
        let change = match round % 3 {
            0 => AccountChange::Password { hash: hash("new")?, keep_recent: 3, if_generation: Some(0) },
            1 => AccountChange::Disable,
            _ => AccountChange::EndSessions,
        };
        let mut done = at_once(|number| match number {
            CHANGES => answer(store.change(&race.account, change.clone(), at(20)))
                .map(|changed| changed.map_or_else(Vec::new, |changed| changed.ended)),
            1 | 9 => {
                let turn = Turn { successor: Some(race.token(200)), ..turn(20, 0) };
                answer(store.refresh(&race.presented(100), turn)).map(|_| Vec::new())
            }
            _ => answer(store.open_session(race.session(number))).map(|()| vec![race.session(number).id]),
        });
        let ended: BTreeSet<_> = done.remove(usize::from(CHANGES)).unwrap_or_default().into_iter().collect();
        let opened = done.into_iter().filter_map(Result::ok).flatten().chain([race.session(100).id]);
        same(promise, &ended, &opened.collect())?;
        let sessions = good(promise, store.sessions(&race.account))?;
        let open = sessions.iter().filter(|session| session.status == SessionStatus::Open).count();
        let there: BTreeSet<_> = sessions.into_iter().map(|session| session.id).collect();
        same(promise, &(open, there), &(0, ended))?;
        for number in [100, 200] {
            let late = good(promise, store.refresh(&race.presented(number), turn(21, 250)))?;
            same(promise, &matches!(late, Refreshed::Ended(_) | Refreshed::Unknown), &true)?;
        }
    }
    Ok(())
}

/// One account of its own for each round, with sessions and tokens of their own.
struct Race {
    round: u8,
    account: String,
}

impl Race {
    fn session(&self, number: u8) -> SessionRecord {
        let mut session = session(number);
        session.id = format!("ses_{}_{number}", self.round).into();
        session.account = self.account.as_str().into();
        session.refresh = Some(self.token(number));
        session
    }

    fn token(&self, number: u8) -> RefreshToken {
        let mut digest = [number; 32];
        digest[0] = self.round;
        RefreshToken::new(KeyDigest::from_bytes(digest), "pepper")
    }

    fn presented(&self, number: u8) -> SessionKey {
        SessionKey::Token(vec![self.token(number).digest])
    }
}

fn one_of_many_changes_from_one_generation_succeeds(store: &dyn AccountStore) -> Kept {
    let promise = "of many that change a password they checked, one succeeds";
    good(promise, store.insert(AccountRecord { password: Some(hash("old")?), ..account(1) }, None))?;
    let new: Result<Vec<_>, _> = (0..MANY).map(|number| hash(&number.to_string())).collect();
    let new = new?;
    let changed = at_once(|number| {
        let hash = new.get(usize::from(number)).cloned().ok_or(StoreError::Conflict)?;
        answer(store.change("acc_1", AccountChange::Password { hash, keep_recent: 9, if_generation: Some(0) }, at(1)))
    });
    one_won(promise, &changed)?;
    let account = stored(promise, store, "acc_1")?;
    same(promise, &(account.generation, account.recent_passwords), &(1, vec![hash("old")?]))
}

fn one_of_fifty_uses_of_a_time_step_succeeds(store: &dyn AccountStore) -> Kept {
    let promise = "of fifty uses of one time step, one succeeds";
    with_factor(store, &[])?;
    let spent = so_many_at_once(50, |_| answer(store.spend_totp_step("acc_1", 101)));
    same(promise, &spent.iter().filter(|spent| **spent == Ok(Spending::Spent)).count(), &1)?;
    same(promise, &spent.iter().filter(|spent| **spent == Ok(Spending::Refused)).count(), &49)
}

fn each_recovery_code_is_spent_by_one(store: &dyn AccountStore) -> Kept {
    let promise = "of fifty uses of one recovery code, one succeeds";
    with_factor(store, &[0, 1])?;
    let spent = so_many_at_once(100, |number| answer(store.spend_recovery_code("acc_1", &[digest(number % 2)])));
    for parity in [0, 1] {
        let uses = spent.iter().skip(parity).step_by(2);
        same(promise, &uses.clone().filter(|spent| **spent == Ok(Spending::Spent)).count(), &1)?;
        same(promise, &uses.filter(|spent| **spent == Ok(Spending::Refused)).count(), &49)?;
    }
    Ok(())
}

fn a_session_is_ended_by_one(store: &dyn AccountStore) -> Kept {
    let promise = "of many that end one session, one is answered it";
    with_account(store)?;
    good(promise, store.open_session(session(1)))?;
    let ended: Result<Vec<_>, _> =
        at_once(|number| answer(store.end_session(&if number % 2 == 0 { id(1) } else { presented(1) }, at(9))))
            .into_iter()
            .collect();
    let ended = ended.map_err(|error| Violation { promise, instead: error.to_string() })?;
    same(promise, &ended.iter().flatten().count(), &1)
}
