//! Partners: those whose word opens sessions.

use std::sync::Arc;

use crate::account::Voucher;
use crate::error::StoreError;
use crate::issue::mint;
use crate::store::{Removal, TrustStore};
use crate::trust::{PublicKeys, Reach, TrustChange, TrustRecord};

use super::{Administering, AdministrationError};

impl Administering<'_> {
    /// Every partner, the oldest first.
    ///
    /// # Errors
    /// What went wrong in the store.
    pub async fn partners(&self) -> Result<Vec<TrustRecord>, AdministrationError> {
        Ok(self.trusts()?.list().resolve().await?)
    }

    /// The partner with this id, or that signs with this issuer.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`], or what went wrong in the store.
    pub async fn partner(&self, name: &str) -> Result<TrustRecord, AdministrationError> {
        let found = self.partners().await?.into_iter().find(|known| &*known.id == name || &*known.issuer == name);
        found.ok_or(AdministrationError::Missing("partner"))
    }

    /// Registers a partner. Its assertions are taken from then on.
    ///
    /// # Errors
    /// [`AdministrationError::Taken`]; [`AdministrationError::Invalid`] where the issuer or the name cannot be one.
    pub async fn add_partner(
        &self,
        issuer: &str,
        keys: PublicKeys,
        reach: Reach,
        name: Option<&str>,
    ) -> Result<TrustRecord, AdministrationError> {
        let is_text = |text: &str| !text.trim().is_empty() && !text.chars().any(char::is_control);
        if !is_text(issuer) || issuer.len() > 500 {
            return Err(AdministrationError::Invalid(
                "an issuer has 1 to 500 bytes, none of them control characters: what its assertions have as `iss`",
            ));
        }
        if name.is_some_and(|name| !is_text(name) || name.chars().count() > 200) {
            return Err(AdministrationError::Invalid(
                "a name has 1 to 200 characters, none of them control characters",
            ));
        }
        let mut record = TrustRecord::new(mint::id("trust_")?, issuer, keys, reach, self.now.wall);
        record.name = name.map(Arc::from);
        match self.trusts()?.insert(record.clone()).resolve().await {
            Err(StoreError::Conflict) => return Err(AdministrationError::Taken("a partner with this issuer")),
            made => made?,
        }
        self.told_of("partner_create", &record);
        Ok(record)
    }

    /// Gives a partner other keys in the place of those before.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`], or what went wrong in the store.
    pub async fn set_partner_keys(&self, id: &str, keys: PublicKeys) -> Result<TrustRecord, AdministrationError> {
        self.changed_partner(id, TrustChange::Keys(keys), "partner_keys").await
    }

    /// Takes no assertions of a partner any more. Sessions that they opened before go on.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`], or what went wrong in the store.
    pub async fn disable_partner(&self, id: &str) -> Result<TrustRecord, AdministrationError> {
        self.changed_partner(id, TrustChange::Disable, "partner_disable").await
    }

    /// Takes its assertions again.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`], or what went wrong in the store.
    pub async fn enable_partner(&self, id: &str) -> Result<TrustRecord, AdministrationError> {
        self.changed_partner(id, TrustChange::Enable, "partner_enable").await
    }

    /// Removes a partner, and ends every session that its word opened.
    ///
    /// # Errors
    /// [`AdministrationError::Missing`], or what went wrong in a store: then do it again.
    pub async fn remove_partner(&self, id: &str) -> Result<(), AdministrationError> {
        let record = self.partner(id).await?;
        // so that whatever happens in between, it opens no session any more, and this can be done again
        self.trusts()?.change(&record.id, TrustChange::Disable).resolve().await?;
        let voucher = Voucher::Partner(Arc::clone(&record.id));
        self.accounts()?.end_sessions_vouched_by(&voucher, self.now).await?;
        match self.trusts()?.delete(&record.id).resolve().await? {
            Removal::Removed => self.told_of("partner_remove", &record),
            Removal::Absent => return Err(AdministrationError::Missing("partner")),
        }
        Ok(())
    }

    async fn changed_partner(
        &self,
        id: &str,
        change: TrustChange,
        what: &'static str,
    ) -> Result<TrustRecord, AdministrationError> {
        let id = self.partner(id).await?.id;
        let changed = self.trusts()?.change(&id, change).resolve().await?;
        let record = changed.ok_or(AdministrationError::Missing("partner"))?;
        self.told_of(what, &record);
        Ok(record)
    }

    fn trusts(&self) -> Result<&Arc<dyn TrustStore>, AdministrationError> {
        let assertions = self.accounts()?.assertions().ok_or(AdministrationError::Absent("partners"))?;
        Ok(assertions.partners())
    }

    fn told_of(&self, what: &'static str, record: &TrustRecord) {
        let (by, client) = (&*self.actor.subject, self.actor.client.map(tracing::field::display));
        tracing::info!(target: "auth::account", what, partner = &*record.id, issuer = &*record.issuer, by, client);
    }
}
