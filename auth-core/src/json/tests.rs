//! The scanner against `serde_json`: it accepts exactly what that accepts, less what can be read in two ways.

use std::collections::HashSet;
use std::fmt;

use proptest::prelude::*;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Any;

use super::*;

/// What `serde_json` finds in a text, with every member of every object, in order.
#[derive(Debug)]
enum Tree {
    Leaf(Any),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Tree;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
                Ok(Tree::Leaf(value.into()))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
                Ok(Tree::Leaf(value.into()))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
                Ok(Tree::Leaf(value.into()))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
                Ok(Tree::Leaf(value.into()))
            }
            fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
                Ok(Tree::Leaf(value.into()))
            }
            fn visit_unit<E>(self) -> Result<Tree, E> {
                Ok(Tree::Leaf(Any::Null))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
                let mut array = Vec::new();
                while let Some(item) = items.next_element()? {
                    array.push(item);
                }
                Ok(Tree::Array(array))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree, A::Error> {
                let mut object = Vec::new();
                while let Some(member) = members.next_entry()? {
                    object.push(member);
                }
                Ok(Tree::Object(object))
            }
        }
        deserializer.deserialize_any(Read)
    }
}

impl Tree {
    fn is_unambiguous(&self) -> bool {
        match self {
            Self::Leaf(_) => true,
            Self::Array(items) => items.iter().all(Self::is_unambiguous),
            Self::Object(members) => {
                let mut names = HashSet::new();
                members.len() <= 256 && members.iter().all(|(name, value)| names.insert(name) && value.is_unambiguous())
            }
        }
    }

    fn as_str(&self) -> Option<&str> {
        if let Self::Leaf(Any::String(text)) = self { Some(text) } else { None }
    }

    fn depth(&self) -> usize {
        match self {
            Self::Leaf(_) => 0,
            Self::Array(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Self::Object(members) => 1 + members.iter().map(|(_, value)| value.depth()).max().unwrap_or(0),
        }
    }
}

/// Whether the text should be accepted, by the reference.
fn reference(text: &str) -> Option<Tree> {
    serde_json::from_str::<Tree>(text).ok().filter(|tree| tree.is_unambiguous() && tree.depth() <= 32)
}

/// Our views show the same as the reference has read.
fn assert_same(ours: Value<'_>, tree: &Tree) {
    match tree {
        Tree::Leaf(leaf) => {
            assert_eq!(serde_json::from_str::<Any>(ours.raw()).ok().as_ref(), Some(leaf));
            assert_eq!(ours.as_str().as_deref(), leaf.as_str());
            assert_eq!(ours.as_bool(), leaf.as_bool());
            assert_eq!(ours.is_null(), leaf.is_null());
            assert_eq!(ours.as_number().is_some(), leaf.is_number());
            assert!(ours.items().is_none() && ours.members().is_none() && !ours.visit_strings(|_| {}));
        }
        Tree::Array(items) => {
            let mut texts = Vec::new();
            let whole = ours.visit_strings(|text| texts.push(text.decode().into_owned()));
            let expected: Option<Vec<_>> = items.iter().map(Tree::as_str).collect();
            assert_eq!(whole.then_some(texts), expected.map(|texts| texts.into_iter().map(str::to_owned).collect()));
            let found: Vec<_> = ours.items().expect("an array").collect();
            assert_eq!(found.len(), items.len());
            found.into_iter().zip(items).for_each(|(ours, tree)| assert_same(ours, tree));
        }
        Tree::Object(members) => {
            assert!(!ours.visit_strings(|_| {}));
            let found: Vec<_> = ours.members().expect("an object").collect();
            assert_eq!(found.len(), members.len());
            for ((name, ours), (expected, tree)) in found.into_iter().zip(members) {
                assert_eq!(name.decode(), *expected);
                assert_same(ours, tree);
            }
        }
    }
}

fn assert_agreement(text: &str) {
    let expected = reference(text);
    match (check(text, Repeats::Refuse), &expected) {
        (Ok(value), Some(tree)) => assert_same(value, tree),
        (Err(_), None) => {}
        (ours, _) => panic!("ours {:?}, reference {expected:?} of {text:?}", ours.map(Value::raw)),
    }
    let object = expected.as_ref().and_then(|tree| if let Tree::Object(members) = tree { Some(members) } else { None });
    let mut members = Members::new();
    match (Object::read(text, &mut members), object) {
        (Ok(ours), Some(members)) => {
            assert_eq!(ours.members().count(), members.len());
            for ((name, value), (expected, tree)) in ours.members().zip(members) {
                let value = value();
                assert_eq!(name, Fingerprint::of(expected.as_bytes()));
                assert_same(value, tree);
                assert_eq!(ours.get(expected).map(Value::raw), Some(value.raw()));
            }
            assert!(ours.get("no such member, by its length").is_none());
        }
        (Err(_), None) => {}
        (ours, _) => panic!("ours {}, reference {expected:?} of {text:?}", ours.is_ok()),
    }
}

/// Strings as they may stand in a text, good and bad, escapes and all.
fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        50 => "[ -~]{0,6}".prop_map(|text| text.replace(['"', '\\'], "")),
        12 => Just("é😀\u{7f}\u{80}".to_owned()),
        12 => prop::sample::select(vec![
            "\\n", "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\r", "\\t", "\\u0061", "\\u00e9", "\\ud83d\\ude00", "\\u0000",
        ]).prop_map(str::to_owned),
        1 => prop::sample::select(vec![
            "\\x", "\\u12", "\\ud800", "\\ude00", "\\ud800\\u0041", "\\ud800\\n", "\n", "\t", "\u{1}", "\\", "\\U0061",
        ]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

/// Names of few kinds, so that duplicates are frequent, also under different spellings and of any length.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-e]{1,2}".prop_map(|name| format!("\"{name}\"")),
        2 => prop::sample::select(vec![
            "\"a\"", "\"\\u0061\"", "\"\"", "\"permissions\"", "\"permiss\\u0069ons\"", "\"https://example.com/roles\"",
            "\"https://example.org/roles\"", "\"https:\\/\\/example.com\\/roles\"", "\"12345678\"", "\"123456789\"",
        ]).prop_map(str::to_owned),
        1 => string(),
    ]
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        40 => any::<i64>().prop_map(|number| number.to_string()),
        20 => any::<f64>().prop_map(|number| format!("{number:e}")),
        20 => "-?(0|[1-9][0-9]{0,4})(\\.[0-9]{1,4})?([eE][+-]?[0-9]{1,3})?",
        1 => "[-+0-9.eE]{0,8}",
        1 => (280_usize..330).prop_map(|digits| "9".repeat(digits)),
    ]
}

fn value() -> impl Strategy<Value = String> {
    let space = prop_oneof![
        60 => prop::sample::select(vec!["", "", " ", "\n", "\t", "\r\n"]),
        1 => prop::sample::select(vec!["\u{b}", "\u{a0}", "/**/", "\u{feff}"]),
    ];
    let leaf = prop_oneof![
        30 => string(),
        30 => number(),
        20 => prop::sample::select(vec!["true", "false", "null"]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["True", "nul", "NaN", "Infinity", "", "undefined", "'a'"]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(6, 60, 5, move |inner| {
        let array = (prop::collection::vec(inner.clone(), 0..5), space.clone())
            .prop_map(|(items, space)| format!("[{space}{}{space}]", items.join(&format!("{space},"))));
        let member =
            (name(), inner, space.clone()).prop_map(|(name, value, space)| format!("{name}{space}:{space}{value}"));
        let object = (prop::collection::vec(member, 0..5), space.clone())
            .prop_map(|(members, space)| format!("{{{space}{}{space}}}", members.join(&format!(",{space}"))));
        prop_oneof![1 => array, 3 => object]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn the_scanner_accepts_what_the_reference_accepts(text in value()) {
        assert_agreement(&text);
    }

    #[test]
    fn a_slip_of_one_byte_is_judged_alike(text in value(), at in any::<prop::sample::Index>(), byte in 0_u8..128) {
        let mut bytes = text.into_bytes();
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(text) = String::from_utf8(bytes) {
            assert_agreement(&text);
        }
    }

    #[test]
    fn a_text_cut_short_is_judged_alike(text in value(), at in any::<prop::sample::Index>()) {
        let at = at.index(text.len() + 1);
        if let Some(text) = text.get(..at) {
            assert_agreement(text);
        }
    }
}

#[test]
fn depth_is_bounded() {
    for depth in [31, 32, 33, 34, 200] {
        let arrays = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(check(&arrays, Repeats::Refuse).is_ok(), depth <= 32, "{depth}");
        let objects = format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        assert_eq!(Object::read(&objects, &mut Members::new()).err(), (depth > 32).then_some(Fault::Excess), "{depth}");
        assert_eq!(check(&objects, Repeats::Allow).is_ok(), depth <= 32, "{depth}");
    }
}

#[test]
fn members_are_bounded_and_compared_wherever_they_are_kept() {
    let object = |names: &[String]| {
        let members: Vec<_> = names.iter().map(|name| format!("\"{name}\":1")).collect();
        format!("{{{}}}", members.join(","))
    };
    for count in [1, 19, 20, 21, 22, 255, 256, 257] {
        let mut names: Vec<_> = (0..count).map(|number| format!("n{number}")).collect();
        let text = object(&names);
        assert_eq!(Object::read(&text, &mut Members::new()).err(), (count > 256).then_some(Fault::Excess), "{count}");
        assert_agreement(&text);
        let nested = format!("{{\"before\":{text},\"after\":{text},\"n0\":[{text},{text}]}}");
        assert_agreement(&nested);
        if (2..=256).contains(&count) {
            for twin in [0, count / 2, count - 2] {
                names[count - 1] = format!("n{twin}");
                assert_eq!(
                    Object::read(&object(&names), &mut Members::new()).err(),
                    Some(Fault::Duplicate),
                    "{count} {twin}"
                );
                let inside = format!("{{\"x\":{{\"y\":{}}}}}", object(&names));
                assert_eq!(Object::read(&inside, &mut Members::new()).err(), Some(Fault::Duplicate), "{count} {twin}");
            }
        }
    }
}

#[test]
fn names_with_the_same_ends_are_told_apart() {
    let text = r#"{"12345678-a-12345678":1,"12345678-b-12345678":2,"12345678":3,"1234567":4,"12345678\u0000":5}"#;
    let mut members = Members::new();
    let object = Object::read(text, &mut members).expect("five different names");
    assert_eq!(object.get("12345678-b-12345678").map(Value::raw), Some("2"));
    assert_eq!(object.get("1234567").map(Value::raw), Some("4"));
    assert_eq!(object.get("12345678\0").map(Value::raw), Some("5"));
}
