//! The answer (RFC 7662 section 2.2): what the server says of a token, or that it says nothing that could be understood.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::fetch::Fetched;
use crate::json::{Fault, Members, Object, Value};
use crate::principal::Identity;
use crate::rejection::{CredentialFault, Outage, Rejection};
use crate::verify::Verified;
use crate::verify::jwt::{Audiences, Registered, Trusted, check_introspected};
use crate::verify::known::Span;

/// The longest answer that is read: many times what servers say of a token.
const LONGEST: usize = 64 * 1024;

/// A token that is good, and when.
pub(super) struct Told {
    pub(super) identity: Arc<Identity>,
    pub(super) span: Span,
}

impl Told {
    /// The identity, for somebody who came at that time.
    pub(super) fn at(&self, now: Timestamp) -> Verified {
        let refused = |fault| Err(Rejection::InvalidCredential(fault));
        match self.span {
            Span { from, .. } if now < from => refused(CredentialFault::NotYetValid),
            Span { until, .. } if until <= now => refused(CredentialFault::Expired),
            _ => Ok(Arc::clone(&self.identity)),
        }
    }
}

/// Reads an answer.
///
/// Whatever is not an answer in one way only is an outage: it says nothing against the token, and nothing for it.
pub(super) fn read(fetched: &Fetched, expected: &Trusted, now: Timestamp) -> Result<Arc<Told>, Rejection> {
    let text = content(fetched).map_err(|why| outage(expected, why))?;
    let mut members = Members::new();
    let members = Object::read(text, &mut members).map_err(|fault| outage(expected, unreadable(fault)))?;
    match members.get("active").and_then(Value::as_bool) {
        Some(true) => {}
        Some(false) => return Err(Rejection::InvalidCredential(CredentialFault::Unknown)),
        None => return Err(outage(expected, "its answer does not say by true or false whether the token is active")),
    }
    let told = judged(text, members, expected, now).map_err(Rejection::InvalidCredential)?;
    Ok(Arc::new(told))
}

/// The order of the checks is that of tokens: whose it is, of which kind, for whom, and when.
fn judged(text: &str, members: Object<'_, '_>, expected: &Trusted, now: Timestamp) -> Result<Told, CredentialFault> {
    let there = |name: &str| members.get(name).filter(|value| !value.is_null());
    let mut claims = Registered::among(members);
    if claims.iss.is_some_and(|issuer| issuer.as_text().is_none_or(|issuer| issuer != *expected.name)) {
        return Err(CredentialFault::Issuer);
    }
    check_introspected(&claims, matches!(expected.audiences, Audiences::OneOf(_)))?;
    let times = expected.check_claims(&claims, now)?;
    // a client that speaks for itself; one that acts for a person whose name is held back must not be taken for that
    if there("sub").is_none() && there("username").is_none() {
        claims.sub = claims.client_id;
    }
    Ok(Told { identity: expected.identity(text, members, &claims, &times)?, span: times.span })
}

fn content(fetched: &Fetched) -> Result<&str, String> {
    let status = fetched.status;
    if matches!(status, 401 | 403) {
        return Err(format!("it refuses the credentials of this service (status {status})"));
    }
    if status != 200 {
        return Err(format!("it answered with the status {status}"));
    }
    if !fetched.is_json() {
        return Err("its answer is not said to be application/json".to_owned());
    }
    if fetched.body.expose().len() > LONGEST {
        return Err(format!("its answer has more than {LONGEST} bytes"));
    }
    fetched.body.expose_text().ok_or_else(|| "its answer is not UTF-8".to_owned())
}

const fn unreadable(fault: Fault) -> &'static str {
    match fault {
        Fault::Grammar => "its answer is not one JSON object",
        Fault::Duplicate => "its answer has a member twice",
        Fault::Excess => "its answer has more members, or deeper ones, than an answer has",
    }
}

/// Names the issuer and not the token.
pub(super) fn outage(expected: &Trusted, why: impl AsRef<str>) -> Rejection {
    let (issuer, why) = (&expected.name, why.as_ref());
    Rejection::Unavailable(Outage::new(format!("asking {issuer} what a token is good for: {why}")))
}
