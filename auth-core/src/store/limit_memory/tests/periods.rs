//! Allowances of the calendar in the table.

use std::time::Duration;

use super::*;
use crate::limit::Balance;

const HOUR: u64 = 3_600 * SECOND;
const NOON: i64 = 1_700_049_600; // 2023-11-15T12:00:00Z

/// So many nanoseconds after noon by the clock that nobody sets, and so many seconds by the one on the wall.
fn when(nanos: u64, seconds: i64) -> Now {
    Now { wall: Timestamp::from_unix_seconds(NOON + seconds), monotonic: Monotonic::from_nanos(nanos) }
}

/// Both clocks agree.
fn after(nanos: u64) -> Now {
    let wall = Timestamp::from_unix_seconds(NOON).saturating_add(Duration::from_nanos(nanos));
    Now { wall, monotonic: Monotonic::from_nanos(nanos) }
}

fn ask(store: &MemoryLimitStore, charges: &[Charge<'_>], now: Now) -> Spending {
    done(store.spend(&Charges::new(&subject("alice"), charges).unwrap(), now))
}

fn left(told: &Spending) -> Vec<u32> {
    told.iter().map(Balance::remaining).collect()
}

#[test]
fn an_allowance_is_spent_at_once_and_whole_again_on_the_hour() {
    let (store, hourly) = (store(100), charge("hourly", "3/calendar hour"));
    for hour in 0..3 {
        let start = hour * HOUR;
        for remaining in [2, 1, 0] {
            let told = ask(&store, &[hourly], after(start + 1_200 * SECOND));
            assert_eq!((fits(&told), left(&told)), (true, vec![remaining]));
        }
        let last = after(start + HOUR - 1_000);
        let told = ask(&store, &[hourly], last);
        assert_eq!(told.verdict(), Verdict::Wait(Duration::from_micros(1)));
        assert_eq!(told[0].resets(last.wall), after(start + HOUR).wall);
    }
}

#[test]
fn days_and_months_end_by_the_calendar() {
    let store = store(100);
    let both = [charge("daily", "2/calendar day"), charge("monthly", "3/calendar month")];
    assert_eq!(left(&ask(&store, &both, after(0))), [1, 2]);
    assert_eq!(left(&ask(&store, &both, after(11 * HOUR))), [0, 1]);
    assert_eq!(left(&ask(&store, &both, after(12 * HOUR))), [1, 0]);
    let refused = ask(&store, &both, after(13 * HOUR));
    assert_eq!((refused.exceeded().collect::<Vec<_>>(), left(&refused)), (vec![1], vec![1, 0]));
    // noon of 15 November, 15.5 days before December
    assert_eq!(refused.verdict(), Verdict::Wait(Duration::from_hours(15 * 24 + 12 - 13)));
    assert_eq!(left(&ask(&store, &both, after((15 * 24 + 12) * HOUR))), [1, 2]);
}

#[test]
fn l17_rates_and_allowances_are_spent_together_or_not_at_all() {
    let (store, allowance, rate) = (store(100), charge("day", "2/calendar day"), charge("rate", "5/hour"));
    for charges in [[allowance, rate], [rate, allowance]] {
        assert!(fits(&ask(&store, &charges, after(0))));
    }
    for charges in [[allowance, rate], [rate, allowance]] {
        assert!(!fits(&ask(&store, &charges, after(0))));
    }
    let look = done(store.look(&Charges::new(&subject("alice"), &[allowance, rate]).unwrap(), after(0)));
    assert_eq!(left(&look), [0, 3]);
    // a budget charged twice by one request
    assert_eq!(left(&ask(&store, &[allowance, allowance], after(24 * HOUR))), [1, 0]);
}

#[test]
fn a_changed_plan_acts_at_once_on_what_was_spent() {
    let (store, free, pro) = (store(100), charge("day", "10/calendar day"), charge("day", "500/calendar day"));
    ask(&store, &[Charge { units: 10, ..free }], after(0));
    assert!(!fits(&ask(&store, &[free], after(1))));
    assert_eq!(left(&ask(&store, &[Charge { units: 90, ..pro }], after(2))), [400]);
    let back = ask(&store, &[free], after(3));
    assert_eq!((fits(&back), left(&back)), (false, vec![0]));
    assert_eq!(left(&ask(&store, &[Charge { units: 0, ..pro }], after(4))), [400]);
}

#[test]
fn what_was_used_is_owed_within_the_period() {
    let (store, hourly) = (store(100), charge("hourly", "2/calendar hour"));
    let debit = |now| done(store.debit(&Charges::new(&subject("alice"), &[hourly]).unwrap(), now));
    for expected in [true, true, false, false, false] {
        assert_eq!(fits(&debit(after(0))), expected);
    }
    assert_eq!(ask(&store, &[hourly], after(1_800 * SECOND)).verdict(), Verdict::Wait(Duration::from_mins(30)));
    assert_eq!(left(&ask(&store, &[hourly], after(HOUR))), [1]);
}

#[test]
fn l25_a_wall_clock_that_steps_back_frees_nothing_and_blocks_for_no_longer_than_a_period() {
    for back in [1, 600, 1_799, 1_801, 86_400, 40_000_000] {
        let (store, hourly) = (store(100), charge("hourly", "5/calendar hour"));
        assert!(fits(&ask(&store, &[Charge { units: 5, ..hourly }], when(0, 1_800))));
        let told = ask(&store, &[hourly], when(SECOND, 1_801 - back));
        let Verdict::Wait(wait) = told.verdict() else { panic!("{back} seconds back freed {told:?}") };
        assert!(wait <= Duration::from_secs(1_800 + 66), "{back}: {wait:?}");
        let later = when(
            SECOND + u64::try_from(wait.as_nanos()).unwrap(),
            1_802 - back + i64::try_from(wait.as_secs()).unwrap(),
        );
        assert!(fits(&ask(&store, &[hourly], later)), "{back}");
    }
}

/// The store's places are free again when the period is over, without anybody asking for them.
#[test]
fn idle_allowances_give_their_places_back() {
    let store = store(1_000);
    let charges = [charge("hourly", "5/calendar hour")];
    let mut bytes = 0;
    for hour in 0..50 {
        for number in 0..500 {
            let name = format!("{hour} {number}");
            let new = subject(&name);
            let charges = Charges::new(&new, &charges).unwrap();
            // the first come when the mark of the hour before has passed as well
            let told = done(store.spend(&charges, after(hour * HOUR + (100 + number) * SECOND)));
            assert_eq!((fits(&told), told[0].remaining()), (true, 4));
        }
        let usage = store.usage(after(hour * HOUR + 700 * SECOND));
        assert_eq!((usage.budgets, usage.overflowed), (500, 0));
        bytes = if hour == 10 { usage.bytes } else { bytes };
    }
    let end = store.usage(after(51 * HOUR));
    assert_eq!((end.budgets, end.bytes), (0, bytes));
}

#[test]
fn what_finds_no_place_shares_an_allowance_with_its_network() {
    let store = store(1);
    let hourly = charge("hourly", "5/calendar hour");
    let ask = |name: &str, charge: Charge<'_>| {
        let facts = Facts { network: Some(network([192, 0, 2, 7])), ..subject(name) };
        done(store.spend(&Charges::new(&facts, &[charge]).unwrap(), after(0)))
    };
    let admitted = (0..5_000).filter(|number| fits(&ask(&number.to_string(), hourly))).count();
    assert!(admitted < 600, "{admitted}");
    assert!(!fits(&ask("one more", hourly)));
    // other periods, much larger counts and rates are never shut out by it
    for quota in ["5/calendar day", "5/calendar month", "500/calendar hour", "5/hour"] {
        assert!(fits(&ask("one more", charge("hourly", quota))), "{quota}");
    }
}

#[test]
fn l16_racing_requests_at_the_turn_of_the_hour_admit_no_more_than_the_allowances_of_both() {
    let charges = [charge("hourly", "37/calendar hour"), charge("daily", "60/calendar day")];
    for round in 0..200 {
        let store = store(100);
        let (charges, most) = if round % 2 == 0 { (&charges[..], 60) } else { (&charges[..1], 74) };
        let alice = subject("alice");
        let charges = Charges::new(&alice, charges).unwrap();
        let start = std::sync::Barrier::new(4);
        // readings of one clock, from a little before the hour to a little after, which some act on late
        let spend = |step: u64| fits(&done(store.spend(&charges, after(HOUR + step * 1_000_000 - 20_000_000))));
        let admitted: usize = std::thread::scope(|scope| {
            let run = || {
                start.wait();
                (0..40).filter(|step| spend(*step)).count()
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        // a thread that is late spends from the hour that others have begun
        assert!((37..=most).contains(&admitted), "{admitted}");
    }
}
