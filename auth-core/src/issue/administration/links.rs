//! Who users are at the OpenID provider.

use std::sync::Arc;

use crate::account::{AccountLink, Voucher};
use crate::issue::accounts::journal::Event;
use crate::store::{LinkStore, Removal};

use super::{Administering, AdministrationError};

impl Administering<'_> {
    /// Who a user is elsewhere.
    ///
    /// # Errors
    /// What went wrong in the store.
    pub async fn links_of(&self, user: &str) -> Result<Vec<AccountLink>, AdministrationError> {
        Ok(self.link_store()?.links(user).resolve().await?)
    }

    /// Lets that subject of that issuer be this user.
    ///
    /// # Errors
    /// [`AdministrationError::Taken`] where it is another user already, [`AdministrationError::Missing`] where there is no
    /// such user, [`AdministrationError::Invalid`] where the subject cannot be one.
    pub async fn link_user(&self, user: &str, issuer: &str, subject: &str) -> Result<(), AdministrationError> {
        if subject.is_empty() || subject.len() > 255 || subject.chars().any(char::is_control) {
            return Err(AdministrationError::Invalid("a subject has 1 to 255 bytes, none of them control characters"));
        }
        let user = self.user(user).await?;
        let link = AccountLink::new(issuer, subject, Arc::clone(&user.id), self.now.wall);
        if self.link_store()?.link(link).resolve().await? != user.id {
            return Err(AdministrationError::Taken("a user for this subject"));
        }
        self.tell(Event::of("user_link").account(&user.id));
        Ok(())
    }

    /// Lets that subject be this user no longer, and ends every session that it opened.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`] where it is not, or what went wrong in a store: then do it again.
    pub async fn unlink_user(&self, user: &str, issuer: &str, subject: &str) -> Result<(), AdministrationError> {
        let store = self.link_store()?;
        let linked = store.linked(issuer, subject).resolve().await?;
        let is_linked = linked.as_deref() == Some(user);
        let removed = if is_linked { store.unlink(issuer, subject).resolve().await? } else { Removal::Absent };
        // also where there was no link: whoever removed it may have failed before this
        if is_linked || linked.is_none() {
            let voucher = Voucher::Provider { issuer: issuer.into(), subject: subject.into() };
            self.accounts()?.end_sessions_vouched_by(&voucher, self.now).await?;
        }
        if removed == Removal::Absent {
            return Err(AdministrationError::Missing("link"));
        }
        self.tell(Event::of("user_unlink").account(user));
        Ok(())
    }

    fn link_store(&self) -> Result<&Arc<dyn LinkStore>, AdministrationError> {
        let sso = self.accounts()?.sso().ok_or(AdministrationError::Absent("single sign-on"))?;
        Ok(sso.links())
    }
}
