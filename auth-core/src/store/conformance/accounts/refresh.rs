//! What presenting a refresh token comes to.

use std::time::Duration;

use crate::account::{AccountChange, RefreshToken, Refreshed, SessionRecord, SessionStatus, Turn};
use crate::error::StoreError;
use crate::store::AccountStore;

use super::{
    Check, Kept, Violation, answer, at, changed, good, id, presented, refreshed, refreshes_to, same, session, stored,
    token, turn, with_account,
};

pub(super) const ALL: &[Check] = &[
    a_turn_spends_the_token_and_moves_the_idle_end_alone,
    t16_a_lost_answer_is_given_again_within_the_grace,
    t15_reuse_ends_the_family,
    t15_a_clock_that_was_set_back_prolongs_no_grace,
    t17_idle_and_absolute_ends_hold_exactly,
    a_token_without_a_successor_stays,
    a_session_is_refreshed_by_its_id_without_touching_tokens,
    the_account_comes_along_as_it_is_now,
    a_successor_that_is_there_is_a_conflict,
];

fn opened(store: &dyn AccountStore, session: SessionRecord) -> Kept {
    with_account(store)?;
    good("a session can be opened", store.open_session(session))
}

fn a_turn_spends_the_token_and_moves_the_idle_end_alone(store: &dyn AccountStore) -> Kept {
    let promise = "a turn puts the successor in the token's place and moves the last use, nothing else";
    let idle = SessionRecord { idle_limit: Some(Duration::from_secs(100)), ..session(1) };
    opened(store, idle.clone())?;
    refreshes_to(promise, store, &presented(9), turn(10, 2), "unknown")?;
    let expected = SessionRecord { refresh: Some(token(2)), last_used: at(60), ..idle };
    same(promise, &refreshed(promise, store, &presented(1), turn(60, 2))?, &expected)?;
    same(promise, &good(promise, store.session(&id(1)))?.as_ref(), &Some(&expected))?;
    // a process whose clock is behind
    let expected = SessionRecord { refresh: Some(RefreshToken::new(token(3).digest, "other")), ..expected };
    let behind = Turn { successor: expected.refresh.clone(), ..turn(50, 3) };
    same(promise, &refreshed(promise, store, &presented(2), behind)?, &expected)?;
    same(promise, &good(promise, store.session(&presented(1)))?, &Some(expected))
}

fn t16_a_lost_answer_is_given_again_within_the_grace(store: &dyn AccountStore) -> Kept {
    let promise = "within the grace a spent token is answered the same again, as long as its successor was not used";
    opened(store, session(1))?;
    let first = refreshed(promise, store, &presented(1), turn(50, 2))?;
    for seconds in [50, 59, 41] {
        same(promise, &refreshed(promise, store, &presented(1), turn(seconds, 2))?, &first)?;
    }
    // the pepper changed in between: the text is the same, its digest is not
    same(promise, &refreshed(promise, store, &presented(1), turn(51, 7))?, &first)?;
    refreshes_to("nothing was added by that", store, &presented(7), turn(52, 8), "unknown")?;
    refreshed(promise, store, &presented(2), turn(55, 3))?;
    refreshes_to(promise, store, &presented(1), turn(56, 2), "reused")
}

fn t15_a_clock_that_was_set_back_prolongs_no_grace(store: &dyn AccountStore) -> Kept {
    let promise = "a spent token that comes long before it was spent, on a clock that was set back, ends its session";
    opened(store, session(1))?;
    refreshed(promise, store, &presented(1), turn(100, 2))?;
    refreshes_to("a clock may be a little behind", store, &presented(1), turn(91, 2), "good")?;
    refreshes_to(promise, store, &presented(1), turn(90, 2), "reused")
}

fn t15_reuse_ends_the_family(store: &dyn AccountStore) -> Kept {
    let promise = "a spent token that comes again after the grace ends its session, for every token of it";
    opened(store, session(1))?;
    good(promise, store.open_session(session(10)))?;
    refreshed(promise, store, &presented(1), turn(50, 2))?;
    let reused = good(promise, store.refresh(&presented(1), turn(60, 2)))?;
    let expected = SessionRecord {
        status: SessionStatus::Ended(at(60)),
        refresh: Some(token(2)),
        last_used: at(50),
        ..session(1)
    };
    same(promise, &reused, &Refreshed::Reused(expected.clone().into()))?;
    same(promise, &good(promise, store.session(&id(1)))?, &Some(expected))?;
    for number in [1, 2] {
        refreshes_to(promise, store, &presented(number), turn(61, 3), "ended")?;
    }
    refreshes_to(promise, store, &id(1), turn(61, 3), "ended")?;
    refreshes_to("another login of the same account is another family", store, &presented(10), turn(61, 11), "good")?;
    let promise =
        "reuse is noticed however many turns ago the token was spent, and in a session that lies unused too long";
    good(promise, store.open_session(SessionRecord { idle_limit: Some(Duration::from_secs(100)), ..session(20) }))?;
    for number in 20..25 {
        refreshed(promise, store, &presented(number), turn(i64::from(number), number + 1))?;
    }
    refreshes_to(promise, store, &presented(21), turn(500, 30), "reused")
}

fn t17_idle_and_absolute_ends_hold_exactly(store: &dyn AccountStore) -> Kept {
    let promise = "a session is refreshed until its idle end and its absolute end, and not at them";
    opened(store, SessionRecord { idle_limit: Some(Duration::from_secs(400)), ..session(1) })?;
    let just =
        |micros, successor| Turn { at: at(0).saturating_add(Duration::from_micros(micros)), ..turn(0, successor) };
    refreshes_to(promise, store, &presented(1), turn(401, 2), "expired")?;
    refreshes_to(promise, store, &presented(1), just(400_999_999, 2), "good")?;
    refreshes_to(promise, store, &presented(2), just(800_999_999, 3), "expired")?;
    refreshes_to(promise, store, &presented(2), just(800_999_998, 3), "good")?;
    refreshes_to(promise, store, &presented(3), just(1_000_000_000, 4), "expired")?;
    refreshes_to(promise, store, &id(1), turn(1_000, 4), "expired")?;
    let last = refreshed(promise, store, &presented(3), just(999_999_999, 4))?;
    same("no use moves the absolute end", &(last.end(), last.ends), &(at(1_000), at(1_000)))?;
    refreshes_to("the grace does not outlast the session", store, &presented(3), turn(1_000, 4), "expired")?;
    let open = good(promise, store.session(&id(1)))?.map(|session| session.status);
    same("coming to its end is not being ended", &open, &Some(SessionStatus::Open))
}

fn a_token_without_a_successor_stays(store: &dyn AccountStore) -> Kept {
    let promise = "without a successor the token stays, and its use moves the idle end";
    opened(store, SessionRecord { idle_limit: Some(Duration::from_secs(100)), ..session(1) })?;
    for (seconds, last_used) in [(90, 90), (180, 180), (270, 270), (269, 270)] {
        let reusable = Turn { successor: None, ..turn(seconds, 0) };
        let session = refreshed(promise, store, &presented(1), reusable)?;
        same(promise, &(session.refresh, session.last_used), &(Some(token(1)), at(last_used)))?;
    }
    refreshes_to(promise, store, &presented(1), Turn { successor: None, ..turn(370, 0) }, "expired")
}

fn a_session_is_refreshed_by_its_id_without_touching_tokens(store: &dyn AccountStore) -> Kept {
    let promise = "by its id a session is refreshed without touching its token";
    opened(store, SessionRecord { idle_limit: Some(Duration::from_secs(100)), ..session(1) })?;
    let session = refreshed(promise, store, &id(1), turn(90, 2))?;
    same(promise, &(session.refresh, session.last_used), &(Some(token(1)), at(90)))?;
    refreshes_to(promise, store, &presented(2), turn(91, 3), "unknown")?;
    refreshes_to(promise, store, &presented(1), turn(91, 2), "good")?;
    refreshes_to(promise, store, &id(9), turn(91, 2), "unknown")
}

fn the_account_comes_along_as_it_is_now(store: &dyn AccountStore) -> Kept {
    let promise = "a refresh answers the account as it is now, and nothing once its generation moved";
    opened(store, session(1))?;
    let now = changed(promise, store, AccountChange::Plan(Some("pro".into())), 20)?.account;
    match good(promise, store.refresh(&presented(1), turn(30, 2)))? {
        Refreshed::Good { account, .. } => same(promise, &*account, &now)?,
        other => return Err(Violation { promise, instead: format!("{other:?}") }),
    }
    changed(promise, store, AccountChange::EndSessions, 40)?;
    // also what would be reuse: there is nothing left to end
    for number in [1, 2] {
        refreshes_to(promise, store, &presented(number), turn(60, 3), "ended")?;
    }
    same(promise, &stored(promise, store, "acc_1")?.generation, &1)
}

fn a_successor_that_is_there_is_a_conflict(store: &dyn AccountStore) -> Kept {
    let promise = "a successor that is or was some token is a conflict that changes nothing";
    opened(store, session(1))?;
    good(promise, store.open_session(session(5)))?;
    refreshed(promise, store, &presented(1), turn(20, 2))?;
    let before = good(promise, store.session(&id(1)))?;
    for there in [1, 2, 5] {
        same(promise, &answer(store.refresh(&presented(2), turn(30, there))), &Err(StoreError::Conflict))?;
        same(promise, &good(promise, store.session(&presented(2)))?, &before)?;
    }
    refreshes_to(promise, store, &presented(2), turn(30, 3), "good")
}
