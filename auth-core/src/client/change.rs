//! What can be changed about a client.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::names::Names;
use crate::network::NetworkSet;

use super::{ClientRecord, ClientSecret, ClientStatus, Grants};

/// One change to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientChange {
    /// Calls it something else.
    Name(Arc<str>),
    /// Puts it on another plan.
    Plan(Option<Arc<str>>),
    /// Lets it do this and nothing else.
    Permissions(Names),
    /// Allows it from these networks alone; `None` allows it from any.
    Networks(Option<Arc<NetworkSet>>),
    /// Lets it ask for tokens with these grants and no others.
    Grants(Grants),
    /// Gives it this JWK set of public keys; `None` takes its keys away.
    PublicKeys(Option<Arc<str>>),
    /// Ends it then; `None` takes its end away.
    Expiry(Option<Timestamp>),
    /// Switches it off until it is switched on again.
    Disable,
    /// Switches it on again.
    Enable,
    /// Gives it another secret; those before it end then, or when they would have ended anyway.
    Rotate {
        /// The secret that becomes the current one.
        secret: ClientSecret,
        /// When the others end at the latest.
        overlap_end: Timestamp,
    },
    /// Notes that tokens issued before that instant were taken back. It never moves back.
    TokensFrom(Timestamp),
    /// Notes that it got a token. The time never moves back.
    Used(Timestamp),
}

/// How many secrets a client may have in force.
const MOST_SECRETS: usize = 2;

impl ClientChange {
    /// Makes the change. A store does so within its atomic step.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a rotation that would leave three secrets in force: of several rotations at once, one
    /// succeeds, unless they end the others at once.
    pub fn apply(self, client: &mut ClientRecord) -> Result<(), StoreError> {
        match self {
            Self::Name(name) => client.name = name,
            Self::Plan(plan) => client.plan = plan,
            Self::Permissions(permissions) => client.permissions = permissions,
            Self::Networks(networks) => client.networks = networks,
            Self::Grants(grants) => client.grants = grants,
            Self::PublicKeys(keys) => client.public_keys = keys,
            Self::Expiry(end) => client.expires = end,
            Self::Disable => client.status = ClientStatus::Disabled,
            Self::Enable => client.status = ClientStatus::Active,
            Self::Rotate { secret, overlap_end } => return rotate(client, secret, overlap_end),
            Self::TokensFrom(at) => client.tokens_from = client.tokens_from.max(Some(at)),
            Self::Used(at) => client.last_used = client.last_used.max(Some(at)),
        }
        Ok(())
    }
}

fn rotate(client: &mut ClientRecord, secret: ClientSecret, overlap_end: Timestamp) -> Result<(), StoreError> {
    let now = secret.created;
    let mut earlier: Vec<ClientSecret> = client.secrets.clone();
    for one in &mut earlier {
        one.ends = Some(one.ends.map_or(overlap_end, |end| end.min(overlap_end)));
    }
    earlier.retain(|one| one.is_in_force(now));
    if earlier.len() >= MOST_SECRETS {
        return Err(StoreError::Conflict);
    }
    client.secrets = std::iter::once(secret).chain(earlier).collect();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_key::KeyDigest;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    fn rotated(number: u8, when: i64, overlap_end: i64) -> ClientChange {
        let secret = ClientSecret::new(KeyDigest::from_bytes([number; 32]), "p", at(when));
        ClientChange::Rotate { secret, overlap_end: at(overlap_end) }
    }

    #[test]
    fn a_third_secret_waits_for_the_first_to_end() {
        let mut client = ClientRecord::new("c", at(0));
        rotated(1, 0, 0).apply(&mut client).unwrap();
        rotated(2, 10, 20).apply(&mut client).unwrap();
        assert_eq!(client.secrets.iter().map(|one| one.ends).collect::<Vec<_>>(), [None, Some(at(20))]);
        assert_eq!(rotated(3, 19, 30).apply(&mut client), Err(StoreError::Conflict));
        // unless all others end at once
        let mut leaked = client.clone();
        rotated(3, 19, 19).apply(&mut leaked).unwrap();
        assert_eq!(leaked.secrets.len(), 1);
        rotated(3, 20, 30).apply(&mut client).unwrap();
        assert_eq!(client.secrets.iter().map(|one| one.ends).collect::<Vec<_>>(), [None, Some(at(30))]);
    }

    #[test]
    fn rotation_never_prolongs_a_secret() {
        let mut client = ClientRecord::new("c", at(0));
        rotated(1, 0, 0).apply(&mut client).unwrap();
        client.secrets[0].ends = Some(at(15));
        rotated(2, 10, 20).apply(&mut client).unwrap();
        assert_eq!(client.secrets[1].ends, Some(at(15)));
    }
}
