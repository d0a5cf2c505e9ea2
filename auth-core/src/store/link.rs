//! What a store of links promises, and one in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::account::AccountLink;
use crate::outcome::Outcome;

use super::{Answer, Removal};

/// Keeps which accounts here are whose at other issuers. Somebody elsewhere is one account here; an account may be several
/// there.
///
/// Every operation is one atomic step; what was answered is in force for every operation that begins afterwards.
pub trait LinkStore: Send + Sync + 'static {
    /// The account of that subject of that issuer.
    fn linked(&self, issuer: &str, subject: &str) -> Answer<Option<Arc<str>>>;

    /// Links a subject to an account, unless it is linked already; answers the account that it is linked to then. Of
    /// several that link one subject at once, one says to which, and all are answered it.
    fn link(&self, link: AccountLink) -> Answer<Arc<str>>;

    /// The links of an account, by issuer and subject.
    fn links(&self, account: &str) -> Answer<Vec<AccountLink>>;

    /// Removes a link; answers whether it was there.
    fn unlink(&self, issuer: &str, subject: &str) -> Answer<Removal>;
}

/// By issuer and subject.
type Links = BTreeMap<(Arc<str>, Arc<str>), AccountLink>;

/// Keeps links until the process ends.
#[derive(Default)]
pub struct MemoryLinkStore(Mutex<Links>);

impl MemoryLinkStore {
    /// A store without links.
    pub fn new() -> Self {
        Self::default()
    }

    fn all(&self) -> MutexGuard<'_, Links> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LinkStore for MemoryLinkStore {
    fn linked(&self, issuer: &str, subject: &str) -> Answer<Option<Arc<str>>> {
        let found = self.all().get(&(issuer.into(), subject.into())).map(|link| Arc::clone(&link.account));
        Outcome::Done(Ok(found))
    }

    fn link(&self, link: AccountLink) -> Answer<Arc<str>> {
        let mut all = self.all();
        let link = all.entry((Arc::clone(&link.issuer), Arc::clone(&link.subject))).or_insert(link);
        Outcome::Done(Ok(Arc::clone(&link.account)))
    }

    fn links(&self, account: &str) -> Answer<Vec<AccountLink>> {
        Outcome::Done(Ok(self.all().values().filter(|link| &*link.account == account).cloned().collect()))
    }

    fn unlink(&self, issuer: &str, subject: &str) -> Answer<Removal> {
        let removed = self.all().remove(&(issuer.into(), subject.into()));
        Outcome::Done(Ok(if removed.is_some() { Removal::Removed } else { Removal::Absent }))
    }
}

impl fmt::Debug for MemoryLinkStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLinkStore").field("links", &self.all().len()).finish()
    }
}

#[cfg(all(test, feature = "conformance"))]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_its_promises() {
        super::super::conformance::check_links(|| Arc::new(MemoryLinkStore::new())).unwrap();
    }
}
