//! One-time codes by time (RFC 6238), as authenticator apps make them.
//!
//! SHA-1, six digits and steps of 30 seconds are what every app understands; many ignore it when a URI asks for
//! anything else. SHA-1 is not weak here: HMAC does not need it to be free of collisions.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::{hmac, rand};

use super::base32;
use crate::Secret;
use crate::clock::Timestamp;

/// What a person's app and the service share: 160 random bits (RFC 4226 section 4, R6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TotpSecret(Secret);

/// The operating system gave no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRandomBytes;

const SECRET: usize = 20;
const DIGITS: usize = 6;
/// Seconds.
const STEP: i64 = 30;

impl TotpSecret {
    /// A new one.
    ///
    /// # Errors
    /// [`NoRandomBytes`].
    pub fn generate() -> Result<Self, NoRandomBytes> {
        let mut bytes = vec![0; SECRET];
        rand::fill(&mut bytes).map_err(|_| NoRandomBytes)?;
        Ok(Self(Secret::new(bytes)))
    }

    /// One that was sealed and opened again.
    pub const fn from_bytes(secret: Secret) -> Self {
        Self(secret)
    }

    /// The bytes, for [sealing](super::Seal::seal).
    pub const fn as_bytes(&self) -> &Secret {
        &self.0
    }

    /// The secret as people type it into their app: 32 characters in base32.
    pub fn base32(&self) -> Secret {
        let mut text = String::with_capacity(SECRET * 2);
        base32::encode(self.0.expose(), &mut text);
        Secret::from(text)
    }

    /// The secret as an app reads it from a picture: a URI of the scheme `otpauth`.
    ///
    /// `issuer` is what the service is called, `account` what the person is called there; the app shows both.
    ///
    /// ```
    /// use auth_core::Secret;
    /// use auth_core::issue::TotpSecret;
    ///
    /// let secret = TotpSecret::from_bytes(Secret::from("12345678901234567890"));
    /// let uri = secret.uri("Example Ltd", "ada@example.com");
    /// assert_eq!(
    ///     uri.expose_text(),
    ///     Some(
    ///         "otpauth://totp/Example%20Ltd:ada%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
    ///         &issuer=Example%20Ltd&algorithm=SHA1&digits=6&period=30"
    ///     ),
    /// );
    /// ```
    pub fn uri(&self, issuer: &str, account: &str) -> Secret {
        // room for all of it at once: growing would leave copies of the secret behind in freed memory
        let mut uri = String::with_capacity(6 * issuer.len() + 3 * account.len() + 2 * SECRET + 96);
        uri.push_str("otpauth://totp/");
        escape(issuer, &mut uri);
        uri.push(':');
        escape(account, &mut uri);
        uri.push_str("?secret=");
        base32::encode(self.0.expose(), &mut uri);
        uri.push_str("&issuer=");
        escape(issuer, &mut uri);
        uri.push_str("&algorithm=SHA1&digits=6&period=30");
        Secret::from(uri)
    }

    /// The time step that a code is for, if it is one of now: the step that runs, the one before or the one after, since
    /// clocks differ and people take their time (RFC 6238 section 5.2).
    ///
    /// Spaces in the code do not count. Which step it was has to be spent
    /// ([`spend_totp_step`](crate::store::AccountStore::spend_totp_step)) before anybody is let in: a code is good once.
    ///
    /// Security: takes the same time whichever digits are wrong. A code is guessed in some 300,000 attempts, so attempts
    /// have to be [bounded](super::LoginThrottle).
    pub fn check(&self, code: &str, at: Timestamp) -> Option<u64> {
        let mut digits = [0; DIGITS];
        let mut typed = code.bytes().filter(|byte| *byte != b' ');
        for place in &mut digits {
            *place = typed.next().filter(u8::is_ascii_digit)?;
        }
        if typed.next().is_some() {
            return None;
        }
        let now = at.unix_seconds().div_euclid(STEP);
        let mut matched = None;
        for step in (now.saturating_sub(1)..=now.saturating_add(1)).filter_map(|step| u64::try_from(step).ok()) {
            if verify_slices_are_equal(&self.code(step), &digits).is_ok() {
                matched = Some(step);
            }
        }
        matched
    }

    /// The code of a step (RFC 4226 section 5.3).
    fn code(&self, step: u64) -> [u8; DIGITS] {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.0.expose());
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag.last().copied().unwrap_or_default() & 15);
        let chosen = tag.get(offset..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        let mut number = u32::from_be_bytes(chosen) & 0x7fff_ffff;
        let mut digits = [b'0'; DIGITS];
        for digit in digits.iter_mut().rev() {
            *digit += u8::try_from(number % 10).unwrap_or_default();
            number /= 10;
        }
        digits
    }
}

/// Everything but unreserved characters as `%` and two digits (RFC 3986 section 2.1).
fn escape(text: &str, into: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            into.push(char::from(byte));
        } else {
            let digits = [byte >> 4, byte & 15].into_iter().filter_map(|half| HEX.get(usize::from(half)));
            into.push('%');
            into.extend(digits.map(|digit| char::from(*digit)));
        }
    }
}

impl fmt::Display for NoRandomBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the operating system gives no random bytes")
    }
}

impl std::error::Error for NoRandomBytes {}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> TotpSecret {
        TotpSecret::from_bytes(Secret::from("12345678901234567890"))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    /// RFC 6238 appendix B: the last six of its eight digits.
    #[test]
    fn the_vectors_of_the_rfc() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret().check(code, at(seconds)), u64::try_from(seconds / 30).ok(), "{seconds}");
        }
    }

    #[test]
    fn a_code_is_good_one_step_before_and_after_and_says_which_it_was() {
        let step = 1_111_111_109 / 30;
        // the step ends in the next but one second
        let shifts = [(-60, false), (-59, true), (-30, true), (0, true), (1, true), (30, true), (31, false)];
        for (shift, found) in shifts {
            let told = secret().check("081804", at(1_111_111_109 + shift));
            assert_eq!(told, found.then_some(step), "{shift}");
        }
    }

    #[test]
    fn what_is_no_code_is_none() {
        let now = at(1_111_111_109);
        assert!(secret().check(" 081 804 ", now).is_some());
        for code in ["", "81804", "0818040", "08180a", "081805", "０８１８０４", "081\u{a0}804", "-81804", "000000"]
        {
            assert_eq!(secret().check(code, now), None, "{code}");
        }
    }

    #[test]
    fn the_beginning_and_the_end_of_time_have_codes() {
        let code = |step| String::from_utf8(secret().code(step).to_vec()).unwrap();
        assert_eq!(code(0), "755224"); // RFC 4226 appendix D
        assert_eq!(secret().check("755224", at(0)), Some(0));
        assert_eq!(secret().check(&code(0), at(-30)), Some(0));
        assert_eq!(secret().check(&code(0), Timestamp::MIN), None);
        assert_eq!(secret().check("000000", Timestamp::MAX), None);
    }

    #[test]
    fn secrets_are_of_160_bits_and_printed_nowhere() {
        let (one, other) = (TotpSecret::generate().unwrap(), TotpSecret::generate().unwrap());
        assert_ne!(one, other);
        assert_eq!((one.as_bytes().expose().len(), one.base32().expose().len()), (20, 32));
        assert_eq!(format!("{:?} {:?}", one, one.uri("a", "b")), "TotpSecret(Secret(…)) Secret(…)");
        let uri = secret().uri("Ex:am&ple", "ä=1");
        assert!(uri.expose_text().unwrap().starts_with("otpauth://totp/Ex%3Aam%26ple:%C3%A4%3D1?secret="));
    }
}
