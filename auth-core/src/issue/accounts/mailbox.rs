//! Resetting passwords and verifying addresses: what is shown is a ticket that went to the account's mailbox.
//!
//! Who asks for a reset learns nothing: whether there is such an account, whether it has an address and whether its mailbox
//! has had enough, the answer is one and the same, after the same work. Only then does the [`Messenger`] have anything to
//! do.
//!
//! [`Messenger`]: crate::issue::Messenger

use std::net::IpAddr;
use std::sync::Arc;

use crate::Secret;
use crate::account::{AccountChange, AccountRecord, AccountStatus, LoginName};
use crate::clock::{Now, Timestamp};
use crate::issue::messages::{Flood, Ticket, ticket};
use crate::issue::{KeyError, Message, MessageKind, Messages};
use crate::rejection::LoginFault;
use crate::store::{KeyChange, KeyScope};

use super::journal::Event;
use super::proof::Purpose;
use super::{AccountError, Accounts, Login, is_usable};

/// Whether people log in before they have verified their address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnverifiedEmail {
    /// They do, the default.
    #[default]
    Accepted,
    /// They do not, with a password, at a provider or by a partner's word; whoever is known to be the person is told why. An
    /// account without an address never does.
    Refused,
}

/// What is said where there is nobody to deliver messages.
const NO_MESSAGES: AccountError = AccountError::State("no messages are sent here");

impl Accounts {
    /// Sends a ticket for another password to the account of that name, where there is one and it has an address. Nobody
    /// is told whether there is.
    ///
    /// # Errors
    /// [`AccountError::Refused`] where the source has asked for too many messages; [`AccountError::State`] without
    /// [messages](super::AccountParts::messages).
    pub async fn request_password_reset(
        &self,
        name: &str,
        source: Option<IpAddr>,
        now: Now,
    ) -> Result<(), AccountError> {
        let messages = self.0.messages.as_ref().ok_or(NO_MESSAGES)?;
        let name = LoginName::fold(name).ok();
        let found = match &name {
            Some(name) => self.0.store.by_login(name).resolve().await?,
            None => None,
        };
        let who = found.as_ref().map(|account| &account.id).or(name.as_ref().map(LoginName::folded));
        let room = self.room(messages, MessageKind::ResetPassword, who.map_or("", |who| who), source).await?;
        // the same look where there is nobody, and a ticket for nobody
        let tenant = found.as_ref().and_then(|account| account.tenant.as_deref()).unwrap_or_default();
        let tenant = self.0.store.tenant(tenant).resolve().await?;
        let account = found.clone().unwrap_or_else(|| stand_in(name, now));
        let message = message(messages, MessageKind::ResetPassword, &account, now);
        let event = Event::of("password_reset_request").client(source);
        let Some(account) = found else {
            event.cause("unknown_account").tell();
            return Ok(());
        };
        let event = event.account(&account.id);
        let Some(message) = message else {
            event.cause("no_address").tell();
            return Ok(());
        };
        if account.status != AccountStatus::Active || !is_usable(tenant.as_ref()) {
            event.cause("disabled").tell();
        } else if self.is_of_provider(&account).await? {
            event.cause("single_sign_on").tell();
        } else if room != Flood::No {
            event.cause("too_many_messages").tell();
        } else {
            messages.messenger.send(message);
            event.tell();
        }
        Ok(())
    }

    /// Gives an account another password for a ticket, and ends its sessions. The ticket, and every other of the account,
    /// is worth nothing from then on: of several that are used at once, one succeeds. Whoever reads the mailbox has the
    /// address verified by that.
    ///
    /// A second factor stays, and login asks for it as before. Where the address was not verified before, the account's API
    /// keys are taken back too: whoever made them may have registered with an address that was not theirs.
    ///
    /// # Errors
    /// [`AccountError::Ticket`]; [`AccountError::Weak`] for the password, after which the ticket is as good as before;
    /// [`AccountError::Network`].
    pub async fn reset_password_by(
        &self,
        ticket: &Secret,
        new: Secret,
        source: Option<IpAddr>,
        now: Now,
    ) -> Result<AccountRecord, AccountError> {
        let kind = MessageKind::ResetPassword;
        let event = |cause: AccountError| {
            Event::of("password_reset_failed").client(source).cause(cause.cause()).tell();
            cause
        };
        let account = self.bearer_of(ticket, kind, now).await.map_err(event)?;
        let tenant = self.tenant_of(&account).await?;
        if account.status != AccountStatus::Active
            || !is_usable(tenant.as_ref())
            || self.is_of_provider(&account).await.map_err(event)?
        {
            return Err(event(AccountError::Ticket));
        }
        Self::check_networks(&account, tenant.as_ref(), source).map_err(event)?;
        let changed = self.set_password(&account, new, Some(account.generation), now).await;
        let changed = changed.map_err(|error| match error {
            // somebody else was faster, with this ticket or with something else that moves the generation
            AccountError::Login(LoginFault::Credentials) => event(AccountError::Ticket),
            other => event(other),
        })?;
        Event::of("password_reset").account(&account.id).client(source).tell();
        if account.email_verified.is_none()
            && let Some(keys) = &self.0.keys
        {
            // whoever made them may have registered with somebody else's address
            let scope = KeyScope::Owner { issuer: Arc::clone(self.issuer()), subject: Arc::clone(&account.id) };
            keys.change_all(&scope, KeyChange::Revoke).await.map_err(|error| match error {
                KeyError::Store(error) => AccountError::Store(error),
                _ => AccountError::State("the keys of the account cannot be taken back"),
            })?;
        }
        // the password is another, whatever becomes of this: an address can be verified later
        Ok(self.verified(&account, now).await.ok().flatten().unwrap_or(changed))
    }

    /// Whether somebody logs in with a provider and nothing else: whoever is shut out there must not come in by a mailbox.
    async fn is_of_provider(&self, account: &AccountRecord) -> Result<bool, AccountError> {
        match &self.0.sso {
            Some(sso) if account.password.is_none() => Ok(!sso.links().links(&account.id).resolve().await?.is_empty()),
            _ => Ok(false),
        }
    }

    /// Sends a ticket that verifies the account's address: for its owner.
    ///
    /// # Errors
    /// [`AccountError::State`] where there is no address, or a verified one; [`AccountError::Refused`] where the mailbox
    /// or the source has had enough.
    pub async fn request_email_verification(
        &self,
        account: &AccountRecord,
        source: Option<IpAddr>,
        now: Now,
    ) -> Result<(), AccountError> {
        let messages = self.0.messages.as_ref().ok_or(NO_MESSAGES)?;
        if account.email_verified.is_some() {
            return Err(AccountError::State("the address is verified already"));
        }
        let message = message(messages, MessageKind::VerifyEmail, account, now);
        let message = message.ok_or(AccountError::State("the account has no address"))?;
        if let Flood::Yes(rejection) = self.room(messages, MessageKind::VerifyEmail, &account.id, source).await? {
            return Err(AccountError::Refused(rejection));
        }
        messages.messenger.send(message);
        Event::of("email_verification_request").account(&account.id).client(source).tell();
        Ok(())
    }

    /// The same for whoever knows the password, judged like a login: they may not be able to log in before.
    ///
    /// # Errors
    /// As [`log_in`](Self::log_in) and [`request_email_verification`](Self::request_email_verification).
    pub async fn request_email_verification_by_password(&self, login: Login, now: Now) -> Result<(), AccountError> {
        let source = login.source;
        let account = self.authenticated(login, Purpose::VerifyEmail, now).await?;
        self.request_email_verification(&account, source, now).await
    }

    /// Welcomes a new account with a ticket that verifies its address. That it cannot be sent is no reason to undo a
    /// registration: its owner can ask for it later.
    pub async fn welcome(&self, account: &AccountRecord, source: Option<IpAddr>, now: Now) {
        if self.0.messages.is_none() || account.email.is_none() {
            return;
        }
        if let Err(error) = self.request_email_verification(account, source, now).await {
            let event = Event::of("email_verification_failed").account(&account.id).client(source);
            event.cause(error.cause()).tell();
        }
    }

    /// Takes a ticket for an address as proof that it is the person's. Showing it again does no harm: whatever opens links
    /// in mails before people do must not spoil them.
    ///
    /// # Errors
    /// [`AccountError::Ticket`].
    pub async fn verify_email(
        &self,
        ticket: &Secret,
        source: Option<IpAddr>,
        now: Now,
    ) -> Result<AccountRecord, AccountError> {
        let account = match self.bearer_of(ticket, MessageKind::VerifyEmail, now).await {
            Ok(account) => account,
            Err(error) => {
                Event::of("email_verification_failed").client(source).cause(error.cause()).tell();
                return Err(error);
            }
        };
        let verified = self.verified(&account, now).await?;
        Event::of("email_verified").account(&account.id).client(source).tell();
        Ok(verified.unwrap_or_else(|| (*account).clone()))
    }

    /// Notes that the person reads their address; `None` where that was known, or the address has changed meanwhile.
    pub(super) async fn verified(
        &self,
        account: &AccountRecord,
        now: Now,
    ) -> Result<Option<AccountRecord>, AccountError> {
        let Some(email) = account.email.clone().filter(|_| account.email_verified.is_none()) else { return Ok(None) };
        match self.change(&account.id, AccountChange::EmailVerified(email), now).await {
            Ok(changed) => Ok(Some(changed)),
            Err(AccountError::NameTaken) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The account that a ticket is good for.
    async fn bearer_of(&self, text: &Secret, kind: MessageKind, now: Now) -> Result<Arc<AccountRecord>, AccountError> {
        let messages = self.0.messages.as_ref().ok_or(NO_MESSAGES)?;
        let ticket = Ticket::read(text).ok_or(AccountError::Ticket)?;
        let account = self.0.store.by_id(ticket.account()).resolve().await?.ok_or(AccountError::Ticket)?;
        let is_good = ticket.is_good(kind, &account, &messages.peppers, now.wall);
        if is_good { Ok(account) } else { Err(AccountError::Ticket) }
    }

    async fn room(
        &self,
        messages: &Messages,
        kind: MessageKind,
        who: &str,
        source: Option<IpAddr>,
    ) -> Result<Flood, AccountError> {
        let Some(throttle) = &messages.throttle else { return Ok(Flood::No) };
        throttle.spend(kind, who, source).await.map_err(AccountError::Refused)
    }
}

/// A message with a fresh ticket; `None` where the account has no address.
fn message(messages: &Messages, kind: MessageKind, account: &AccountRecord, now: Now) -> Option<Message> {
    // tickets end at whole seconds, so that what is told of their end is so
    let ends = now.wall.saturating_add(messages.life(kind)).unix_seconds();
    let ends = Timestamp::from_unix_seconds(ends);
    let ticket = ticket(kind, account, ends, &messages.peppers)?;
    let email = Arc::clone(account.email.as_ref()?.written());
    let mut message = Message::new(kind, Arc::clone(&account.id), email, ticket, ends);
    message.name.clone_from(&account.name);
    Some(message)
}

/// Somebody to make a ticket for where there is nobody.
fn stand_in(name: Option<LoginName>, now: Now) -> Arc<AccountRecord> {
    let mut nobody = AccountRecord::new("user_0000000000000000", now.wall);
    nobody.email = name;
    Arc::new(nobody)
}
