//! Messages to people: tickets that only whoever reads their mailbox can show.
//!
//! This library sends no mail. Whoever has a mailer implements [`Messenger`]; a service without one passes messages on to
//! something that has.
//!
//! A ticket is kept nowhere. It is a keyed hash (HMAC-SHA-256) over what it is for, the account, the address it goes to,
//! the account's generation, its last change of password and the ticket's end, so that it is worth nothing from the
//! moment that one of them is another: a ticket that reset a password resets none again, and one for an address that
//! was changed verifies nothing. A ticket of one purpose is none of another.
//!
//! - `ticket`: making and checking them
//! - `budget`: [`MessageQuotas`], so that nobody can flood a mailbox

mod budget;
mod ticket;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::Secret;
use crate::api_key::Peppers;
use crate::clock::Timestamp;

pub(super) use budget::Flood;
pub use budget::{MessageQuotas, MessageThrottle};
pub(super) use ticket::{Ticket, ticket};

/// Delivers messages to people.
///
/// ```
/// use std::sync::mpsc::SyncSender;
/// use auth_core::issue::{Message, Messenger};
///
/// /// Hands messages to a thread that has a mailer.
/// struct Outbox(SyncSender<Message>);
///
/// impl Messenger for Outbox {
///     fn send(&self, message: Message) {
///         if self.0.try_send(message).is_err() {
///             eprintln!("a message is lost: the outbox is full");
///         }
///     }
/// }
/// ```
pub trait Messenger: Send + Sync + 'static {
    /// Takes a message over, and answers at once: a request waits for it, and must not take longer where there is an
    /// account than where there is none. What is then done about the message nobody waits for, and if it is lost, the
    /// person asks for another.
    fn send(&self, message: Message);
}

/// A message to one person. `Debug` does not print the ticket.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Message {
    /// What it is about.
    pub kind: MessageKind,
    /// The id of the account.
    pub account: Arc<str>,
    /// The address it goes to, as the person spelt it; without control characters.
    pub email: Arc<str>,
    /// What the person is called.
    pub name: Option<Arc<str>>,
    /// What the person has to show. It is made of letters, digits, `-`, `_` and one `.`, so that it can stand in a URL.
    ///
    /// Security: in a link, put it behind a `#`, where neither servers nor their logs see it, and let the page post it.
    pub ticket: Secret,
    /// From when the ticket is worth nothing.
    pub ends: Timestamp,
}

impl Message {
    /// A message to somebody without a name: for trying out what delivers them.
    pub fn new(
        kind: MessageKind,
        account: impl Into<Arc<str>>,
        email: impl Into<Arc<str>>,
        ticket: Secret,
        ends: Timestamp,
    ) -> Self {
        Self { kind, account: account.into(), email: email.into(), name: None, ticket, ends }
    }
}

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MessageKind {
    /// Its ticket shows that the address is the person's.
    VerifyEmail,
    /// Its ticket gives the account another password.
    ResetPassword,
}

impl MessageKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::VerifyEmail, Self::ResetPassword];

    /// Its stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
        }
    }
}

impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What messages take.
#[derive(Clone)]
#[non_exhaustive]
pub struct Messages {
    /// Who delivers them.
    pub messenger: Arc<dyn Messenger>,
    /// What tickets are hashed with. A ticket of a pepper that was replaced is good as long as the pepper is among the
    /// older ones.
    pub peppers: Peppers,
    /// How long a ticket can reset a password; 30 minutes by default.
    pub reset_life: Duration,
    /// How long a ticket can verify an address; 24 hours by default.
    pub verification_life: Duration,
    /// What bounds how many there are; without it, nothing does.
    pub throttle: Option<MessageThrottle>,
}

impl Messages {
    /// Messages with the usual lives of their tickets, and as many as anybody asks for; set the fields for more.
    pub fn new(messenger: Arc<dyn Messenger>, peppers: Peppers) -> Self {
        Self {
            messenger,
            peppers,
            reset_life: Duration::from_mins(30),
            verification_life: Duration::from_hours(24),
            throttle: None,
        }
    }

    /// How long a ticket lives.
    pub(super) fn life(&self, kind: MessageKind) -> Duration {
        match kind {
            MessageKind::VerifyEmail => self.verification_life,
            MessageKind::ResetPassword => self.reset_life,
        }
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages")
            .field("peppers", &self.peppers)
            .field("reset_life", &self.reset_life)
            .field("verification_life", &self.verification_life)
            .finish_non_exhaustive()
    }
}
