//! Opening, ending and removing sessions.

use std::time::Duration;

use crate::Names;
use crate::account::{AccountRecord, SessionRecord, SessionStatus, TenantChange, TenantRecord, Voucher};
use crate::error::StoreError;
use crate::store::AccountStore;

use super::{
    Check, Kept, account, answer, at, good, id, presented, refreshed, refreshes_to, same, session, stored, token, turn,
    with_account,
};

pub(super) const ALL: &[Check] = &[
    a_session_comes_back_as_it_went_in,
    a_session_needs_its_account_and_a_new_id_and_token,
    a_disabled_tenant_suspends_sessions,
    the_oldest_sessions_end_where_there_would_be_too_many,
    a_session_ends_once,
    sessions_end_with_whose_word_opened_them,
    ended_sessions_are_told_from_a_time_on,
    what_is_over_is_removed_with_its_tokens_and_nothing_else,
];

fn a_session_comes_back_as_it_went_in(store: &dyn AccountStore) -> Kept {
    let promise = "a session comes back as it went in, by its id and by its token, and is noted as a login";
    with_account(store)?;
    let mut full = session(5);
    full.idle_limit = Some(Duration::from_micros(90_000_001));
    full.last_used = at(7);
    full.key = Some("key_1".into());
    full.permissions = Some(["read", "a\"b"].into_iter().collect());
    full.vouched_by = Some(Voucher::Provider { issuer: "https://idp.example".into(), subject: "1\"2".into() });
    // nothing at all is not the same as everything
    let without = SessionRecord { refresh: None, permissions: Some(Names::EMPTY), ..session(4) };
    let by = Some(Voucher::Partner("trust_1".into()));
    let ended = SessionRecord { status: SessionStatus::Ended(at(6)), vouched_by: by, ..session(6) };
    for record in [&full, &without, &ended] {
        good(promise, store.open_session(record.clone()))?;
    }
    for record in [&full, &without, &ended] {
        let number = record.id.bytes().last().map_or(0, |digit| digit - b'0');
        same(promise, &good(promise, store.session(&id(number)))?.as_ref(), &Some(record))?;
        let by_token = good(promise, store.session(&presented(number)))?;
        same(promise, &by_token.as_ref(), &record.refresh.as_ref().map(|_| record))?;
    }
    same(promise, &stored(promise, store, "acc_1")?.last_login, &Some(at(6)))?;
    same(promise, &good(promise, store.session(&id(9)))?, &None)?;
    let promise = "the sessions of an account are listed, the oldest first";
    same(promise, &good(promise, store.sessions("acc_1"))?, &vec![without, full, ended])?;
    same(promise, &good(promise, store.sessions("acc_2"))?, &vec![])
}

fn a_session_needs_its_account_and_a_new_id_and_token(store: &dyn AccountStore) -> Kept {
    let promise = "a session needs an account of its generation, and an id and a token that are new";
    with_account(store)?;
    good(promise, store.open_session(session(1)))?;
    refreshed(promise, store, &presented(1), turn(10, 2))?;
    for wrong in [
        SessionRecord { account: "acc_9".into(), ..session(3) },
        SessionRecord { generation: 1, ..session(3) },
        SessionRecord { id: "ses_1".into(), ..session(3) },
        SessionRecord { refresh: Some(token(1)), ..session(3) },
        SessionRecord { refresh: Some(token(2)), ..session(3) },
    ] {
        same(promise, &answer(store.open_session(wrong)), &Err(StoreError::Conflict))?;
    }
    same(promise, &good(promise, store.session(&id(3)))?, &None)?;
    same(promise, &good(promise, store.session(&presented(3)))?, &None)?;
    same(promise, &good(promise, store.sessions("acc_1"))?.len(), &1)?;
    same(promise, &stored(promise, store, "acc_1")?.last_login, &Some(at(1)))
}

fn a_disabled_tenant_suspends_sessions(store: &dyn AccountStore) -> Kept {
    let promise = "while a tenant is disabled no session of its accounts opens or is refreshed; then they go on";
    let ada = AccountRecord { tenant: Some("ten_1".into()), ..account(1) };
    good(promise, store.insert(ada, Some(TenantRecord::new("ten_1", "One", at(0)))))?;
    good(promise, store.open_session(session(1)))?;
    good(promise, store.change_tenant("ten_1", TenantChange::Disable))?;
    same(promise, &answer(store.open_session(session(3))), &Err(StoreError::Conflict))?;
    refreshes_to(promise, store, &presented(1), turn(10, 2), "ended")?;
    good(promise, store.change_tenant("ten_1", TenantChange::Enable))?;
    refreshes_to(promise, store, &presented(1), turn(10, 2), "good")?;
    good(promise, store.open_session(session(3)))
}

fn the_oldest_sessions_end_where_there_would_be_too_many(store: &dyn AccountStore) -> Kept {
    let promise = "where an account would have too many open sessions, the oldest end in the same step";
    with_account(store)?;
    good(promise, store.insert(account(2), None))?;
    let other = SessionRecord { account: "acc_2".into(), ..session(1) };
    let over = SessionRecord { ends: at(4), ..session(2) };
    let unused = SessionRecord { idle_limit: Some(Duration::from_secs(1)), ..session(3) };
    for record in [other, over, unused, session(5), session(6)] {
        same(promise, &good(promise, store.open_session_within(record, 3))?, &vec![])?;
    }
    good(promise, store.end_session(&id(6), at(6)))?;
    // two that are over and one that was ended take no room
    same(promise, &good(promise, store.open_session_within(session(7), 3))?, &vec![])?;
    same(promise, &good(promise, store.open_session_within(session(8), 3))?, &vec![])?;
    same(promise, &good(promise, store.open_session_within(session(9), 3))?, &vec!["ses_5".into()])?;
    same(
        promise,
        &good(promise, store.session(&id(5)))?.map(|ended| ended.status),
        &Some(SessionStatus::Ended(at(9))),
    )?;
    refreshes_to(promise, store, &presented(5), turn(10, 20), "ended")?;
    let ended = good(promise, store.open_session_within(session(10), 1))?;
    same(promise, &ended.len(), &3)?;
    refreshes_to(promise, store, &presented(1), turn(10, 21), "good")?;
    let promise = "a session that is not opened ends no other";
    let wrong = SessionRecord { refresh: Some(token(10)), ..session(11) };
    same(promise, &answer(store.open_session_within(wrong, 1)), &Err(StoreError::Conflict))?;
    refreshes_to(promise, store, &presented(10), turn(11, 22), "good")
}

fn a_session_ends_once(store: &dyn AccountStore) -> Kept {
    let promise = "a session is ended once, by its id or any token of it, and stays ended";
    with_account(store)?;
    good(promise, store.open_session(session(1)))?;
    good(promise, store.open_session(session(3)))?;
    refreshed(promise, store, &presented(1), turn(10, 2))?;
    let ended = good(promise, store.end_session(&presented(1), at(20)))?;
    let expected = SessionRecord {
        status: SessionStatus::Ended(at(20)),
        refresh: Some(token(2)),
        last_used: at(10),
        ..session(1)
    };
    same(promise, &ended.as_ref(), &Some(&expected))?;
    for key in [id(1), presented(1), presented(2)] {
        same(promise, &good(promise, store.end_session(&key, at(30)))?, &None)?;
        same(promise, &good(promise, store.session(&key))?.as_ref(), &Some(&expected))?;
        refreshes_to(promise, store, &key, turn(31, 9), "ended")?;
    }
    same(promise, &good(promise, store.end_session(&id(9), at(30)))?, &None)?;
    same(promise, &good(promise, store.session(&id(3)))?, &Some(session(3)))
}

fn sessions_end_with_whose_word_opened_them(store: &dyn AccountStore) -> Kept {
    let promise = "every open session that was opened by a word ends in one step, and no other";
    with_account(store)?;
    good(promise, store.insert(account(2), None))?;
    let provider = |subject: &str| Voucher::Provider { issuer: "https://idp.example".into(), subject: subject.into() };
    let partner = |id: &str| Voucher::Partner(id.into());
    let by = |number, voucher: Voucher| SessionRecord { vouched_by: Some(voucher), ..session(number) };
    let other = SessionRecord { account: "acc_2".into(), ..by(5, partner("trust_1")) };
    let all = [
        by(1, partner("trust_1")),
        by(2, partner("trust_2")),
        by(3, partner("trust_1")),
        session(4),
        other,
        by(6, provider("one")),
        by(7, provider("two")),
        by(8, partner("https://idp.example")),
    ];
    for record in all {
        good(promise, store.open_session(record))?;
    }
    good(promise, store.end_session(&id(3), at(20)))?;
    let open = |promise| {
        let mut open = Vec::new();
        for number in 1..=8 {
            let session = good(promise, store.session(&id(number)))?;
            if session.is_some_and(|session| session.status == SessionStatus::Open) {
                open.push(number);
            }
        }
        Ok(open)
    };
    good(promise, store.end_vouched(&partner("trust_1"), at(30)))?;
    same(promise, &open(promise)?, &vec![2, 4, 6, 7, 8])?;
    let ended = good(promise, store.ended_since(at(0)))?;
    same(promise, &ended.first().map(|session| session.status), &Some(SessionStatus::Ended(at(20))))?;
    good(promise, store.end_vouched(&provider("one"), at(31)))?;
    same(promise, &open(promise)?, &vec![2, 4, 7, 8])?;
    good(promise, store.end_vouched(&partner("trust_9"), at(32)))?;
    good(promise, store.end_vouched(&partner("https://idp.example"), at(33)))?;
    same(promise, &open(promise)?, &vec![2, 4, 7])
}

fn ended_sessions_are_told_from_a_time_on(store: &dyn AccountStore) -> Kept {
    let promise = "sessions that were ended at a time or later are told, the first ended first";
    with_account(store)?;
    for (number, ended) in [(1, Some(70)), (2, None), (3, Some(50)), (4, Some(60))] {
        good(promise, store.open_session(session(number)))?;
        if let Some(seconds) = ended {
            good(promise, store.end_session(&id(number), at(seconds)))?;
        }
    }
    for (since, expected) in [(0, &["ses_3", "ses_4", "ses_1"][..]), (60, &["ses_4", "ses_1"]), (71, &[])] {
        let told = good(promise, store.ended_since(at(since)))?;
        same(promise, &told.iter().map(|session| &*session.id).collect(), &expected.to_vec())?;
    }
    Ok(())
}

fn what_is_over_is_removed_with_its_tokens_and_nothing_else(store: &dyn AccountStore) -> Kept {
    let promise = "sessions past their absolute end are removed with all their tokens, and nothing else";
    with_account(store)?;
    let over = SessionRecord { ends: at(399), ..session(1) };
    let unused = SessionRecord { idle_limit: Some(Duration::from_secs(1)), ..session(3) };
    let exact = SessionRecord { ends: at(400), ..session(4) };
    for record in [over, unused.clone(), exact.clone(), session(5)] {
        good(promise, store.open_session(record))?;
    }
    refreshed(promise, store, &presented(1), turn(10, 2))?;
    let ended = good(promise, store.end_session(&id(5), at(20)))?;
    let mut removed = 0;
    loop {
        match good(promise, store.delete_ended(at(400)))? {
            0 => break,
            some => removed += some,
        }
    }
    same(promise, &removed, &3)?;
    for key in [id(1), presented(1), presented(2)] {
        same(promise, &good(promise, store.session(&key))?, &None)?;
        refreshes_to(promise, store, &key, turn(20, 9), "unknown")?;
    }
    same(
        promise,
        &good(promise, store.sessions("acc_1"))?.iter().collect(),
        &[Some(&unused), Some(&exact), ended.as_ref()].into_iter().flatten().collect::<Vec<_>>(),
    )?;
    same(promise, &good(promise, store.session(&presented(4)))?, &Some(exact))?;
    good("what is removed can be there again", store.open_session(session(1)))
}
