//! Making, changing, rotating and deleting clients.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;

use crate::Secret;
use crate::api_key::random_text;
use crate::client::{ClientChange, ClientRecord, ClientSecret, Grant, Grants};
use crate::clock::{Now, Timestamp};
use crate::error::StoreError;
use crate::issue::mint;
use crate::names::Names;
use crate::network::NetworkSet;
use crate::revocation::{Revocation, Target};
use crate::store::{ClientScope, Removal};

use super::{ClientError, Clients};

/// Random characters of a secret: 238 bits (RFC 6749 section 10.10 asks for 128, and T40).
const SECRET_CHARS: usize = 40;

/// How much longer than its tokens live a client stays on the list of revocations: clocks differ.
const MARGIN: Duration = Duration::from_mins(5);

/// What the service's own tokens say in the place of a client: nobody may be called so.
const RESERVED: [&str; 2] = ["login", "gateway-demo"];

/// What somebody wants of a new client.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewClient {
    /// The id it shall have; one is made up where there is none. 1 to 128 visible characters of ASCII, without spaces, quotes
    /// and backslashes.
    pub id: Option<Arc<str>>,
    /// What it is called: 1 to 200 characters, none of them control characters.
    pub name: Arc<str>,
    /// The tenant it acts in.
    pub tenant: Option<Arc<str>>,
    /// The environment it belongs to; the service's own where there is none.
    pub environment: Option<Arc<str>>,
    /// The plan that chooses its limits.
    pub plan: Option<Arc<str>>,
    /// What it may do at most.
    pub permissions: Names,
    /// The networks it may be used from; `None` means any.
    pub networks: Option<Arc<NetworkSet>>,
    /// What it may ask tokens for; in its own name by default.
    pub grants: Grants,
    /// From when on it is refused.
    pub expires: Option<Timestamp>,
}

impl NewClient {
    /// A client that gets tokens in its own name, without permissions or an end; set the fields for more.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self {
            id: None,
            name: name.into(),
            tenant: None,
            environment: None,
            plan: None,
            permissions: Names::EMPTY,
            networks: None,
            grants: [Grant::ClientCredentials].into_iter().collect(),
            expires: None,
        }
    }
}

/// A client with a secret that was just made: the only time its text is there.
pub struct FreshClient {
    /// The secret itself, to be handed over and forgotten.
    pub secret: Secret,
    /// What is kept.
    pub record: ClientRecord,
}

/// Prints no secret.
impl fmt::Debug for FreshClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FreshClient").field("id", &self.record.id).finish_non_exhaustive()
    }
}

impl Clients {
    /// Makes a client. The text of its secret is in the answer, and nowhere else ever after.
    ///
    /// # Errors
    /// [`ClientError::Invalid`] and [`ClientError::Taken`], otherwise what went wrong on the way; then there is no client.
    pub async fn create(&self, wanted: NewClient, now: Now) -> Result<FreshClient, ClientError> {
        self.check(&wanted, now)?;
        let id = match wanted.id {
            Some(id) => id,
            None => mint::id(&self.0.id_prefix).map_err(|_| ClientError::Random)?.into(),
        };
        let (secret, kept) = self.fresh_secret(now)?;
        let mut record = ClientRecord::new(id, now.wall);
        record.name = wanted.name;
        record.tenant = wanted.tenant;
        record.environment = wanted.environment.or_else(|| self.0.environment.clone());
        record.plan = wanted.plan;
        record.permissions = wanted.permissions;
        record.networks = wanted.networks;
        record.grants = wanted.grants;
        record.expires = wanted.expires;
        record.secrets = vec![kept];
        match self.0.store.insert(record.clone()).resolve().await {
            Ok(()) => Ok(FreshClient { secret, record }),
            Err(StoreError::Conflict) => Err(ClientError::Taken),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives a client another secret; both work until the overlap has passed.
    ///
    /// Without an overlap, every other secret ends at once, and so do the tokens that the client was given so far: somebody
    /// else may have got them.
    ///
    /// # Errors
    /// [`ClientError::Missing`]; [`ClientError::Rotating`] where two secrets are in force already.
    pub async fn rotate(&self, id: &str, overlap: Duration, now: Now) -> Result<FreshClient, ClientError> {
        let (secret, kept) = self.fresh_secret(now)?;
        let change = ClientChange::Rotate { secret: kept, overlap_end: now.wall.saturating_add(overlap) };
        let mut record = self.changed(id, change).await?;
        if overlap.is_zero() {
            record = self.take_back_tokens(id).await?;
        }
        Ok(FreshClient { secret, record })
    }

    /// Changes one thing about a client. Where it may do less afterwards, the tokens that it was given so far are refused.
    ///
    /// # Errors
    /// [`ClientError::Missing`], or what went wrong in a store: then do it again.
    pub async fn change(&self, id: &str, change: ClientChange) -> Result<ClientRecord, ClientError> {
        if let ClientChange::Name(name) = &change {
            check_name(name)?;
        }
        if let ClientChange::PublicKeys(Some(keys)) = &change {
            Self::check_keys(keys)?;
        }
        let record = self.changed(id, change.clone()).await?;
        match change {
            ClientChange::Disable
            | ClientChange::Permissions(_)
            | ClientChange::Networks(_)
            | ClientChange::Grants(_)
            | ClientChange::Expiry(Some(_)) => self.take_back_tokens(id).await,
            _ => Ok(record),
        }
    }

    /// Removes a client without a trace, and refuses the tokens that it was given.
    ///
    /// # Errors
    /// [`ClientError::Missing`], or what went wrong in a store: then do it again.
    pub async fn delete(&self, id: &str) -> Result<(), ClientError> {
        // so that whatever happens in between, it gets no token any more, and this can be done again
        self.change(id, ClientChange::Disable).await?;
        match self.0.store.delete(id).resolve().await? {
            Removal::Removed => Ok(()),
            Removal::Absent => Err(ClientError::Missing),
        }
    }

    /// The client with this id.
    ///
    /// # Errors
    /// [`ClientError::Missing`], or what went wrong in the store.
    pub async fn find(&self, id: &str) -> Result<Arc<ClientRecord>, ClientError> {
        self.0.store.by_id(id).resolve().await?.ok_or(ClientError::Missing)
    }

    /// At most so many clients in scope, the oldest first, from the one that follows `after` on.
    ///
    /// # Errors
    /// What went wrong in the store.
    pub async fn list(
        &self,
        scope: &ClientScope,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<ClientRecord>, ClientError> {
        Ok(self.0.store.list(scope, after, limit).resolve().await?)
    }

    /// Asks the store for a client that nobody is: for readiness checks.
    ///
    /// # Errors
    /// The store cannot tell now; no client gets a token.
    pub async fn ask_store(&self) -> Result<(), StoreError> {
        self.0.store.by_id("").resolve().await.map(|_| ())
    }

    async fn changed(&self, id: &str, change: ClientChange) -> Result<ClientRecord, ClientError> {
        match self.0.store.change(id, change).resolve().await {
            Ok(Some(record)) => Ok(record),
            Ok(None) => Err(ClientError::Missing),
            Err(StoreError::Conflict) => Err(ClientError::Rotating),
            Err(error) => Err(error.into()),
        }
    }

    /// Refuses every token that a client was given so far.
    ///
    /// The instant is read after the change that calls for it: whoever got a token from what was there before was not later.
    pub(in crate::issue) async fn take_back_tokens(&self, id: &str) -> Result<ClientRecord, ClientError> {
        let now = self.0.clock.now();
        // what was issued at this very instant counts as before
        let instant = now.wall.saturating_add(Duration::from_micros(1));
        if let Some(revocations) = &self.0.revocations {
            let target = Target::subject(Arc::clone(self.0.issuer.issuer()), format!("client:{id}"));
            let until = now.wall.saturating_add(self.0.issuer.lifetime()).saturating_add(MARGIN);
            let revocation = Revocation::new(target, until).issued_before(instant);
            revocations.revoke(&revocation, now).resolve().await?;
        }
        self.changed(id, ClientChange::TokensFrom(instant)).await
    }

    fn fresh_secret(&self, now: Now) -> Result<(Secret, ClientSecret), ClientError> {
        // room for all of it at once: growing would leave copies of a part behind in freed memory
        let mut text = String::with_capacity(SECRET_CHARS);
        random_text(&SystemRandom::new(), SECRET_CHARS, &mut text).map_err(|_| ClientError::Random)?;
        let pepper = self.0.peppers.current();
        let kept = ClientSecret::new(pepper.digest(&text), Arc::clone(pepper.id()), now.wall);
        Ok((Secret::from(text), kept))
    }

    fn check(&self, wanted: &NewClient, now: Now) -> Result<(), ClientError> {
        if let Some(id) = &wanted.id {
            let is_good = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'\'');
            if !(1..=128).contains(&id.len()) || !id.bytes().all(is_good) {
                let rule = "the id has 1 to 128 visible characters of ASCII, without spaces, quotes and backslashes";
                return Err(ClientError::Invalid(rule));
            }
            if RESERVED.contains(&&**id) {
                return Err(ClientError::Invalid("the id is one that the service itself uses"));
            }
        }
        check_name(&wanted.name)?;
        if wanted.expires.is_some_and(|end| end <= now.wall) {
            return Err(ClientError::Invalid("the end lies in the future"));
        }
        if wanted.environment.as_ref().is_some_and(|name| !self.0.environments.contains(name)) {
            return Err(ClientError::Invalid("clients have no such environment"));
        }
        Ok(())
    }
}

fn check_name(name: &str) -> Result<(), ClientError> {
    if name.trim().is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
        return Err(ClientError::Invalid("the name has 1 to 200 characters, none of them control characters"));
    }
    Ok(())
}
