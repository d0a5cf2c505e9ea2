//! Memory, floods and idle budgets.

use std::time::Duration;

use super::*;

#[test]
fn a_budget_takes_at_most_64_bytes_when_the_store_is_full() {
    let capacity = 60_000;
    let store = store(capacity);
    let hourly = charge("hourly", "5/hour");
    for number in 0..capacity {
        assert!(fits(&spend(&store, subject(&number.to_string()), &[hourly], 0)));
    }
    let usage = store.usage(at(0));
    assert!(usage.bytes <= 26 * capacity as usize + 32_768, "{usage:?}"); // 24, and the list of pages
    assert!(usage.bytes <= 64 * capacity as usize);
    assert!(usage.overflowed <= u64::from(capacity) / 10_000, "{usage:?}");
    assert_eq!(usage.budgets as u64 + usage.overflowed, u64::from(capacity));
    let million = store_bytes_when_full(1_000_000);
    assert!(million <= 25_000_000, "{million}");
}

/// All pages of a table of that capacity, without making them.
fn store_bytes_when_full(capacity: u32) -> usize {
    super::super::table::most_bytes(NonZeroU32::new(capacity).unwrap())
}

#[test]
fn a_small_service_pays_for_a_small_store() {
    let store = MemoryLimitStore::new();
    assert!(store.usage(at(0)).bytes < 64 * 1024);
    for number in 0..100 {
        spend(&store, subject(&number.to_string()), &[charge("hourly", "5/hour")], 0);
    }
    assert!(store.usage(at(0)).bytes < 512 * 1024);
}

#[test]
fn looking_makes_no_memory() {
    let store = MemoryLimitStore::new();
    let before = store.usage(at(0));
    for number in 0..1_000 {
        let number = number.to_string();
        let charges = [charge("hourly", "5/hour")];
        let told = done(store.look(&Charges::new(&subject(&number), &charges).unwrap(), at(0)));
        assert_eq!(told[0].remaining(), 5);
    }
    assert_eq!(store.usage(at(0)), before);
}

#[test]
fn a_flood_of_new_owners_neither_grows_the_memory_nor_frees_anybody() {
    let store = store(1_000);
    let hourly = charge("hourly", "5/hour");
    let victims: Vec<String> = (0..500).map(|number| format!("victim {number}")).collect();
    for victim in &victims {
        spend(&store, subject(victim), &[Charge { units: 5, ..hourly }], 0);
    }
    let mut admitted = 0;
    let mut bytes = None;
    for number in 0..10_000 {
        let name = format!("flood {number}");
        let facts = Facts { network: Some(network([192, 0, 2, 7])), ..subject(&name) };
        // one at a time and together with another, since both ways insert
        let charges = [hourly, charge("other", "5/hour")];
        admitted += u32::from(fits(&spend(&store, facts, &charges[..=number % 2], SECOND)));
        if number >= 5_000 {
            assert_eq!(*bytes.get_or_insert(store.usage(at(SECOND)).bytes), store.usage(at(SECOND)).bytes);
        }
    }
    // the places that were free, and then the shared budgets
    assert!(admitted < 1_600, "{admitted}");
    assert!(store.usage(at(SECOND)).overflowed > 8_000);
    for victim in &victims {
        let told = spend(&store, subject(victim), &[hourly], 2 * SECOND);
        assert!(!fits(&told));
        assert_eq!(told[0].until_full(), Duration::from_secs(3_598));
    }
}

#[test]
fn what_finds_no_place_shares_a_budget_with_its_network() {
    let store = store(1);
    let hourly = charge("hourly", "5/hour");
    for number in 0..5_000 {
        let name = number.to_string();
        spend(&store, Facts { network: Some(network([192, 0, 2, 7])), ..subject(&name) }, &[hourly], 0);
    }
    let hourly_alone = [hourly];
    let one_more = stranger("one more", [192, 0, 2, 7]);
    let charges = Charges::new(&one_more, &hourly_alone).unwrap();
    assert!(!fits(&done(store.spend(&charges, at(0)))), "its network has spent the shared budget");
    assert!(!fits(&done(store.look(&charges, at(0)))), "looking must see the shared budget too");
    // Of all the networks, the least part shares by chance what that one has spent.
    let others = (0..100_u8).map(|last| stranger("one more", [198, 51, 100, last]));
    let passed = others.filter(|facts| fits(&spend(&store, *facts, &[hourly], 0))).count();
    assert!(passed >= 80, "{passed}");
    // Another rate is never shut out by it.
    assert!(fits(&spend(&store, stranger("one more", [192, 0, 2, 7]), &[charge("hourly", "5/s")], 0)));
    // When the others are full again, their places are free.
    let later = 3_600 * SECOND;
    assert_eq!(store.usage(at(later)).budgets, 0);
    let before = store.usage(at(later)).overflowed;
    assert!(fits(&done(store.spend(&charges, at(later)))));
    assert_eq!(store.usage(at(later)).overflowed, before);
}

fn stranger(name: &str, address: [u8; 4]) -> Facts<'_> {
    Facts { network: Some(network(address)), ..subject(name) }
}

#[test]
fn a_flood_from_many_networks_leaves_most_others_their_shares() {
    let store = store(20_000);
    let hourly = charge("hourly", "5/hour");
    // so many that hardly a place is left
    for number in 0..100_000_u32 {
        let [_, _, third, last] = (number % 500).to_be_bytes();
        let name = number.to_string();
        spend(&store, stranger(&name, [10, 0, third, last]), &[hourly], 0);
    }
    let others = (0..200_u8).flat_map(|last| [[198, 51, 100, last], [203, 0, 113, last]]);
    let passed = others.filter(|address| fits(&spend(&store, stranger("one more", *address), &[hourly], 0))).count();
    assert!(passed >= 320, "{passed} of 400");
}

#[test]
fn idle_budgets_give_their_places_back() {
    let store = store(1_000);
    let quick = charge("quick", "5/s");
    let mut bytes = 0;
    for number in 0..100_000_u64 {
        // half a thousand of them are in use at any time
        let told = spend(&store, subject(&number.to_string()), &[quick], number * SECOND / 5 / 500);
        assert_eq!((fits(&told), told[0].remaining()), (true, 4));
        if number == 50_000 {
            bytes = store.usage(at(0)).bytes;
        }
    }
    let usage = store.usage(at(100_000 * SECOND / 5 / 500));
    assert_eq!((usage.bytes, usage.overflowed), (bytes, 0));
    assert!((400..=500).contains(&usage.budgets), "{usage:?}");
}

/// The one who comes back finds its place before the new one takes it, in whichever order they are charged.
#[test]
fn a_new_owner_does_not_take_the_place_of_another_in_the_same_request() {
    let store = store(1);
    let interval = Duration::from_millis(200);
    for round in 0..20_000_u64 {
        let (back, new) = ((round % 40).to_string(), format!("new {round}"));
        let charges = [charge(&new, "5/s"), charge(&back, "5/s"), charge("third", "5/s")];
        let told = spend(&store, subject("alice"), &charges, round * SECOND / 5);
        assert!(told.iter().all(|balance| balance.until_full() == interval), "{told:?}");
        let seen = done(store.look(&Charges::new(&subject("alice"), &charges).unwrap(), at(round * SECOND / 5)));
        assert_eq!(seen, told);
    }
}

#[test]
fn l25_a_clock_that_steps_neither_frees_nor_blocks_for_ever() {
    let store = store(100);
    let (hourly, hour) = (charge("hourly", "5/hour"), 3_600 * SECOND);
    let ask = |now| fits(&spend(&store, subject("alice"), &[hourly], now));
    assert!(fits(&spend(&store, subject("alice"), &[Charge { units: 5, ..hourly }], 1_000 * hour)));
    assert!(!ask(1_000 * hour - SECOND), "a second back");
    assert!(!ask(3 * hour), "a long way back");
    assert!(!ask(3 * hour + hour / 6));
    assert!(ask(3 * hour + hour / 5), "an interval after that, one is there");
    assert!(!ask(3 * hour + hour / 5));
    assert!(ask(3 * hour + 2 * hour));
    assert!(ask(900_000 * hour), "a jump ahead is time that has passed");
    assert!(ask(0));
}
