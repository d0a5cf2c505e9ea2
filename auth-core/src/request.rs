//! The borrowed view of a request that the gate decides on.
//!
//! actix-web is on `http` 0.2 and tower on `http` 1.x. A core that took either type would make the other pay a
//! conversion on every request, so the core has its own view, which copies nothing.

use std::fmt;
use std::net::IpAddr;

use crate::principal::Principal;

/// Read access to the header fields of a request, whatever type holds them.
pub trait Headers {
    /// Calls `visit` with the value of each field line of that name, in the order in which they arrived.
    ///
    /// `name` is in lower case. Values are raw bytes, as received: nothing is trimmed, joined or decoded.
    fn visit<'h>(&'h self, name: &str, visit: &mut dyn FnMut(&'h [u8]));

    /// Whether any of these fields is there, each named in lower case.
    ///
    /// Asked once for every request, of fields that it hardly ever has. Where walking the names of all fields is
    /// cheaper than looking each of these up, an implementation does that instead.
    fn has_any(&self, names: &[&str]) -> bool {
        let mut is_there = false;
        for name in names {
            self.visit(name, &mut |_| is_there = true);
        }
        is_there
    }
}

/// Pairs of name and value serve tests and small programs.
impl<const N: usize> Headers for [(&str, &str); N] {
    fn visit<'h>(&'h self, name: &str, visit: &mut dyn FnMut(&'h [u8])) {
        self.iter()
            .filter(|(field, _)| field.eq_ignore_ascii_case(name))
            .for_each(|(_, value)| visit(value.as_bytes()));
    }
}

/// Pairs of name and raw value, for values that are not text.
impl Headers for Vec<(String, Vec<u8>)> {
    fn visit<'h>(&'h self, name: &str, visit: &mut dyn FnMut(&'h [u8])) {
        self.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name)).for_each(|(_, value)| visit(value));
    }
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
}

impl<'a> RequestHead<'a> {
    /// A head without a query, a peer or an earlier principal; set the fields for those.
    pub fn new(method: &'a str, path: &'a str, headers: &'a dyn Headers) -> Self {
        Self { method, path, query: None, headers, peer: None, known: None }
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
