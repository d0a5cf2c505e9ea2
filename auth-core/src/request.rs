//! The borrowed view of a request that the gate decides on.
//!
//! actix-web is on `http` 0.2 and tower on `http` 1.x. A core that took either type would make the other pay a
//! conversion on every request, so the core has its own view, which copies nothing.

use std::fmt;
use std::net::IpAddr;

use crate::principal::{Anonymous, Principal};

/// Read access to the header fields of a request, whatever type holds them.
pub trait Headers {
    /// Calls `visit` with the value of each field line of that name, in the order in which they arrived.
    ///
    /// `name` is in lower case. Values are raw bytes, as received: nothing is trimmed, joined or decoded.
    fn visit<'h>(&'h self, name: &str, visit: &mut dyn FnMut(&'h [u8]));

    /// Whether any of these fields is there.
    ///
    /// Asked once for every request, of fields that it hardly ever has. Where walking the names of all fields is
    /// cheaper than looking each of these up, an implementation does that instead.
    fn has_any(&self, names: &FieldNames) -> bool {
        let mut is_there = false;
        for name in names.names {
            self.visit(name, &mut |_| is_there = true);
        }
        is_there
    }
}

/// A few names of fields, made ready to be compared with many others.
#[derive(Clone, Copy, Debug)]
pub struct FieldNames {
    names: &'static [&'static str],
    /// Which lengths the names have, a bit each: hardly any other name passes that comparison.
    lengths: u64,
}

impl FieldNames {
    /// These names, in lower case.
    pub const fn new(names: &'static [&'static str]) -> Self {
        let (mut lengths, mut rest) = (0, names);
        while let [name, more @ ..] = rest {
            lengths |= length_bit(name);
            rest = more;
        }
        Self { names, lengths }
    }

    /// Whether this is one of the names, in any letter case.
    #[inline]
    pub fn contains(&self, name: &str) -> bool {
        self.lengths & length_bit(name) != 0 && self.names.iter().any(|own| own.eq_ignore_ascii_case(name))
    }
}

/// Lengths beyond the width of a word share its bits; the names are compared afterwards anyway.
const fn length_bit(name: &str) -> u64 {
    1 << (name.len() % 64)
}

/// Pairs of name and value serve tests and small programs.
impl<const N: usize> Headers for [(&str, &str); N] {
    fn visit<'h>(&'h self, name: &str, visit: &mut dyn FnMut(&'h [u8])) {
        self.iter().filter(|(field, _)| is_same_name(field, name)).for_each(|(_, value)| visit(value.as_bytes()));
    }
}

/// Pairs of name and raw value, for values that are not text.
impl Headers for Vec<(String, Vec<u8>)> {
    fn visit<'h>(&'h self, name: &str, visit: &mut dyn FnMut(&'h [u8])) {
        self.iter().filter(|(field, _)| is_same_name(field, name)).for_each(|(_, value)| visit(value));
    }

    fn has_any(&self, names: &FieldNames) -> bool {
        self.iter().any(|(field, _)| names.contains(field))
    }
}

/// Field names are compared in any letter case; most are in lower case already, which is quicker to see.
fn is_same_name(field: &str, name: &str) -> bool {
    field == name || field.eq_ignore_ascii_case(name)
}

/// How often a field occurs, and its value where it occurs once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field<'a> {
    /// No line of that name.
    Absent,
    /// One line of that name.
    Once(&'a [u8]),
    /// Two or more lines of that name.
    Repeated,
}

/// What the gate needs to know of a request, borrowed from wherever the framework keeps it.
#[derive(Clone, Copy)]
pub struct RequestHead<'a> {
    /// The method as sent; methods are case-sensitive (RFC 9110 section 9.1).
    pub method: &'a str,
    /// The path as sent: percent-encoded, without the query.
    pub path: &'a str,
    /// The query as sent, without the question mark.
    pub query: Option<&'a str>,
    /// The header fields.
    pub headers: &'a dyn Headers,
    /// The address at the other end of the connection; `None` where the transport has none.
    pub peer: Option<IpAddr>,
    /// The principal that an outer layer of the same gate already attached, so that it is not verified twice.
    pub known: Option<&'a Principal>,
    /// The mark that an outer layer of the same gate left of a caller without a credential, who was charged there.
    pub anonymous: Option<&'a Anonymous>,
}

impl<'a> RequestHead<'a> {
    /// A head without a query, a peer or an earlier principal; set the fields for those.
    pub fn new(method: &'a str, path: &'a str, headers: &'a dyn Headers) -> Self {
        Self { method, path, query: None, headers, peer: None, known: None, anonymous: None }
    }

    /// Looks a field up by its lower-case name.
    pub fn field(&self, name: &str) -> Field<'a> {
        let mut found = Field::Absent;
        self.headers.visit(name, &mut |value| {
            found = match found {
                Field::Absent => Field::Once(value),
                Field::Once(_) | Field::Repeated => Field::Repeated,
            };
        });
        found
    }
}

/// Prints no header values: they hold credentials.
impl fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}
