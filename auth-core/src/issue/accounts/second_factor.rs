//! One-time codes and recovery codes, beside the password.

use std::sync::Arc;

use crate::Secret;
use crate::account::{AccountChange, AccountRecord, SealedSecret, SecondFactor};
use crate::api_key::Peppers;
use crate::clock::Now;
use crate::issue::{Familiarity, RecoveryCodes, Seal, SealedFor, TotpSecret};
use crate::names::Names;
use crate::rejection::LoginFault;
use crate::store::Spending;

use super::proof::Purpose;
use super::{AccountError, Accounts, Login, SecondFactorProof};

/// What second factors take.
#[derive(Clone, Debug)]
pub struct SecondFactors {
    /// What the service is called in people's authenticators.
    pub service: Arc<str>,
    /// What their secrets are encrypted with in the store.
    pub seal: Seal,
    /// What recovery codes are hashed with.
    pub peppers: Peppers,
}

/// A second factor that was begun.
#[derive(Debug)]
pub struct Enrolment {
    /// The secret as people type it into their authenticator.
    pub secret: Secret,
    /// The same as a URI, for a picture to be scanned.
    pub uri: Secret,
}

/// Whose accounts have to have a second factor. Whoever has to and has none logs in to nothing but enrolling one.
///
/// API keys go on working: whoever makes one has logged in with everything that was asked for then. So does a partner's
/// assertion, which answers for the person with whatever the partner asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SecondFactorRule {
    /// Nobody's: whoever wants one has one.
    #[default]
    Chosen,
    /// Everybody's.
    Everybody,
    /// Those of which one of these is so.
    Whoever {
        /// Their type of user is one of these.
        kinds: Names,
        /// They have one of these roles.
        roles: Names,
        /// They hold one of these permissions by name. What brings a permission along has to be named too:
        /// [`sufficient_for`](crate::policy::PermissionModel::sufficient_for) tells all of it.
        permissions: Names,
    },
}

impl SecondFactorRule {
    /// Whether the account, which has these permissions, has to have one.
    pub fn needs(&self, account: &AccountRecord, held: &Names) -> bool {
        match self {
            Self::Chosen => false,
            Self::Everybody => true,
            Self::Whoever { kinds, roles, permissions } => {
                account.kind.as_deref().is_some_and(|kind| kinds.contains(kind))
                    || account.roles.iter().any(|role| roles.contains(role))
                    || held.iter().any(|permission| permissions.contains(permission))
            }
        }
    }
}

/// What is said where there is one already.
pub(super) const ONE_ALREADY: &str = "there is a second factor already";

/// What is said where second factors are not configured.
const NONE_HERE: AccountError = AccountError::State("there are no second factors here");

impl Accounts {
    /// Who may begin or confirm a second factor: whoever knows the password, judged like a login. A token alone must not
    /// do, since a thief who confirms a factor locks the owner out; and an account that needs a factor and has none has
    /// no token.
    ///
    /// # Errors
    /// As [`log_in`](Self::log_in), but that a factor is missing; [`AccountError::State`] where there is a confirmed one.
    pub async fn check_enrolling(&self, login: Login, now: Now) -> Result<Arc<AccountRecord>, AccountError> {
        self.authenticated(login, Purpose::Enrol, now).await
    }

    pub(super) fn needs_second_factor(&self, account: &AccountRecord) -> bool {
        self.0.second_factor_rule.needs(account, &self.permissions_of(account))
    }

    /// Begins a second factor, in the place of one that was begun and not confirmed. It is asked for once it is
    /// [confirmed](Self::confirm_second_factor).
    ///
    /// # Errors
    /// [`AccountError::State`] where there is a confirmed one.
    pub async fn enrol_second_factor(&self, id: &str, now: Now) -> Result<Enrolment, AccountError> {
        let factors = self.0.second_factors.as_ref().ok_or(NONE_HERE)?;
        let account = self.find(id).await?;
        let secret = TotpSecret::generate().map_err(|_| AccountError::Random)?;
        let sealed =
            factors.seal.seal(secret.as_bytes(), SealedFor::SecondFactor, id).map_err(|_| AccountError::Random)?;
        self.changed(id, AccountChange::EnrolSecondFactor(sealed), ONE_ALREADY, now).await?;
        let called = account.login_names().next().map_or(id, |name| name.written());
        Ok(Enrolment { secret: secret.base32(), uri: secret.uri(&factors.service, called) })
    }

    /// Confirms the second factor that was begun, by a code of it, and hands out its recovery codes: the only time that
    /// they are told. The code counts as used.
    ///
    /// # Errors
    /// [`AccountError::State`] where none was begun; [`LoginFault::SecondFactorWrong`].
    pub async fn confirm_second_factor(&self, id: &str, code: &Secret, now: Now) -> Result<Vec<Secret>, AccountError> {
        const NOT_BEGUN: &str = "no second factor was begun";
        let factors = self.0.second_factors.as_ref().ok_or(NONE_HERE)?;
        let account = self.find(id).await?;
        let SecondFactor::Enrolling { secret, .. } = &account.second_factor else {
            return Err(AccountError::State(NOT_BEGUN));
        };
        let step = step(factors, id, secret, code, now)?;
        let codes = RecoveryCodes::generate(id, &factors.peppers).map_err(|_| AccountError::Random)?;
        let change = AccountChange::ConfirmSecondFactor { secret: secret.clone(), step, recovery: codes.digests };
        self.changed(id, change, NOT_BEGUN, now).await?;
        Ok(codes.codes)
    }

    /// Gives an account a second factor whose secret is known beforehand, and answers the secret in base32: for making up
    /// accounts. Its recovery codes are told to nobody.
    ///
    /// # Errors
    /// As [`enrol_second_factor`](Self::enrol_second_factor).
    pub async fn with_second_factor(&self, id: &str, now: Now) -> Result<Secret, AccountError> {
        let begun = self.enrol_second_factor(id, now).await?;
        let account = self.find(id).await?;
        if let SecondFactor::Enrolling { secret, .. } = &account.second_factor {
            let change = AccountChange::ConfirmSecondFactor { secret: secret.clone(), step: 0, recovery: Vec::new() };
            self.change(id, change, now).await?;
        }
        Ok(begun.secret)
    }

    /// Asks for no second factor any more, for whoever shows one for the last time.
    ///
    /// # Errors
    /// [`AccountError::State`] where the account has to have one; [`AccountError::Login`] where what is shown is wrong or
    /// missing; [`AccountError::Refused`] where it was wrong too often: whoever
    /// has a token of the account must not be able to try all codes.
    pub async fn disable_second_factor(
        &self,
        id: &str,
        proof: Option<SecondFactorProof>,
        now: Now,
    ) -> Result<(), AccountError> {
        let account = self.find(id).await?;
        if self.needs_second_factor(&account) {
            return Err(AccountError::State("the account has to have a second factor"));
        }
        self.check_bounded(&account, proof, now).await?;
        self.change(id, AccountChange::RemoveSecondFactor, now).await.map(|_| ())
    }

    /// The same as [`check_second_factor`](Self::check_second_factor), as often as guessing allows. Whoever is logged in
    /// is no stranger, and uses up nothing of what logins have.
    async fn check_bounded(
        &self,
        account: &AccountRecord,
        proof: Option<SecondFactorProof>,
        now: Now,
    ) -> Result<(), AccountError> {
        let Some(throttle) = &self.0.throttle else { return self.check_second_factor(account, proof, now).await };
        let begun = throttle.begin(&account.id, None, Familiarity::Known).resolve().await;
        let attempt = begun.map_err(AccountError::Refused)?;
        let checked = self.check_second_factor(account, proof, now).await;
        if matches!(checked, Err(AccountError::Login(LoginFault::SecondFactorWrong))) {
            attempt.failed().resolve().await;
        } else {
            attempt.succeeded();
        }
        checked
    }

    /// Whether what is shown is the account's second factor; nothing has to be where it has none.
    pub(super) async fn check_second_factor(
        &self,
        account: &AccountRecord,
        proof: Option<SecondFactorProof>,
        now: Now,
    ) -> Result<(), AccountError> {
        let SecondFactor::Confirmed { secret, .. } = &account.second_factor else { return Ok(()) };
        let factors = self.0.second_factors.as_ref().ok_or(NONE_HERE)?;
        let id = &*account.id;
        let spending = match proof.ok_or(LoginFault::SecondFactorMissing)? {
            SecondFactorProof::Code(code) => {
                let step = step(factors, id, secret, &code, now)?;
                self.0.store.spend_totp_step(id, step)
            }
            SecondFactorProof::RecoveryCode(code) => {
                let digests = RecoveryCodes::digests_of(id, code.expose_text().unwrap_or_default(), &factors.peppers);
                self.0.store.spend_recovery_code(id, &digests)
            }
        };
        match spending.resolve().await? {
            Spending::Spent => Ok(()),
            Spending::Refused => Err(LoginFault::SecondFactorWrong.into()),
        }
    }

    /// A change of which the only conflict has these words.
    async fn changed(
        &self,
        id: &str,
        change: AccountChange,
        conflict: &'static str,
        now: Now,
    ) -> Result<AccountRecord, AccountError> {
        match self.change(id, change, now).await {
            Err(AccountError::NameTaken) => Err(AccountError::State(conflict)),
            changed => changed,
        }
    }
}

/// The time step that a code is for.
fn step(
    factors: &SecondFactors,
    id: &str,
    sealed: &SealedSecret,
    code: &Secret,
    now: Now,
) -> Result<u64, AccountError> {
    let opened = factors.seal.open(sealed, SealedFor::SecondFactor, id).map_err(|error| {
        tracing::error!(account = id, %error, "the secret of a second factor cannot be opened");
        AccountError::State("the second factor cannot be checked: an administrator has to remove it")
    })?;
    let text = code.expose_text().unwrap_or_default();
    TotpSecret::from_bytes(opened).check(text, now.wall).ok_or(LoginFault::SecondFactorWrong.into())
}
