//! One credential, none, or a refusal.

use super::*;

type Fields = Vec<(String, Vec<u8>)>;

fn reader() -> CredentialReader {
    let sources = [
        Source::bearer(),
        Source::authorization("ApiKey"),
        Source::header("X-API-Key"),
        Source::cookie("sid"),
        Source::query("token"),
    ];
    CredentialReader::new(sources).unwrap().longest(16)
}

/// Reads at all sources but the query; gives source and text, or the cause of the refusal.
fn read(fields: &[(&str, &[u8])]) -> Result<Option<(usize, String)>, &'static str> {
    let reader = reader();
    let headers: Fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect();
    let mut head = RequestHead::new("GET", "/", &headers);
    head.query = Some("token=query");
    let accepted =
        [Source::bearer(), Source::authorization("apikey"), Source::header("x-api-key"), Source::cookie("sid")];
    let accepted = accepted.iter().filter_map(|source| reader.index_of(source)).collect();
    match reader.read(&head, accepted, CredentialCount::ExactlyOne) {
        Ok(Presented::Nothing) => Ok(None),
        Ok(Presented::One(source, text)) => Ok(Some((source.as_usize(), text.to_owned()))),
        Ok(Presented::Several(_)) => panic!("several where one is accepted"),
        Err(unread) => Err(unread.rejection.cause()),
    }
}

#[test]
fn one_credential_is_found_wherever_it_travels() {
    for (field, value, source, text) in [
        ("authorization", "Bearer abc", 0, "abc"),
        ("Authorization", "APIKEY k_1", 1, "k_1"),
        ("x-api-key", " k_1\t", 2, "k_1"),
        ("cookie", "a=b; sid=c", 3, "c"),
    ] {
        assert_eq!(read(&[(field, value.as_bytes())]), Ok(Some((source, text.to_owned()))), "{field}: {value}");
    }
}

#[test]
fn b15_b20_what_the_route_does_not_take_is_not_there() {
    assert_eq!(read(&[]), Ok(None));
    assert_eq!(read(&[("authorization", b"Basic YTpi"), ("x-auth-token", b"abc"), ("cookie", b"SID=x")]), Ok(None));
}

#[test]
fn b11_b12_more_than_one_is_refused() {
    let bearer = ("authorization", b"Bearer abc".as_slice());
    for (fields, cause) in [
        ([bearer, bearer], "repeated_field"),
        ([bearer, ("authorization", b"Basic YTpi")], "repeated_field"),
        ([bearer, ("x-api-key", b"k")], "several_credentials"),
        ([bearer, ("x-api-key", b"")], "several_credentials"),
        ([bearer, ("cookie", b"sid=\xff")], "several_credentials"),
        ([("x-api-key", b"k"), ("x-api-key", b"k")], "repeated_field"),
        ([("cookie", b"sid=k"), ("cookie", b"sid=k")], "repeated_field"),
        ([("cookie", b"a=b; sid=k; sid=l"), ("x", b"")], "repeated_field"),
    ] {
        assert_eq!(read(&fields), Err(cause), "{fields:?}");
    }
}

#[test]
fn empty_ones_are_the_request_at_fault() {
    for field in [("authorization", "Bearer"), ("x-api-key", ""), ("x-api-key", " \t "), ("cookie", "sid=")] {
        assert_eq!(read(&[(field.0, field.1.as_bytes())]), Err("empty_credential"), "{field:?}");
    }
}

#[test]
fn b14_ill_formed_ones_never_reach_a_verifier() {
    for (field, value, cause) in [
        ("authorization", b"Bearer a b".as_slice(), "malformed_token"),
        ("authorization", b"Bearer a,b", "malformed_token"),
        ("authorization", b"Bearer \xe9", "malformed_token"),
        ("authorization", b"Bearer a\x0b", "malformed_token"),
        ("authorization", b"Bearer a=b", "malformed_token"),
        ("authorization", b"ApiKey k\"", "malformed_token"),
        ("x-api-key", b"a b", "malformed_token"),
        ("x-api-key", b"a,b", "malformed_token"),
        ("x-api-key", b"\xe9", "malformed_token"),
        ("cookie", b"sid=a,b", "malformed_token"),
        ("cookie", b"sid=\"a", "malformed_token"),
        ("authorization", b"Bearer 12345678901234567", "token_too_long"),
        ("x-api-key", b"12345678901234567", "token_too_long"),
        ("authorization", b"Bearer a, Bearer b", "several_credentials"),
    ] {
        assert_eq!(read(&[(field, value)]), Err(cause), "{field}: {value:?}");
    }
    assert!(matches!(read(&[("authorization", b"Bearer 1234567890123456")]), Ok(Some(_))));
}

#[test]
fn b22_several_are_read_where_several_are_taken() {
    let reader = reader();
    let headers = [("authorization", "Bearer abc"), ("x-api-key", "k")];
    let read = |headers| reader.read(&RequestHead::new("GET", "/", headers), SourceMask::ALL, CredentialCount::Several);
    let both = vec![(SourceIndex(0), "abc"), (SourceIndex(2), "k")];
    assert_eq!(read(&headers), Ok(Presented::Several(both)));
    let one_is_bad = [("authorization", "Bearer abc"), ("x-api-key", "k k")];
    assert_eq!(read(&one_is_bad).map_err(|unread| unread.rejection.cause()), Err("malformed_token"));
}

#[test]
fn queries_are_read_where_they_are_accepted() {
    let reader = reader();
    let headers = [("x", "y")];
    let mut head = RequestHead::new("GET", "/", &headers);
    let mut read = |query| {
        head.query = Some(query);
        match reader.read(&head, SourceMask::ALL, CredentialCount::ExactlyOne) {
            Ok(Presented::One(source, text)) => Ok((source.as_usize(), text.to_owned())),
            Ok(_) => Err("none"),
            Err(unread) => Err(unread.rejection.cause()),
        }
    };
    assert_eq!(read("a=b&token=abc-._~"), Ok((4, "abc-._~".to_owned())));
    for (query, cause) in [
        ("a=b", "none"),
        ("token=a%62", "malformed_token"),
        ("token=a+b", "malformed_token"),
        ("token=", "empty_credential"),
        ("token", "empty_credential"),
        ("token=a&tok%65n=b", "repeated_field"),
    ] {
        assert_eq!(read(query), Err(cause), "{query}");
    }
}

#[test]
fn sources_are_checked_and_counted_once() {
    let twice = [Source::bearer(), Source::authorization("bearer"), Source::header("X-Key"), Source::header("x-key")];
    assert_eq!(CredentialReader::new(twice).unwrap().sources(SourceMask::ALL).count(), 2);
    let many = (0..300).map(|number| Source::header(format!("x-{number}")));
    assert_eq!(CredentialReader::new(many).unwrap_err().len(), 300 - 64);
    let wrong = [Source::header("authorization"), Source::cookie("a b")];
    assert_eq!(CredentialReader::new(wrong).unwrap_err().len(), 2);
}
