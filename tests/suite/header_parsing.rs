//! Whatever bytes a client sends, it presents nothing, one credential, or gets a refusal.

use std::net::IpAddr;

use auth_core::credential::{CredentialCount, CredentialReader, Presented, Source, SourceIndex, SourceMask, Unread};
use auth_core::{NetworkSet, RequestHead, client_address};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

type Fields = Vec<(String, Vec<u8>)>;

fn reader() -> CredentialReader {
    let sources = [
        Source::bearer(),
        Source::authorization("ApiKey"),
        Source::header("x-api-key"),
        Source::cookie("sid"),
        Source::query("token"),
    ];
    CredentialReader::new(sources).unwrap()
}

fn field(name: &str, value: impl AsRef<[u8]>) -> (String, Vec<u8>) {
    (name.to_owned(), value.as_ref().to_vec())
}

/// Bytes that are likely to mean something, and any others.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let telling = select(&b" \t,;=\"\\:[]%&+/abBearer.0\x00\x7f\xff"[..]);
    vec(prop_oneof![8 => telling, 2 => any::<u8>()], 0..40)
}

/// Lines that look like credentials, in part.
fn lines() -> impl Strategy<Value = (String, Vec<u8>)> {
    let names = select(&["authorization", "x-api-key", "cookie", "x-other", "forwarded", "x-forwarded-for"][..]);
    let starts = select(&["", "Bearer ", "bearer\t", "ApiKey ", "Basic ", "sid=", "a=b; sid=", "for=", "for=\""][..]);
    (names, starts, bytes()).prop_map(|(name, start, rest)| {
        let value = [start.as_bytes(), &rest].concat();
        (name.to_owned(), value)
    })
}

/// What one line holds, as a person would count it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Line {
    Bearer,
    ApiKey,
    EmptyBearer,
    Foreign,
    Key,
    EmptyKey,
    Session,
    OtherCookie,
}

impl Line {
    const ALL: [Self; 8] = [
        Self::Bearer,
        Self::ApiKey,
        Self::EmptyBearer,
        Self::Foreign,
        Self::Key,
        Self::EmptyKey,
        Self::Session,
        Self::OtherCookie,
    ];

    fn field(self) -> (String, Vec<u8>) {
        match self {
            Self::Bearer => field("authorization", "Bearer one"),
            Self::ApiKey => field("authorization", "ApiKey two"),
            Self::EmptyBearer => field("authorization", "Bearer"),
            Self::Foreign => field("authorization", "Basic YTpi"),
            Self::Key => field("x-api-key", "three"),
            Self::EmptyKey => field("x-api-key", ""),
            Self::Session => field("cookie", "sid=four"),
            Self::OtherCookie => field("cookie", "SID=five; session=six"),
        }
    }

    fn is_authorization(self) -> bool {
        matches!(self, Self::Bearer | Self::ApiKey | Self::EmptyBearer | Self::Foreign)
    }

    fn is_key(self) -> bool {
        matches!(self, Self::Key | Self::EmptyKey)
    }

    fn is_credential(self) -> bool {
        !matches!(self, Self::Foreign | Self::OtherCookie)
    }

    fn is_empty(self) -> bool {
        matches!(self, Self::EmptyBearer | Self::EmptyKey)
    }
}

/// The status that the rules demand; `None` for a request without a credential, 200 for one with exactly one.
fn demanded(lines: &[Line]) -> Option<u16> {
    let count = |test: fn(Line) -> bool| lines.iter().filter(|line| test(**line)).count();
    let credentials = count(Line::is_credential);
    match credentials {
        _ if count(Line::is_authorization) > 1 || count(Line::is_key) > 1 || credentials > 1 => Some(400),
        0 => None,
        _ if count(Line::is_empty) > 0 => Some(400),
        _ => Some(200),
    }
}

fn status(presented: &Result<Presented<'_>, Unread>) -> Option<u16> {
    match presented {
        Ok(Presented::Nothing) => None,
        Ok(_) => Some(200),
        Err(unread) => Some(unread.rejection.status()),
    }
}

fn token68() -> impl Strategy<Value = String> {
    "[A-Za-z0-9._~+/-]{1,60}={0,3}"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn arbitrary_bytes_end_in_a_pass_or_a_refusal(fields in vec(lines(), 0..5), query in bytes(), mask in any::<u8>()) {
        let reader = reader();
        let query = String::from_utf8_lossy(&query).into_owned();
        let mut head = RequestHead::new("GET", "/", &fields);
        head.query = Some(&query);
        let accepted: SourceMask =
            reader.sources(SourceMask::ALL).map(|(index, _)| index).filter(|index| mask & (1 << index.as_usize()) != 0).collect();
        match reader.read(&head, accepted, CredentialCount::ExactlyOne) {
            Ok(Presented::Nothing) => {}
            Ok(Presented::One(source, text)) => {
                prop_assert!(accepted.contains(source));
                prop_assert!(!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b','));
            }
            Ok(Presented::Several(_)) => prop_assert!(false, "several where one is taken"),
            Err(unread) => prop_assert!(matches!(unread.rejection.status(), 400 | 401)),
        }
    }

    #[test]
    fn b11_b12_b18_exactly_one_means_one(lines in vec(select(&Line::ALL[..]), 0..4)) {
        let fields: Fields = lines.iter().map(|line| line.field()).collect();
        let head = RequestHead::new("GET", "/", &fields);
        let reader = reader();
        let presented = reader.read(&head, SourceMask::ALL, CredentialCount::ExactlyOne);
        prop_assert_eq!(status(&presented), demanded(&lines), "{:?}", presented);
    }

    #[test]
    fn what_is_not_accepted_makes_no_difference(lines in vec(select(&Line::ALL[..]), 0..4)) {
        let reader = reader();
        let keys_only = reader.index_of(&Source::header("x-api-key")).into_iter().collect();
        let all: Fields = lines.iter().map(|line| line.field()).collect();
        let keys: Fields = lines.iter().filter(|line| line.is_key()).map(|line| line.field()).collect();
        let read = |fields: &Fields| {
            status(&reader.read(&RequestHead::new("GET", "/", fields), keys_only, CredentialCount::ExactlyOne))
        };
        prop_assert_eq!(read(&all), read(&keys));
    }

    #[test]
    fn b13_b14_a_token_is_read_back_whatever_stands_around_it(
        token in token68(),
        scheme in "[Bb][Ee][Aa][Rr][Ee][Rr]",
        before in "[ \t]{0,3}",
        between in " {1,4}",
        after in "[ \t]{0,3}",
    ) {
        let fields = vec![field("authorization", format!("{before}{scheme}{between}{token}{after}"))];
        let reader = reader();
        let presented = reader.read(&RequestHead::new("GET", "/", &fields), SourceMask::ALL, CredentialCount::ExactlyOne);
        let bearer = reader.index_of(&Source::bearer()).unwrap();
        prop_assert_eq!(presented, Ok(Presented::One(bearer, &token)));
    }

    #[test]
    fn b14_one_byte_outside_the_alphabet_is_enough(token in token68(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let is_token68 = byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        // one more equals sign or white space at the end is no mistake
        prop_assume!(!is_token68 && !b"= \t".contains(&byte));
        let mut value = token.into_bytes();
        value.insert(at.index(value.len()), byte);
        let fields = vec![field("authorization", [b"Bearer ", &value[..]].concat())];
        let reader = reader();
        let presented = reader.read(&RequestHead::new("GET", "/", &fields), SourceMask::ALL, CredentialCount::ExactlyOne);
        prop_assert_eq!(status(&presented), Some(401), "{:?}", presented);
    }

    #[test]
    fn cookies_are_found_among_others(token in "[A-Za-z0-9_-]{1,30}", others in vec("[a-z]{1,8}=[A-Za-z0-9]{0,8}", 0..5), at in any::<prop::sample::Index>(), split in any::<bool>()) {
        let mut cookies: Vec<String> = others.into_iter().filter(|other| !other.starts_with("sid=")).collect();
        cookies.insert(at.index(cookies.len() + 1), format!("sid={token}"));
        let fields: Fields = if split {
            cookies.iter().map(|cookie| field("cookie", cookie)).collect()
        } else {
            vec![field("cookie", cookies.join("; "))]
        };
        let reader = reader();
        let presented = reader.read(&RequestHead::new("GET", "/", &fields), SourceMask::ALL, CredentialCount::ExactlyOne);
        let cookie: SourceIndex = reader.index_of(&Source::cookie("sid")).unwrap();
        prop_assert_eq!(presented, Ok(Presented::One(cookie, &token)));
    }

    #[test]
    fn s12_what_a_client_writes_never_becomes_its_address(written in bytes(), real in any::<[u8; 4]>(), joined in any::<bool>(), quoted in any::<bool>()) {
        let trusted = NetworkSet::parse(["10.0.0.0/8"]).unwrap();
        let real = IpAddr::from(real);
        prop_assume!(!trusted.contains(real));
        let node = if quoted { format!("for=\"{real}:4711\";proto=https") } else { format!("for={real}") };
        let seen = |name: &str, appended: &str| {
            let fields: Fields = if joined {
                vec![field(name, [&written[..], b", ", appended.as_bytes()].concat())]
            } else {
                vec![field(name, &written), field(name, appended)]
            };
            let mut head = RequestHead::new("GET", "/", &fields);
            head.peer = Some("10.0.0.1".parse().unwrap());
            client_address(&head, &trusted)
        };
        prop_assert_eq!(seen("x-forwarded-for", &real.to_string()), Some(real));
        let forwarded = seen("forwarded", &node);
        // quotes that the client left open may make a joined line unreadable, which gives it no address at all
        prop_assert!(forwarded == Some(real) || (joined && forwarded.is_none()), "{forwarded:?}");
    }
}
