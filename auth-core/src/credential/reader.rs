//! Reading the credentials of one request.

use super::authorization::{self, Line};
use super::syntax::{Alphabet, trim};
use super::{Source, SourceIndex, SourceMask, cookie, query};
use crate::ConfigError;
use crate::rejection::{Rejection, RequestFault};
use crate::request::{Field, RequestHead};

/// How many credentials a route takes in one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CredentialCount {
    /// One; a second is refused (RFC 6750 section 2). The default.
    #[default]
    ExactlyOne,
    /// One of each source; the gate verifies all and they must name the same subject.
    Several,
}

/// The credentials of a request, in form but not yet verified.
#[derive(Debug, PartialEq, Eq)]
pub enum Presented<'a> {
    /// None that the route takes.
    Nothing,
    /// One, and where it travelled.
    One(SourceIndex, &'a str),
    /// Two or more, on a route that takes several.
    Several(Vec<(SourceIndex, &'a str)>),
}

/// Credentials that cannot be read, and where they travelled.
#[derive(Debug, PartialEq, Eq)]
pub struct Unread {
    /// Why: [`Rejection::InvalidRequest`] for a repeated field, for several credentials where one is taken and for an
    /// empty one; [`Rejection::InvalidCredential`] for one that is too long or not of the form of its source.
    pub rejection: Rejection,
    /// The sources at fault: their challenges carry the error.
    pub sources: SourceMask,
}

impl Unread {
    fn fault(fault: RequestFault, sources: SourceMask) -> Self {
        Self { rejection: Rejection::InvalidRequest(fault), sources }
    }
}

/// Reads credentials from all the places that a gate knows.
#[derive(Clone, Debug)]
pub struct CredentialReader {
    sources: Vec<Source>,
    /// The sources that share the `Authorization` field.
    schemes: SourceMask,
    longest: usize,
}

/// A mask has this many bits.
const MOST_SOURCES: usize = 64;

/// Longer credentials are refused unread. Twice what a large token has, and as much as servers take for a header line.
const LONGEST: usize = 8 * 1024;

impl CredentialReader {
    /// A reader of these sources; a source that is listed twice counts once.
    ///
    /// # Errors
    /// Every source whose name cannot be, and more than 64 sources.
    pub fn new(sources: impl IntoIterator<Item = Source>) -> Result<Self, Vec<ConfigError>> {
        let mut problems = Vec::new();
        let mut reader = Self { sources: Vec::new(), schemes: SourceMask::NONE, longest: LONGEST };
        for source in sources {
            if let Err(problem) = source.check() {
                problems.push(problem);
            } else if reader.index_of(&source).is_some() {
                // counts once
            } else if reader.sources.len() == MOST_SOURCES {
                problems.push(ConfigError::new(format!(
                    "`{source}` is one too many: a gate reads at most {MOST_SOURCES} sources of credentials"
                )));
            } else {
                reader.sources.push(source.normalised());
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let is_scheme = |source: &Source| matches!(source, Source::Authorization { .. });
        reader.schemes = reader.listed().filter(|(_, source)| is_scheme(source)).map(|(index, _)| index).collect();
        Ok(reader)
    }

    /// Refuses credentials of more than that many bytes as too long. The default is 8 KiB.
    #[must_use]
    pub fn longest(mut self, bytes: usize) -> Self {
        self.longest = bytes;
        self
    }

    /// The position of a source, if the reader has it.
    pub fn index_of(&self, source: &Source) -> Option<SourceIndex> {
        self.listed().find(|(_, listed)| listed.is_same_place(source)).map(|(index, _)| index)
    }

    /// The sources in a set, in the order in which they were given.
    pub fn sources(&self, mask: SourceMask) -> impl Iterator<Item = (SourceIndex, &Source)> {
        self.listed().filter(move |(index, _)| mask.contains(*index))
    }

    /// Reads what the request presents at the accepted sources; the others are not looked at.
    ///
    /// # Errors
    /// What cannot be read, and where it travelled.
    pub fn read<'a>(
        &self,
        head: &RequestHead<'a>,
        accepted: SourceMask,
        count: CredentialCount,
    ) -> Result<Presented<'a>, Unread> {
        let mut found = Candidates { first: None, more: Vec::new() };
        if self.schemes.meets(accepted) {
            self.read_authorization(head, accepted, &mut found)?;
        }
        for (index, source) in self.sources(accepted) {
            match source {
                Source::Authorization { .. } => {}
                Source::Header { name } => match head.field(name) {
                    Field::Absent => {}
                    Field::Once(value) => found.add(index, Alphabet::Field, trim(value)),
                    Field::Repeated => return Err(Unread::fault(RequestFault::RepeatedField, index.into())),
                },
                Source::Cookie { name } => {
                    let mut only = Only::default();
                    head.headers.visit("cookie", &mut |line| cookie::each(line, name, |value| only.add(value)));
                    found.add_only(index, Alphabet::Cookie, &only)?;
                }
                Source::Query { name } => {
                    let mut only = Only::default();
                    query::each(head.query.unwrap_or_default(), name, |value| only.add(value));
                    found.add_only(index, Alphabet::Query, &only)?;
                }
            }
        }
        found.judge(count, self.longest)
    }

    /// All schemes share one field, and the field occurs once whatever its schemes (RFC 6750 section 3.1).
    fn read_authorization<'a>(
        &self,
        head: &RequestHead<'a>,
        accepted: SourceMask,
        found: &mut Candidates<'a>,
    ) -> Result<(), Unread> {
        let sources = self.schemes.and(accepted);
        let value = match head.field("authorization") {
            Field::Absent => return Ok(()),
            Field::Once(value) => value,
            Field::Repeated => return Err(Unread::fault(RequestFault::RepeatedField, sources)),
        };
        let source_of = |word: &[u8]| {
            let mut sources = self.sources(accepted);
            sources.find(|(_, source)| is_scheme(source, word)).map(|(index, _)| index)
        };
        let line = authorization::read(value, source_of).map_err(|rejection| Unread { rejection, sources })?;
        if let Line::Credential(index, credential) = line {
            found.add(index, Alphabet::Token68, credential);
        }
        Ok(())
    }

    fn listed(&self) -> impl Iterator<Item = (SourceIndex, &Source)> {
        SourceIndex::each().zip(&self.sources)
    }
}

/// Schemes are compared in any letter case (RFC 9110 section 11.1); most clients spell them as challenges do.
fn is_scheme(source: &Source, word: &[u8]) -> bool {
    let Source::Authorization { scheme } = source else { return false };
    scheme.as_bytes() == word || scheme.as_bytes().eq_ignore_ascii_case(word)
}

#[derive(Clone, Copy)]
struct Candidate<'a> {
    source: SourceIndex,
    alphabet: Alphabet,
    credential: &'a [u8],
}

/// Everything that was found, before its form is looked at: that there are two matters more than what they look like.
struct Candidates<'a> {
    first: Option<Candidate<'a>>,
    more: Vec<Candidate<'a>>,
}

impl<'a> Candidates<'a> {
    fn add(&mut self, source: SourceIndex, alphabet: Alphabet, credential: &'a [u8]) {
        let candidate = Candidate { source, alphabet, credential };
        match self.first {
            None => self.first = Some(candidate),
            Some(_) => self.more.push(candidate),
        }
    }

    fn add_only(&mut self, source: SourceIndex, alphabet: Alphabet, only: &Only<'a>) -> Result<(), Unread> {
        match only {
            Only::Nothing => {}
            Only::One(credential) => self.add(source, alphabet, credential),
            Only::Several => return Err(Unread::fault(RequestFault::RepeatedField, source.into())),
        }
        Ok(())
    }

    fn judge(self, count: CredentialCount, longest: usize) -> Result<Presented<'a>, Unread> {
        let Some(first) = self.first else { return Ok(Presented::Nothing) };
        if self.more.is_empty() {
            let (source, text) = first.check(longest)?;
            return Ok(Presented::One(source, text));
        }
        if count == CredentialCount::ExactlyOne {
            let all = std::iter::once(first).chain(self.more);
            let sources = all.map(|candidate| candidate.source).collect();
            return Err(Unread::fault(RequestFault::SeveralCredentials, sources));
        }
        let all = std::iter::once(first).chain(self.more);
        all.map(|candidate| candidate.check(longest)).collect::<Result<_, _>>().map(Presented::Several)
    }
}

impl<'a> Candidate<'a> {
    fn check(self, longest: usize) -> Result<(SourceIndex, &'a str), Unread> {
        if self.credential.is_empty() {
            return Err(Unread::fault(RequestFault::EmptyCredential, self.source.into()));
        }
        match self.alphabet.check(self.credential, longest) {
            Ok(text) => Ok((self.source, text)),
            Err(rejection) => Err(Unread { rejection, sources: self.source.into() }),
        }
    }
}

/// A value that must not occur twice.
#[derive(Default)]
enum Only<'a> {
    #[default]
    Nothing,
    One(&'a [u8]),
    Several,
}

impl<'a> Only<'a> {
    fn add(&mut self, value: &'a [u8]) {
        *self = match self {
            Self::Nothing => Self::One(value),
            Self::One(_) | Self::Several => Self::Several,
        };
    }
}

#[cfg(test)]
mod tests {
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
        let read =
            |headers| reader.read(&RequestHead::new("GET", "/", headers), SourceMask::ALL, CredentialCount::Several);
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
        let twice =
            [Source::bearer(), Source::authorization("bearer"), Source::header("X-Key"), Source::header("x-key")];
        assert_eq!(CredentialReader::new(twice).unwrap().sources(SourceMask::ALL).count(), 2);
        let many = (0..300).map(|number| Source::header(format!("x-{number}")));
        assert_eq!(CredentialReader::new(many).unwrap_err().len(), 300 - 64);
        let wrong = [Source::header("authorization"), Source::cookie("a b")];
        assert_eq!(CredentialReader::new(wrong).unwrap_err().len(), 2);
    }
}
