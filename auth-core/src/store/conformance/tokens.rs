//! What a store of opaque tokens promises, by itself and when several do the same at once.

use std::sync::Arc;
use std::time::Duration;

use crate::error::StoreError;
use crate::opaque::{TokenRecord, TokenStatus};
use crate::store::{TokenScope, TokenStore, TokenUse};

use super::races::{MANY, at_once, one_won};
use super::{Kept, Violation, answer, at, digest, good, now, same};

/// A check of one store without tokens.
type Check = fn(&dyn TokenStore) -> Kept;

const ALL: &[Check] = &[
    a_token_comes_back_as_it_went_in,
    an_id_or_digest_that_is_there_is_a_conflict,
    a_revocation_reaches_its_scope_and_is_in_force_when_answered,
    uses_never_move_back_and_never_revive,
    what_has_ended_is_removed_and_nothing_else,
    one_of_many_inserts_succeeds,
    each_token_is_revoked_once,
];

/// Runs every check of a store of opaque tokens, each against a new and empty store.
///
/// # Errors
/// The first promise that was broken.
///
/// ```
/// use std::sync::Arc;
/// use auth_core::store::{MemoryTokenStore, conformance};
///
/// conformance::check_tokens(|| Arc::new(MemoryTokenStore::new()))?;
/// # Ok::<(), conformance::Violation>(())
/// ```
pub fn check_tokens(mut empty_store: impl FnMut() -> Arc<dyn TokenStore>) -> Result<(), Violation> {
    ALL.iter().try_for_each(|one| one(&*empty_store()))
}

/// A token whose id and digest follow from a number.
fn token(number: u8) -> TokenRecord {
    let bearer = ("issuer", "ada");
    TokenRecord::new(format!("tok_{number}"), digest(number), "pepper", bearer, at(i64::from(number)), at(1_000))
}

fn id(number: u8) -> TokenScope {
    TokenScope::Id(format!("tok_{number}").into())
}

/// The record found by id, which has to be the same as the one found by digest.
fn stored(store: &dyn TokenStore, number: u8) -> Result<Option<TokenRecord>, Violation> {
    let promise = "a token is found by its id and by its digest alike";
    let Some(listed) = good(promise, store.list(&id(number)))?.pop() else { return Ok(None) };
    let found = good(promise, store.find(&listed.digest, now()))?;
    let found = found.map(|held| TokenRecord { last_seen: held.last_used(), ..(**held).clone() });
    same(promise, &found.as_ref(), &Some(&listed))?;
    Ok(Some(listed))
}

fn a_token_comes_back_as_it_went_in(store: &dyn TokenStore) -> Kept {
    let promise = "a token comes back as it went in";
    let mut full = token(1);
    full.tenant = Some("ten'ant".into());
    full.plan = Some("plan".into());
    full.permissions = ["read", "models:*", "a\"b,c"].into_iter().collect();
    full.roles = ["admin"].into_iter().collect();
    full.scopes = ["openid", "email"].into_iter().collect();
    full.session = Some("ses_1".into());
    full.idle_limit = Some(Duration::from_micros(90_000_001));
    full.last_seen = at(5);
    full.status = TokenStatus::Revoked;
    for record in [full, token(2)] {
        good(promise, store.insert(record.clone()))?;
        let number = record.digest.as_bytes()[0];
        same(promise, &stored(store, number)?, &Some(record))?;
    }
    let promise = "what is not there is not found";
    same(promise, &good(promise, store.find(&digest(9), now()))?.is_none(), &true)?;
    same(promise, &good(promise, store.list(&id(9)))?, &vec![])
}

fn an_id_or_digest_that_is_there_is_a_conflict(store: &dyn TokenStore) -> Kept {
    let promise = "an id or a digest that is there is a conflict, and nothing of the other token is left";
    good(promise, store.insert(token(1)))?;
    let same_id = TokenRecord { digest: digest(2), ..token(1) };
    let same_digest = TokenRecord { digest: digest(1), ..token(2) };
    same(promise, &answer(store.insert(same_id)), &Err(StoreError::Conflict))?;
    same(promise, &answer(store.insert(same_digest)), &Err(StoreError::Conflict))?;
    same(promise, &good(promise, store.find(&digest(2), now()))?.is_none(), &true)?;
    same(promise, &stored(store, 2)?, &None)?;
    same(promise, &stored(store, 1)?, &Some(token(1)))
}

fn a_revocation_reaches_its_scope_and_is_in_force_when_answered(store: &dyn TokenStore) -> Kept {
    let promise = "a revocation reaches every token in scope and no other, and is in force when it is answered";
    let of = |number, issuer: &str, subject: &str, session: Option<&str>| {
        let mut record = token(number);
        (record.issuer, record.subject) = (issuer.into(), subject.into());
        record.session = session.map(Into::into);
        record
    };
    let records = [
        of(1, "a", "ada", Some("s")),
        of(2, "a", "ada", None),
        of(3, "a", "bob", Some("s")),
        of(4, "b", "ada", Some("s")),
        of(5, "a", "ada", Some("t")),
    ];
    for record in records {
        good(promise, store.insert(record.clone()))?;
        same(promise, &good(promise, store.find(&record.digest, now()))?.is_some(), &true)?;
    }
    let session = |id: &str| TokenScope::Session { issuer: "a".into(), id: id.into() };
    let subject = TokenScope::Subject { issuer: "a".into(), subject: "ada".into() };
    let steps = [
        (session("x"), 0, &[][..]),
        (id(9), 0, &[]),
        (id(2), 1, &[2]),
        (id(2), 0, &[2]),
        (session("s"), 2, &[1, 2, 3]),
        (subject, 1, &[1, 2, 3, 5]),
    ];
    for (scope, count, gone) in steps {
        same(promise, &good(promise, store.revoke(&scope))?, &count)?;
        for number in 1..=5 {
            let expected = if gone.contains(&number) { TokenStatus::Revoked } else { TokenStatus::Active };
            same(promise, &stored(store, number)?.map(|record| record.status), &Some(expected))?;
        }
    }
    let listed = good(promise, store.list(&TokenScope::Subject { issuer: "a".into(), subject: "ada".into() }))?;
    let listed: Vec<_> = listed.iter().map(|record| &*record.id).collect();
    same("a list holds what is in scope, the oldest first", &listed, &vec!["tok_1", "tok_2", "tok_5"])
}

fn uses_never_move_back_and_never_revive(store: &dyn TokenStore) -> Kept {
    let promise = "the time of the last use never moves back, gone tokens are passed over, revoked ones stay revoked";
    good(promise, store.insert(token(1)))?;
    let used = |number, seconds| TokenUse { id: format!("tok_{number}").into(), at: at(seconds) };
    good(promise, store.record_used(vec![used(9, 1), used(1, 70), used(1, 30)]))?;
    good(promise, store.record_used(vec![used(1, 50)]))?;
    let listed = good(promise, store.list(&id(1)))?.pop();
    same(promise, &listed, &Some(TokenRecord { last_seen: at(70), ..token(1) }))?;
    good(promise, store.revoke(&id(1)))?;
    good(promise, store.record_used(vec![used(1, 90)]))?;
    let revoked = good(promise, store.find(&digest(1), now()))?.map(|held| held.status);
    same(promise, &revoked, &Some(TokenStatus::Revoked))
}

fn what_has_ended_is_removed_and_nothing_else(store: &dyn TokenStore) -> Kept {
    let promise = "what has ended is removed, by its absolute end or unused, and nothing else";
    let limited = |number, last_seen| TokenRecord {
        idle_limit: Some(Duration::from_secs(100)),
        last_seen: at(last_seen),
        ..token(number)
    };
    let ended = TokenRecord { ends: at(399), ..token(4) };
    for record in [token(1), limited(2, 299), limited(3, 300), ended] {
        good(promise, store.insert(record))?;
    }
    let mut removed = 0;
    loop {
        match good(promise, store.delete_ended(at(400)))? {
            0 => break,
            some => removed += some,
        }
    }
    same(promise, &removed, &2)?;
    for (number, there) in [(1, true), (2, false), (3, true), (4, false)] {
        same(promise, &stored(store, number)?.is_some(), &there)?;
        same(promise, &good(promise, store.find(&digest(number), now()))?.is_some(), &there)?;
    }
    Ok(())
}

fn one_of_many_inserts_succeeds(store: &dyn TokenStore) -> Kept {
    let promise = "of many inserts with one id, one succeeds";
    let inserted = at_once(|number| answer(store.insert(TokenRecord { digest: digest(number), ..token(1) })));
    one_won(promise, &inserted)?;
    let found: Result<Vec<_>, Violation> =
        (0..MANY).map(|number| good(promise, store.find(&digest(number), now()))).collect();
    same(promise, &found?.iter().flatten().count(), &1)
}

fn each_token_is_revoked_once(store: &dyn TokenStore) -> Kept {
    let promise = "of many that revoke the same, each token is counted by one";
    for number in 1..=3 {
        good(promise, store.insert(TokenRecord { session: Some("s".into()), ..token(number) }))?;
    }
    let session = TokenScope::Session { issuer: "issuer".into(), id: "s".into() };
    let counted: Result<u64, StoreError> = at_once(|_| answer(store.revoke(&session))).into_iter().sum();
    same(promise, &counted, &Ok(3))
}
