//! What can be changed about an account.

use std::sync::Arc;

use crate::api_key::KeyDigest;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::names::Names;
use crate::network::NetworkSet;

use super::{AccountRecord, AccountStatus, LoginName, PasswordHash, SealedSecret, SecondFactor};

/// One change to an account.
///
/// [`Password`](Self::Password), [`Disable`](Self::Disable) and [`EndSessions`](Self::EndSessions) move the account's
/// generation and end its open sessions in the same step. Nothing else does: a session goes on with the permissions,
/// roles, plan and networks that the account has by then.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountChange {
    /// Calls the person something else.
    Name(Option<Arc<str>>),
    /// Gives it another address, which nobody has verified yet; a conflict where the name is taken.
    Email(Option<LoginName>),
    /// Gives it another user name; a conflict where the name is taken.
    UserName(Option<LoginName>),
    /// The person was shown to read this address; a conflict where it is not the account's any more, to the letter.
    EmailVerified(LoginName),
    /// Puts it on another plan.
    Plan(Option<Arc<str>>),
    /// Makes it another type of user.
    Kind(Option<Arc<str>>),
    /// Makes the person this and nothing else.
    Roles(Names),
    /// Lets the person do this and nothing else.
    Permissions(Names),
    /// Allows it from these networks alone; `None` allows it from any.
    Networks(Option<Arc<NetworkSet>>),
    /// Switches it off until it is switched on again, and ends its sessions.
    Disable,
    /// Switches it on again. Sessions that were ended stay ended.
    Enable,
    /// Gives it another password, and ends its sessions.
    Password {
        /// The hash of the new one.
        hash: PasswordHash,
        /// How many of the passwords before it are remembered, the replaced one included.
        keep_recent: usize,
        /// The generation in which the old one was checked; a conflict where it has moved since. `None` where nothing was
        /// checked, as when an administrator sets it.
        if_generation: Option<u64>,
    },
    /// Replaces a hash by another one of the same password, made with better parameters. Ends nothing; a conflict where
    /// the password was changed meanwhile.
    Rehashed {
        /// The hash that the password was checked against.
        from: PasswordHash,
        /// The one to keep.
        to: PasswordHash,
    },
    /// Ends every session and, by its generation, every token.
    EndSessions,
    /// Begins a second factor with this secret, in place of one that was begun and not confirmed; a conflict where there
    /// is a confirmed one.
    EnrolSecondFactor(SealedSecret),
    /// A code of the secret was shown: from now on codes are asked for. A conflict where the enrolment of this very secret
    /// is not what stands there.
    ConfirmSecondFactor {
        /// The secret that the code belongs to.
        secret: SealedSecret,
        /// The time step of the code, which thereby counts as used.
        step: u64,
        /// The keyed hashes of the recovery codes.
        recovery: Vec<KeyDigest>,
    },
    /// Replaces the recovery codes, used or not; a conflict without a confirmed factor.
    RecoveryCodes(Vec<KeyDigest>),
    /// Asks for no code any more.
    RemoveSecondFactor,
}

/// What a change came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The account as it is now.
    pub account: AccountRecord,
    /// The ids of the sessions that ended with it, for the list of what is revoked.
    pub ended: Vec<Arc<str>>,
}

impl AccountChange {
    /// Whether it moves the generation, and so ends every session.
    pub const fn ends_sessions(&self) -> bool {
        matches!(self, Self::Disable | Self::Password { .. } | Self::EndSessions)
    }

    /// Makes the change to the record alone. A store does so within its atomic step, sees to it that login names stay
    /// unique, and ends the account's open sessions where the generation moved.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where what a change says about the state before is not so; the record is then untouched.
    pub fn apply(self, record: &mut AccountRecord, at: Timestamp) -> Result<(), StoreError> {
        match self {
            Self::Name(name) => record.name = name,
            Self::Email(email) => {
                record.email_verified = record.email_verified.filter(|_| is_spelt(record, email.as_ref()));
                record.email = email;
            }
            Self::UserName(name) => record.user_name = name,
            Self::EmailVerified(email) => {
                condition(is_spelt(record, Some(&email)))?;
                record.email_verified = Some(at);
            }
            Self::Plan(plan) => record.plan = plan,
            Self::Kind(kind) => record.kind = kind,
            Self::Roles(roles) => record.roles = roles,
            Self::Permissions(permissions) => record.permissions = permissions,
            Self::Networks(networks) => record.networks = networks,
            Self::Disable => {
                record.status = AccountStatus::Disabled;
                move_on(record);
            }
            Self::Enable => record.status = AccountStatus::Active,
            Self::Password { hash, keep_recent, if_generation } => {
                condition(if_generation.is_none_or(|seen| seen == record.generation))?;
                replace_password(record, hash, keep_recent);
                record.password_changed = Some(at);
                move_on(record);
            }
            Self::Rehashed { from, to } => {
                condition(record.password.as_ref() == Some(&from))?;
                record.password = Some(to);
            }
            Self::EndSessions => move_on(record),
            Self::EnrolSecondFactor(secret) => {
                condition(!matches!(record.second_factor, SecondFactor::Confirmed { .. }))?;
                record.second_factor = SecondFactor::Enrolling { secret, since: at };
            }
            Self::ConfirmSecondFactor { secret, step, recovery } => {
                let begun = &record.second_factor;
                condition(matches!(begun, SecondFactor::Enrolling { secret: begun, .. } if *begun == secret))?;
                record.second_factor = SecondFactor::Confirmed { secret, last_step: step, recovery };
            }
            Self::RecoveryCodes(codes) => match &mut record.second_factor {
                SecondFactor::Confirmed { recovery, .. } => *recovery = codes,
                SecondFactor::None | SecondFactor::Enrolling { .. } => return Err(StoreError::Conflict),
            },
            Self::RemoveSecondFactor => record.second_factor = SecondFactor::None,
        }
        Ok(())
    }
}

fn condition(holds: bool) -> Result<(), StoreError> {
    if holds { Ok(()) } else { Err(StoreError::Conflict) }
}

/// Mail goes to the address as it is spelt, and not every server takes two spellings for one mailbox.
fn is_spelt(record: &AccountRecord, email: Option<&LoginName>) -> bool {
    record.email.as_ref().map(LoginName::written) == email.map(LoginName::written)
}

/// Everything that was granted in the generation before is over.
fn move_on(record: &mut AccountRecord) {
    record.generation = record.generation.saturating_add(1);
}

fn replace_password(record: &mut AccountRecord, hash: PasswordHash, keep_recent: usize) {
    if let Some(replaced) = record.password.replace(hash) {
        record.recent_passwords.insert(0, replaced);
    }
    record.recent_passwords.truncate(keep_recent);
}
