//! Whatever order tokens are presented in: the stores against a description of a family as a chain.

use std::sync::Arc;
use std::time::Duration;

use auth_core::account::{AccountChange, Refreshed, SessionRecord, Turn};
use auth_core::store::{AccountStore, MemoryAccountStore, SessionKey, SqliteAccountStore};
use proptest::prelude::*;

use super::{GRACE, account, at, presented, session, token, wait, word};

const IDLE: i64 = 60;
const ENDS: i64 = 1_000;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Lets the clock move, sometimes back, as that of another process.
    Wait(i64),
    /// Presents the token so many before the newest.
    Present { back: usize, rotate: bool },
    /// Refreshes without a token.
    ById,
    /// Ends the session by logging out.
    LogOut,
    /// Ends the session by moving the generation.
    EndAll,
    /// Begins the next family.
    LogIn,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (-3..25_i64).prop_map(Step::Wait),
        1 => Just(Step::Wait(IDLE)),
        8 => (0..4_usize, prop::bool::weighted(0.8)).prop_map(|(back, rotate)| Step::Present { back: back.saturating_sub(1), rotate }),
        2 => Just(Step::ById),
        1 => Just(Step::LogOut),
        1 => Just(Step::EndAll),
        2 => Just(Step::LogIn),
    ]
}

/// A family: its tokens in the order in which they were in force, each with the time at which it was spent.
#[derive(Default)]
struct Family {
    tokens: Vec<(u32, i64)>,
    last_used: i64,
    over: bool,
}

impl Family {
    fn ended_by_time(&self, now: i64) -> bool {
        now >= ENDS || now >= self.last_used + IDLE
    }

    /// What presenting the token so many before the newest comes to.
    fn present(&mut self, back: usize, now: i64, successor: Option<u32>) -> &'static str {
        let place = self.tokens.len() - 1 - back;
        let in_grace = back == 1 && now < self.tokens[place].1 + i64::try_from(GRACE.as_secs()).unwrap();
        if self.over {
            return "ended";
        }
        if back > 0 && !in_grace {
            self.over = true;
            return "reused";
        }
        if self.ended_by_time(now) {
            return "expired";
        }
        if back == 0 {
            self.last_used = self.last_used.max(now);
            if let Some(successor) = successor {
                self.tokens[place].1 = now;
                self.tokens.push((successor, 0));
            }
        }
        "good"
    }
}

fn follow(store: &dyn AccountStore, steps: &[Step]) -> Result<(), TestCaseError> {
    wait(store.insert(account(), None)).unwrap();
    let (mut now, mut number, mut generation, mut logins) = (0, 0, 0, 0);
    let mut family = Family { over: true, tokens: vec![(0, 0)], last_used: 0 };
    let id = |logins: i64| SessionKey::Id(format!("ses_{logins}").into());
    for step in steps {
        match *step {
            Step::Wait(seconds) => now = (now + seconds).max(0),
            Step::LogIn => {
                // one family at a time
                let ended = wait(store.end_session(&id(logins), at(now))).unwrap();
                prop_assert_eq!(ended.is_some(), !family.over);
                (number, logins) = (number + 1, logins + 1);
                family = Family { tokens: vec![(number, 0)], last_used: now, over: false };
                let mut opened = session(&format!("ses_{logins}"), number);
                opened.idle_limit = Some(Duration::from_secs(IDLE.unsigned_abs()));
                (opened.last_used, opened.generation) = (at(now), generation);
                wait(store.open_session(opened)).unwrap();
            }
            Step::LogOut => {
                let ended = wait(store.end_session(&id(logins), at(now))).unwrap();
                prop_assert_eq!(ended.is_some(), !family.over);
                family.over = true;
            }
            Step::EndAll => {
                let changed = wait(store.change("acc_1", AccountChange::EndSessions, at(now))).unwrap().unwrap();
                prop_assert_eq!(changed.ended.len(), usize::from(!family.over));
                (generation, family.over) = (generation + 1, true);
            }
            Step::ById if logins > 0 => {
                let turn = Turn { at: at(now), successor: None, grace: GRACE };
                let given = wait(store.refresh(&id(logins), turn)).unwrap();
                let expected = family.present(0, now, None);
                agree(&given, expected, &family)?;
            }
            Step::Present { back, rotate } if logins > 0 => {
                let back = back.min(family.tokens.len() - 1);
                let shown = family.tokens[family.tokens.len() - 1 - back].0;
                number += 1;
                let turn = Turn { at: at(now), successor: rotate.then(|| token(number)), grace: GRACE };
                let given = wait(store.refresh(&presented(shown), turn)).unwrap();
                let expected = family.present(back, now, rotate.then_some(number));
                agree(&given, expected, &family)?;
            }
            Step::ById | Step::Present { .. } => {}
        }
    }
    Ok(())
}

/// The answer is the expected one, and a good one tells the token in force and ends that never move past the absolute one.
fn agree(given: &Refreshed, expected: &str, family: &Family) -> Result<(), TestCaseError> {
    prop_assert_eq!(word(given), expected);
    if let Refreshed::Good { session, .. } = given {
        let session: &SessionRecord = session;
        prop_assert_eq!(session.refresh.clone(), family.tokens.last().map(|(number, _)| token(*number)));
        prop_assert_eq!(session.last_used, at(family.last_used));
        prop_assert!(session.ends == at(ENDS) && session.end() <= at(ENDS));
    }
    Ok(())
}

proptest! {
    #[test]
    fn t15_t17_a_family_lives_and_dies_as_described(steps in prop::collection::vec(step(), 1..120)) {
        follow(&MemoryAccountStore::new(), &steps)?;
    }
}

proptest! {
    // every step is synchronised with the disk
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn t15_t17_a_family_in_a_file_lives_and_dies_as_described(steps in prop::collection::vec(step(), 1..60)) {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn AccountStore> = Arc::new(SqliteAccountStore::open(folder.path().join("auth.db")).unwrap());
        follow(&*store, &steps)?;
    }
}
