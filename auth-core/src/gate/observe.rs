//! One structured event per decision, for whoever has to find out what happened.
//!
//! Values that callers choose — subjects, identifiers, paths — are printed with control characters escaped and cut to
//! a bounded length, so that no token and no path can forge a line or flood the log. Credentials are never printed.

use std::fmt;
use std::net::IpAddr;

use crate::gate::Caller;
use crate::rejection::Rejection;

/// What both kinds of event tell of the request.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) route: &'a str,
    pub(super) client: Option<IpAddr>,
    pub(super) request_id: &'a str,
}

pub(super) fn admitted(caller: &Caller, seen: &Seen<'_>) {
    let Some(principal) = caller.principal() else {
        tracing::info!(
            target: "auth::decision",
            outcome = "admitted",
            credential = "none",
            method = %Printable(seen.method),
            route = %Printable(seen.route),
            client = %Client(seen.client),
            request_id = seen.request_id,
        );
        return;
    };
    tracing::info!(
        target: "auth::decision",
        outcome = "admitted",
        credential = principal.method.as_str(),
        issuer = %Printable(&principal.issuer),
        subject = %Printable(&principal.subject),
        credential_id = %Printable(principal.credential_id.as_deref().unwrap_or_default()),
        method = %Printable(seen.method),
        route = %Printable(seen.route),
        client = %Client(seen.client),
        request_id = seen.request_id,
    );
}

/// A refusal that is our own failure is a warning, since somebody should look; the others are daily business.
pub(super) fn refused(rejection: &Rejection, caller: Option<&Caller>, seen: &Seen<'_>) {
    if let Rejection::Unavailable(outage) | Rejection::Overloaded(outage) = rejection {
        tracing::warn!(
            target: "auth::decision",
            outcome = "undecided",
            cause = %Printable(&outage.cause),
            method = %Printable(seen.method),
            path = %Printable(seen.path),
            route = %Printable(seen.route),
            client = %Client(seen.client),
            request_id = seen.request_id,
        );
        return;
    }
    let principal = caller.and_then(Caller::principal);
    tracing::info!(
        target: "auth::decision",
        outcome = "refused",
        status = rejection.status(),
        cause = rejection.cause(),
        issuer = %Printable(principal.map_or("", |known| &known.issuer)),
        subject = %Printable(principal.map_or("", |known| &known.subject)),
        credential_id = %Printable(principal.and_then(|known| known.credential_id.as_deref()).unwrap_or_default()),
        method = %Printable(seen.method),
        path = %Printable(seen.path),
        route = %Printable(seen.route),
        client = %Client(seen.client),
        request_id = seen.request_id,
    );
}

/// What a line shows of one value at most.
const LONGEST: usize = 200;

/// Text as it may stand in a log line.
pub(super) struct Printable<'a>(pub(super) &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, character) in self.0.chars().enumerate() {
            if index == LONGEST {
                return f.write_str("…");
            }
            write!(f, "{}", character.escape_debug())?;
        }
        Ok(())
    }
}

/// The client's address, or a dash.
struct Client(Option<IpAddr>);

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => write!(f, "{address}"),
            None => f.write_str("-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s16_control_characters_cannot_end_a_line() {
        let shown = Printable("bob\nlevel=ERROR \u{1b}[31m\u{202e}").to_string();
        assert_eq!(shown, r"bob\nlevel=ERROR \u{1b}[31m\u{202e}");
        assert_eq!(Printable(&"x".repeat(1_000)).to_string().chars().count(), LONGEST + 1);
    }
}
