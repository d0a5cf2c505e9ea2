//! What holds when many do the same at once.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::*;

const THREADS: usize = 4;

/// Lets several threads do the same from the same moment on, and collects what they answer.
fn at_once<T: Send>(act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        let run = |number| {
            let (start, act) = (&start, &act);
            scope.spawn(move || {
                start.wait();
                act(number)
            })
        };
        let threads: Vec<_> = (0..THREADS).map(run).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// New budgets, first asked for by all threads at the same moment: an owner that got two places would admit twice its
/// quota, a lost update one more.
#[test]
fn l16_racing_insertions_admit_exactly_the_quota() {
    let store = store(10_000);
    for round in 0..300 {
        let (name, tenant) = (round.to_string(), (round / 3).to_string());
        let facts = Facts { tenant: Some(&tenant), ..subject(&name) };
        let alone = charge("alone", "37/hour");
        let one = charge("one", "23/hour");
        let other = charge("other", "29/hour");
        let admitted = at_once(|thread| {
            let both = if thread % 2 == 0 { [one, other] } else { [other, one] };
            let spent = |charges: &[Charge<'_>]| (0..12).filter(|_| fits(&spend(&store, facts, charges, 0))).count();
            (spent(&[alone]), spent(&both))
        });
        assert_eq!(admitted.iter().map(|(alone, _)| alone).sum::<usize>(), 37);
        assert_eq!(admitted.iter().map(|(_, both)| both).sum::<usize>(), 23);
        let left = done(store.look(&Charges::new(&facts, &[alone, one, other]).unwrap(), at(0)));
        assert_eq!(left.iter().map(crate::limit::Balance::remaining).collect::<Vec<_>>(), [0, 0, 6]);
    }
}

/// Single charges against charges that claim the same places, in all orders.
#[test]
fn l16_l17_single_and_several_charges_share_budgets_exactly() {
    let store = store(1_000);
    let budgets = ["a", "b", "c", "d"].map(|policy| charge(policy, "100000/hour"));
    let spent = at_once(|thread| {
        let mut spent = [0_u32; 4];
        for round in 0..20_000_usize {
            let (first, second) = ((round * 7 + thread) % 4, (round / 3 + thread * 2) % 4);
            let charges = [budgets[first], budgets[second]];
            let several = round % 3 != 0 && first != second;
            let told = spend(&store, subject("alice"), &charges[..=usize::from(several)], 0);
            assert!(fits(&told));
            spent[first] += 1;
            spent[second] += u32::from(several);
        }
        spent
    });
    let left = done(store.look(&Charges::new(&subject("alice"), &budgets).unwrap(), at(0)));
    for (place, balance) in left.iter().enumerate() {
        let total: u32 = spent.iter().map(|spent| spent[place]).sum();
        assert_eq!(balance.remaining(), 100_000 - total);
    }
}

/// More owners than places, in use and idle by turns, so that places change hands all the time.
///
/// The busy owners show a lost update or a second place: more would pass than the rate allows. The others are alone
/// with their budgets and come back only when these are full: a charge that hits a stranger's place would show there.
#[test]
fn l18_places_that_change_hands_lose_no_charge_and_charge_no_stranger() {
    const TICK: u64 = 40;
    let store = store(1);
    let clock = AtomicU64::new(SECOND);
    let busy = charge("busy", "250/ms burst 3");
    let calm = ["calm", "also calm"].map(|name| charge(name, "250/ms burst 3"));
    let (interval, undisturbed) = (Duration::from_micros(4), AtomicU64::new(0));
    let admitted = at_once(|thread| {
        let mut admitted = Vec::new();
        for round in 0..40_000_usize {
            let now = clock.fetch_add(TICK, Ordering::SeqCst);
            if round % 2 == 0 {
                let name = format!("calm {thread} {}", round / 2 % 400);
                let before = store.overflow.charges();
                let told = spend(&store, subject(&name), &calm[..=round / 2 % 2], now);
                // A thread that lost its processor comes back with an old reading, to which every place is in use.
                let is_alone = store.overflow.charges() == before;
                assert!(!is_alone || told.iter().all(|balance| balance.until_full() == interval), "{told:?}");
                undisturbed.fetch_add(u64::from(is_alone), Ordering::Relaxed);
            } else {
                let owner = round / 2 * 7 % 3;
                let before = store.overflow.charges();
                if fits(&spend(&store, subject(["x", "y", "z"][owner]), &[busy], now))
                    && store.overflow.charges() == before
                {
                    admitted.push((owner, now));
                }
            }
        }
        admitted
    });
    assert!(undisturbed.into_inner() > 60_000);
    let mut by_owner = [const { Vec::new() }; 3];
    admitted.into_iter().flatten().for_each(|(owner, now)| by_owner[owner].push(now));
    for mut times in by_owner {
        times.sort_unstable();
        assert!(times.len() > 100);
        for (first, from) in times.iter().enumerate() {
            for (count, to) in times[first..].iter().take(500).enumerate() {
                assert!(count as u64 <= (to - from) / 4_000 + 2, "{} in {} ns", count + 1, to - from);
            }
        }
    }
}

/// Requests for the same new owner twice, in the overflow and out of it, and in circles: whoever waits in one, waits
/// for ever.
#[test]
fn charges_in_every_order_come_to_an_end() {
    let store = store(1);
    let one_each: Vec<_> = (0..64).map(|number| charge(&number.to_string(), "100000/hour")).collect();
    at_once(|thread| {
        for round in 0..3_000_usize {
            let pick = |place: usize| {
                let number = (round * 13 + place * (thread * 2 + 5)) % one_each.len();
                Charge { units: 1 + u32::from(place == 0), ..one_each[number] }
            };
            let charges: Vec<_> = (0..8).map(pick).collect();
            let name = (round % 40).to_string();
            let facts = Facts { network: Some(network([10, 0, 0, 1])), ..subject(&name) };
            spend(&store, facts, &charges, round as u64);
        }
    });
    assert!(store.usage(at(0)).overflowed > 0);
}
