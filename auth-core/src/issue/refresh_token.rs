//! Refresh tokens: what they look like, for how long they are good, and what follows them.
//!
//! A successor is made from the token that is presented and a key that is not in the store. So whoever presents the same
//! token twice, because the first answer was lost or two tabs refreshed at once, is told the same successor, although
//! nobody kept it.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;

use crate::Secret;
use crate::account::{RefreshToken, SessionRecord};
use crate::api_key::{KeyDigest, KeyHasher, Peppers, derived_text, random_text};
use crate::opaque::TokenFormat;

/// The refresh tokens of one service.
#[derive(Clone)]
pub struct RefreshTokens {
    pub(super) format: TokenFormat,
    peppers: Peppers,
    rotation: Rotation,
}

/// What becomes of a refresh token that is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// It is spent, and a successor takes its place (RFC 9700 section 4.14.2). Whoever uses it again ends the session,
    /// unless that happens within the grace and the successor was not used yet.
    Rotate {
        /// How long a lost answer can be asked for once more. Whoever stole a token has that long as well.
        grace: Duration,
    },
    /// It stays, for clients that never store a successor. A stolen one works until the session ends.
    Reuse,
}

impl Default for Rotation {
    /// With a grace of ten seconds: a request that timed out is sent again within it.
    fn default() -> Self {
        Self::Rotate { grace: Duration::from_secs(10) }
    }
}

impl RefreshTokens {
    /// Tokens of that form, hashed with these peppers.
    pub fn new(format: TokenFormat, peppers: Peppers, rotation: Rotation) -> Self {
        Self { format, peppers, rotation }
    }

    /// What becomes of a token that is used.
    pub fn rotation(&self) -> Rotation {
        self.rotation
    }

    /// A new token and what is kept of it; `None` where there are no random bytes.
    pub(super) fn mint(&self) -> Option<(Secret, RefreshToken)> {
        let text = self
            .format
            .as_keys()
            .mint_with(None, |chars, into| random_text(&SystemRandom::new(), chars, into).is_ok())?;
        let kept = kept(self.peppers.current(), &text);
        Some((text, kept))
    }

    /// The digests by which a store may know a token.
    pub(super) fn digests(&self, text: &str) -> Vec<KeyDigest> {
        self.peppers.iter().map(|pepper| pepper.digest(text)).collect()
    }

    /// What follows a token, and what is kept of it.
    pub(super) fn successor(&self, text: &str) -> Option<(Secret, RefreshToken)> {
        self.successor_by(self.peppers.current(), text)
    }

    /// What follows a token, where that is the one in force. The pepper may have changed since it was made.
    pub(super) fn successor_in_force(&self, text: &str, session: &SessionRecord) -> Option<Secret> {
        let in_force = session.refresh.as_ref()?;
        let mut candidates = self.peppers.iter().filter_map(|pepper| self.successor_by(pepper, text));
        candidates.find(|(_, kept)| kept.digest == in_force.digest).map(|(text, _)| text)
    }

    fn successor_by(&self, pepper: &KeyHasher, text: &str) -> Option<(Secret, RefreshToken)> {
        let successor = self.format.as_keys().mint_with(None, |chars, into| {
            derived_text(pepper, text, chars, into);
            true
        })?;
        let kept = kept(pepper, &successor);
        Some((successor, kept))
    }
}

fn kept(pepper: &KeyHasher, text: &Secret) -> RefreshToken {
    RefreshToken::new(pepper.digest(text.expose_text().unwrap_or_default()), std::sync::Arc::clone(pepper.id()))
}

impl fmt::Debug for RefreshTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshTokens")
            .field("format", &self.format)
            .field("peppers", &self.peppers)
            .field("rotation", &self.rotation)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    fn tokens(peppers: Peppers) -> RefreshTokens {
        RefreshTokens::new(TokenFormat::new("refresh").unwrap(), peppers, Rotation::default())
    }

    fn pepper(id: &str) -> KeyHasher {
        KeyHasher::new(id, &Secret::new(id.repeat(32).into_bytes())).unwrap()
    }

    #[test]
    fn t16_whoever_presents_a_token_twice_is_told_the_same_successor() {
        let tokens = tokens(Peppers::new(pepper("a")));
        let (first, _) = tokens.mint().unwrap();
        let first = first.expose_text().unwrap();
        let (one, kept) = tokens.successor(first).unwrap();
        let (another, _) = tokens.successor(first).unwrap();
        assert_eq!(one, another);
        assert!(tokens.format.check(one.expose_text().unwrap()).is_ok());
        assert_eq!(tokens.digests(one.expose_text().unwrap()), [kept.digest]);
        let (next, _) = tokens.successor(one.expose_text().unwrap()).unwrap();
        assert_ne!(next, one);
        let (other, _) = tokens.successor(&format!("{first}x")).unwrap();
        assert_ne!(other, one);
    }

    #[test]
    fn a_successor_is_found_again_after_the_pepper_changed() {
        let old = tokens(Peppers::new(pepper("a")));
        let (first, _) = old.mint().unwrap();
        let first = first.expose_text().unwrap();
        let (successor, kept) = old.successor(first).unwrap();
        let at = Timestamp::from_unix_seconds(0);
        let mut session = SessionRecord::new("s", "a", 0, at, at);
        session.refresh = Some(kept);
        let new = tokens(Peppers::new(pepper("b")).with_previous(pepper("a")).unwrap());
        assert_eq!(new.successor_in_force(first, &session), Some(successor));
        let stranger = tokens(Peppers::new(pepper("c")));
        assert_eq!(stranger.successor_in_force(first, &session), None);
    }
}
