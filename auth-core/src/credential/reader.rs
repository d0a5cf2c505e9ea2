//! Reading the credentials of one request.

#[cfg(test)]
mod tests;

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

/// The credentials of a request as they came: that there is one is clear, its form has not been looked at.
pub(crate) enum Found<'a> {
    Nothing,
    One(Candidate<'a>),
    Several(Vec<Candidate<'a>>),
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

/// A reader of no source, which finds nothing.
impl Default for CredentialReader {
    fn default() -> Self {
        Self { sources: Vec::new(), schemes: SourceMask::NONE, longest: LONGEST }
    }
}

impl CredentialReader {
    /// A reader of these sources; a source that is listed twice counts once.
    ///
    /// # Errors
    /// Every source whose name cannot be, and more than 64 sources.
    pub fn new(sources: impl IntoIterator<Item = Source>) -> Result<Self, Vec<ConfigError>> {
        let mut problems = Vec::new();
        let mut reader = Self::default();
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
        Ok(match self.find(head, accepted, count)? {
            Found::Nothing => Presented::Nothing,
            Found::One(candidate) => Presented::One(candidate.source, self.check(candidate)?),
            Found::Several(all) => Presented::Several(self.check_all(all)?),
        })
    }

    /// The bytes as they came, unless they are too long to be looked at.
    pub(crate) fn short_enough<'a>(&self, candidate: Candidate<'a>) -> Option<&'a [u8]> {
        (candidate.bytes.len() <= self.longest).then_some(candidate.bytes)
    }

    /// The credential as text, where it has the form that it must have at its source.
    pub(crate) fn check<'a>(&self, candidate: Candidate<'a>) -> Result<&'a str, Unread> {
        let sources = candidate.source.into();
        if candidate.bytes.is_empty() {
            return Err(Unread::fault(RequestFault::EmptyCredential, sources));
        }
        let text = candidate.alphabet.check(candidate.bytes, self.longest);
        text.map_err(|rejection| Unread { rejection, sources })
    }

    /// The same for several of them.
    pub(crate) fn check_all<'a>(&self, all: Vec<Candidate<'a>>) -> Result<Vec<(SourceIndex, &'a str)>, Unread> {
        all.into_iter().map(|candidate| Ok((candidate.source, self.check(candidate)?))).collect()
    }

    /// Finds what the request presents at the accepted sources.
    ///
    /// # Errors
    /// That there is more than one, and where they travelled.
    pub(crate) fn find<'a>(
        &self,
        head: &RequestHead<'a>,
        accepted: SourceMask,
        count: CredentialCount,
    ) -> Result<Found<'a>, Unread> {
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
        found.judge(count)
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

/// One credential as it came.
#[derive(Clone, Copy)]
pub(crate) struct Candidate<'a> {
    pub(crate) source: SourceIndex,
    /// Whatever the client sent.
    bytes: &'a [u8],
    alphabet: Alphabet,
}

/// Everything that was found, before its form is looked at: that there are two matters more than what they look like.
struct Candidates<'a> {
    first: Option<Candidate<'a>>,
    more: Vec<Candidate<'a>>,
}

impl<'a> Candidates<'a> {
    fn add(&mut self, source: SourceIndex, alphabet: Alphabet, credential: &'a [u8]) {
        let candidate = Candidate { source, bytes: credential, alphabet };
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

    fn judge(self, count: CredentialCount) -> Result<Found<'a>, Unread> {
        let Some(first) = self.first else { return Ok(Found::Nothing) };
        if self.more.is_empty() {
            return Ok(Found::One(first));
        }
        let all = std::iter::once(first).chain(self.more);
        if count == CredentialCount::ExactlyOne {
            let sources = all.map(|candidate| candidate.source).collect();
            return Err(Unread::fault(RequestFault::SeveralCredentials, sources));
        }
        Ok(Found::Several(all.collect()))
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
