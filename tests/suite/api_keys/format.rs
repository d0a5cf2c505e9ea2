//! The form of keys: what is minted is read, what was mistyped is refused, and the published expression agrees.

use auth_core::api_key::KeyFormat;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use regex_lite::Regex;

/// Formats of all sorts.
fn formats() -> impl Strategy<Value = KeyFormat> {
    let environments = select(vec![&[][..], &["live"], &["live", "test"], &["a", "ab", "abc"]]);
    ("[a-zA-Z][a-zA-Z0-9_-]{0,8}", environments, 28_usize..=64).prop_map(|(prefix, environments, tail)| {
        KeyFormat::new(&prefix, environments.iter().copied()).unwrap().with_tail(tail).unwrap()
    })
}

fn minted(format: &KeyFormat, which: Index) -> String {
    let environments: Vec<Option<&str>> = match format.environments().map(Some).collect::<Vec<_>>() {
        none if none.is_empty() => vec![None],
        some => some,
    };
    format.mint(environments[which.index(environments.len())]).unwrap().expose_text().unwrap().to_owned()
}

fn anchored(format: &KeyFormat) -> Regex {
    Regex::new(&format!("^{}$", format.regex())).unwrap()
}

proptest! {
    #[test]
    fn t40_minted_keys_are_read_and_match_their_expression(format in formats(), which: Index) {
        let key = minted(&format, which);
        prop_assert!(format.recognises(&key));
        let parsed = format.parse(&key);
        prop_assert!(parsed.is_ok());
        prop_assert_eq!(
            parsed.unwrap().environment.is_some(),
            format.environments().next().is_some()
        );
        prop_assert!(anchored(&format).is_match(&key));
    }

    #[test]
    fn a_changed_character_is_refused_without_a_look_up(format in formats(), which: Index, place: Index, new in "[a-zA-Z0-9_-]") {
        let key = minted(&format, which);
        let place = place.index(key.len());
        let mut changed = key.clone();
        changed.replace_range(place..=place, &new);
        prop_assume!(changed != key);
        prop_assert!(format.parse(&changed).is_err(), "{} for {}", changed, key);
    }

    #[test]
    fn swapped_neighbours_are_refused_without_a_look_up(format in formats(), which: Index, place: Index) {
        let key = minted(&format, which);
        let place = place.index(key.len() - 1);
        let mut bytes = key.clone().into_bytes();
        bytes.swap(place, place + 1);
        let swapped = String::from_utf8(bytes).unwrap();
        prop_assume!(swapped != key);
        prop_assert!(format.parse(&swapped).is_err(), "{} for {}", swapped, key);
    }

    #[test]
    fn a_character_too_many_or_too_few_is_refused(format in formats(), which: Index, place: Index, new in "[a-zA-Z0-9]") {
        let key = minted(&format, which);
        let place = place.index(key.len());
        let (mut longer, mut shorter) = (key.clone(), key);
        longer.insert_str(place, &new);
        shorter.remove(place);
        prop_assert!(format.parse(&longer).is_err());
        prop_assert!(format.parse(&shorter).is_err());
    }

    #[test]
    fn whatever_is_read_matches_the_expression(format in formats(), text in "\\PC*") {
        prop_assert!(format.parse(&text).is_err() || anchored(&format).is_match(&text));
    }
}

#[test]
fn u1_the_expression_is_the_published_one_and_the_checksum_lies_inside_the_32() {
    let format = super::format();
    assert_eq!(format!("^{}$", format.regex()), "^sk_(live|test)_[a-zA-Z0-9]{32}$");
    let key = format.mint(Some("test")).unwrap();
    let key = key.expose_text().unwrap();
    assert_eq!(key.len(), "sk_test_".len() + 32);
    assert_eq!(format.parse(key).unwrap().environment, Some("test"));
    assert!(format.mint(None).is_err());
    assert!(format.mint(Some("prod")).is_err());
}

#[test]
fn t40_minted_keys_do_not_repeat() {
    let format = super::format();
    let keys: std::collections::HashSet<_> =
        (0..1_000).map(|_| format.mint(Some("live")).unwrap().expose_text().unwrap().to_owned()).collect();
    assert_eq!(keys.len(), 1_000);
}
