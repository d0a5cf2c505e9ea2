//! What is asked for besides the password.

use std::fmt;
use std::sync::Arc;

use crate::api_key::KeyDigest;
use crate::clock::Timestamp;

/// The second factor of an account: one-time codes by time (TOTP, RFC 6238).
///
/// It begins with a secret that the person has yet to show a code of, and counts from that code on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SecondFactor {
    /// There is none.
    #[default]
    None,
    /// A secret was handed out, and no code of it was seen yet. Nothing is asked for at login.
    Enrolling {
        /// The secret, encrypted.
        secret: SealedSecret,
        /// When it was handed out.
        since: Timestamp,
    },
    /// A code is asked for.
    Confirmed {
        /// The secret, encrypted.
        secret: SealedSecret,
        /// The newest time step that a code was accepted for, the confirming one at first; only later ones are accepted
        /// (RFC 6238 section 5.2).
        last_step: u64,
        /// The keyed hashes of the recovery codes that are left.
        recovery: Vec<KeyDigest>,
    },
}

impl SecondFactor {
    /// Spends a time step; `None` where it is not later than the newest spent one, or no factor is confirmed.
    pub(crate) fn spend_step(&mut self, step: u64) -> Option<()> {
        let Self::Confirmed { last_step, .. } = self else { return None };
        (step > *last_step).then(|| *last_step = step)
    }

    /// Spends a recovery code, known by its digest under one of several peppers; `None` where it is none of those left.
    pub(crate) fn spend_recovery_code(&mut self, code: &[KeyDigest]) -> Option<()> {
        let Self::Confirmed { recovery, .. } = self else { return None };
        let place = recovery.iter().position(|left| code.contains(left))?;
        recovery.remove(place);
        Some(())
    }
}

/// A secret that lies encrypted in the store: a nonce and AES-256-GCM output, made and opened where the key is.
///
/// Security: `Debug` prints a placeholder.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret(Arc<[u8]>);

impl SealedSecret {
    /// A secret as it was encrypted, or as a store read it back.
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes for a store to keep, and for decryption.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedSecret(…)")
    }
}
