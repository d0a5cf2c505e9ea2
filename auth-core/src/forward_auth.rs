//! Forward authentication: a proxy asks what the gate says of a request that it keeps to itself.
//!
//! nginx (`auth_request`), Traefik (`ForwardAuth`) and Caddy (`forward_auth`) send the header fields of a request to an
//! address of ours, and say in fields of their own which method and target it had. Whoever can write those fields
//! decides what the gate is asked about, so they are believed from trusted proxies only; and a proxy hands on whatever
//! it does not overwrite, so a request that says it in two ways is refused.
//!
//! | fields | written by |
//! |---|---|
//! | `X-Original-Method`, `X-Original-URI` | nginx, as it is configured |
//! | `X-Forwarded-Method`, `X-Forwarded-Uri` | Traefik and Caddy |

use crate::network::NetworkSet;
use crate::rejection::{Prohibition, Rejection, RequestFault};
use crate::request::{Field, RequestHead};

/// Which fields a proxy tells of a request by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginalBy {
    /// `X-Original-Method` and `X-Original-URI`.
    Original,
    /// `X-Forwarded-Method` and `X-Forwarded-Uri`.
    Forwarded,
}

impl OriginalBy {
    /// Method and target.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Original => ("x-original-method", "x-original-uri"),
            Self::Forwarded => ("x-forwarded-method", "x-forwarded-uri"),
        }
    }
}

/// The request that a proxy asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OriginalRequest<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its path as it was sent, unless the proxy has changed it.
    pub path: &'a str,
    /// Its query, without the question mark.
    pub query: Option<&'a str>,
    /// Which fields said so.
    pub by: OriginalBy,
}

impl<'a> OriginalRequest<'a> {
    /// What the head of the proxy's own request says of the original one.
    ///
    /// To decide on it, give the gate a head of this method, path and query with the fields and the peer of the one that came: its
    /// client is then read from `X-Forwarded-For` or `Forwarded` as always, and one of the two has to be there.
    ///
    /// ```
    /// use auth_core::{NetworkSet, OriginalRequest, RequestHead};
    ///
    /// let fields = [("x-original-method", "GET"), ("x-original-uri", "/v1/songs?page=2"), ("x-forwarded-for", "192.0.2.7")];
    /// let mut asked = RequestHead::new("GET", "/forward-auth", &fields);
    /// asked.peer = Some("127.0.0.1".parse()?);
    /// let original = OriginalRequest::of(&asked, &NetworkSet::parse(["127.0.0.1"])?).unwrap();
    /// assert_eq!((original.path, original.query), ("/v1/songs", Some("page=2")));
    ///
    /// asked.peer = Some("192.0.2.7".parse()?);
    /// assert!(OriginalRequest::of(&asked, &NetworkSet::parse(["127.0.0.1"])?).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Prohibition::Network`] for everybody but trusted proxies; [`RequestFault::RepeatedField`] where something is said
    /// twice; [`RequestFault::Target`] where something is missing or cannot be a request's.
    pub fn of(asked: &RequestHead<'a>, trusted: &NetworkSet) -> Result<Self, Rejection> {
        if !asked.peer.is_some_and(|peer| trusted.contains(peer.to_canonical())) {
            return Err(Rejection::Forbidden(Prohibition::Network));
        }
        let refused = Rejection::InvalidRequest;
        if asked.field("x-forwarded-for") == Field::Absent && asked.field("forwarded") == Field::Absent {
            return Err(refused(RequestFault::Target));
        }
        let said = [OriginalBy::Original, OriginalBy::Forwarded].map(|by| {
            let (method, target) = by.names();
            (by, asked.field(method), asked.field(target))
        });
        let mut told =
            said.into_iter().filter(|(_, method, target)| (*method, *target) != (Field::Absent, Field::Absent));
        let (by, method, target) = match (told.next(), told.next()) {
            (Some((by, Field::Once(method), Field::Once(target))), None) => (by, method, target),
            (None, _) | (Some((_, Field::Absent, _) | (_, _, Field::Absent)), None) => {
                return Err(refused(RequestFault::Target));
            }
            _ => return Err(refused(RequestFault::RepeatedField)),
        };
        let (Some(method), Some(target)) = (method_of(method), target_of(target)) else {
            return Err(refused(RequestFault::Target));
        };
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        Ok(Self { method, path, query, by })
    }
}

/// A token (RFC 9110 section 9.1); several lines that were joined to one hold a comma, and are none.
fn method_of(value: &[u8]) -> Option<&str> {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if value.is_empty() || !value.iter().all(is_token) {
        return None;
    }
    std::str::from_utf8(value).ok()
}

/// A path with or without a query (RFC 9112 section 3.2.1), in visible ASCII.
fn target_of(value: &[u8]) -> Option<&str> {
    if value.first() != Some(&b'/') || !value.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#') {
        return None;
    }
    std::str::from_utf8(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: (&str, &str) = ("x-forwarded-for", "192.0.2.7");

    fn read(fields: &[(&str, &str)]) -> Result<(String, String, Option<String>), Rejection> {
        let fields: Vec<(String, Vec<u8>)> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        let mut head = RequestHead::new("GET", "/forward-auth", &fields);
        head.peer = Some("10.0.0.1".parse().unwrap());
        OriginalRequest::of(&head, &NetworkSet::parse(["10.0.0.0/8"]).unwrap())
            .map(|read| (read.method.to_owned(), read.path.to_owned(), read.query.map(str::to_owned)))
    }

    #[test]
    fn both_families_are_read() {
        for (method, target) in [("x-original-method", "x-original-uri"), ("X-Forwarded-Method", "X-Forwarded-Uri")] {
            let found = read(&[CLIENT, (method, "PUT"), (target, "/a/%2e?b=/?c")]);
            assert_eq!(found, Ok(("PUT".to_owned(), "/a/%2e".to_owned(), Some("b=/?c".to_owned()))));
        }
    }

    #[test]
    fn what_is_missing_or_cannot_be_is_refused() {
        let fault = Err(Rejection::InvalidRequest(RequestFault::Target));
        let method = ("x-original-method", "GET");
        for fields in [
            vec![],
            vec![CLIENT],
            vec![CLIENT, method],
            vec![CLIENT, ("x-original-uri", "/a")],
            vec![method, ("x-original-uri", "/a")],
        ] {
            assert_eq!(read(&fields), fault, "{fields:?}");
        }
        for target in ["", "a", "http://h/a", "*", "/a b", "/a#b", "/\u{e9}", "/a\r\n", "/a\t"] {
            assert_eq!(read(&[CLIENT, method, ("x-original-uri", target)]), fault, "{target:?}");
        }
        for method in ["", "GET, POST", "GET ", "G\u{e9}T"] {
            assert_eq!(read(&[CLIENT, ("x-original-method", method), ("x-original-uri", "/a")]), fault, "{method:?}");
        }
    }

    #[test]
    fn what_is_said_twice_is_refused() {
        let fault = Err(Rejection::InvalidRequest(RequestFault::RepeatedField));
        let whole = [CLIENT, ("x-original-method", "GET"), ("x-original-uri", "/a")];
        assert!(read(&whole).is_ok());
        for more in [
            ("x-original-method", "GET"),
            ("x-original-uri", "/a"),
            ("x-original-uri", "/b"),
            ("x-forwarded-method", "GET"),
            ("x-forwarded-uri", "/a"),
        ] {
            assert_eq!(read(&[&whole[..], &[more]].concat()), fault, "{more:?}");
        }
    }

    #[test]
    fn strangers_are_refused_whatever_they_say() {
        let fields = [CLIENT, ("x-original-method", "GET"), ("x-original-uri", "/a")];
        let mut head = RequestHead::new("GET", "/forward-auth", &fields);
        let trusted = NetworkSet::parse(["10.0.0.0/8"]).unwrap();
        for peer in [None, Some("192.0.2.7".parse().unwrap())] {
            head.peer = peer;
            assert_eq!(OriginalRequest::of(&head, &trusted), Err(Rejection::Forbidden(Prohibition::Network)));
        }
    }
}
