//! What a new password must be like.

use std::fmt;

use zeroize::Zeroizing;

use crate::account::LoginName;
use crate::{ConfigError, Secret};

use super::hash::LONGEST;

/// What a new password must be like. Those that are there already are not asked.
///
/// The default asks for 8 to 256 characters and no more, because length is what helps (NIST SP 800-63B section 3.1.1).
///
/// ```
/// use auth_core::Secret;
/// use auth_core::issue::{CharacterClass, PasswordFault, PasswordPolicy};
///
/// let policy = PasswordPolicy::default().requiring(CharacterClass::Digit).requiring(CharacterClass::Special);
/// let faults = policy.check(&Secret::from("letters"), &[]);
/// let expected = [PasswordFault::TooShort { least: 8 }, PasswordFault::Lacks(CharacterClass::Digit),
///     PasswordFault::Lacks(CharacterClass::Special)];
/// assert_eq!(faults, expected);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    least: usize,
    most: usize,
    /// One bit for each class.
    classes: u8,
    recent: usize,
}

/// A kind of character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CharacterClass {
    /// A capital letter of any script.
    Upper,
    /// A small letter of any script.
    Lower,
    /// A digit.
    Digit,
    /// Whatever is neither a letter nor a digit, a space as well.
    Special,
}

/// One thing that is wrong with a new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordFault {
    /// It has fewer characters.
    TooShort {
        /// How many it must have.
        least: usize,
    },
    /// It has more characters, or more than 1,024 bytes.
    TooLong {
        /// How many it may have.
        most: usize,
    },
    /// It has none of these.
    Lacks(CharacterClass),
    /// A name of the account is in it.
    HoldsName,
    /// It is one of the last so many.
    UsedBefore {
        /// So many.
        last: usize,
    },
    /// It is no text.
    NotText,
}

/// A shorter name is in too many passwords by chance.
const SHORTEST_NAME: usize = 3;

impl PasswordPolicy {
    /// Asks for so many characters, from the least to the most.
    ///
    /// # Errors
    /// Fewer than 8 (ASVS 6.2.1), a most that is less than 64 (ASVS 6.2.9) or than the least, or one above 1,024.
    pub fn length(self, least: usize, most: usize) -> Result<Self, ConfigError> {
        if least < 8 {
            return Err(ConfigError::new("passwords of less than 8 characters are guessed: write 8 or more"));
        }
        if most < least.max(64) || most > LONGEST {
            return Err(ConfigError::new(format!(
                "the longest password must have at least 64 characters, no fewer than the shortest, and at most {LONGEST}"
            )));
        }
        Ok(Self { least, most, ..self })
    }

    /// Asks for at least one character of this class. None is asked for unless this is called.
    #[must_use]
    pub const fn requiring(self, class: CharacterClass) -> Self {
        Self { classes: self.classes | 1 << class as u8, ..self }
    }

    /// Refuses the last so many passwords of the account, the current one included. None is refused unless this is
    /// called. Each takes as long as a login, so at most 24 are looked at.
    #[must_use]
    pub fn not_the_last(self, count: usize) -> Self {
        Self { recent: count.min(24), ..self }
    }

    /// How many of the last passwords are refused.
    pub const fn recent(&self) -> usize {
        self.recent
    }

    /// Everything that is wrong with a password, but for what only hashing can tell.
    ///
    /// A name is in it in whatever case; of an e-mail address, the part before the `@` counts too.
    pub fn check(&self, password: &Secret, names: &[LoginName]) -> Vec<PasswordFault> {
        let Some(text) = password.expose_text() else { return vec![PasswordFault::NotText] };
        let mut faults = Vec::new();
        let length = text.chars().count();
        if length < self.least {
            faults.push(PasswordFault::TooShort { least: self.least });
        }
        if length > self.most || text.len() > LONGEST {
            faults.push(PasswordFault::TooLong { most: self.most });
            return faults; // looking further would take its time
        }
        let lacking = CharacterClass::ALL.into_iter().filter(|class| self.classes >> *class as u8 & 1 == 1);
        faults.extend(lacking.filter(|class| !text.chars().any(|one| class.holds(one))).map(PasswordFault::Lacks));
        if holds_name(text, names) {
            faults.push(PasswordFault::HoldsName);
        }
        faults
    }
}

fn holds_name(text: &str, names: &[LoginName]) -> bool {
    // LoginName would copy the password without wiping the copy
    let small = Zeroizing::new(text.to_lowercase());
    let parts = names.iter().flat_map(|name| {
        let whole: &str = name.folded();
        [whole, whole.split_once('@').map_or(whole, |(local, _)| local)]
    });
    parts.filter(|part| part.chars().count() >= SHORTEST_NAME).any(|part| small.contains(part))
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self { least: 8, most: 256, classes: 0, recent: 0 }
    }
}

impl CharacterClass {
    const ALL: [Self; 4] = [Self::Upper, Self::Lower, Self::Digit, Self::Special];

    fn holds(self, character: char) -> bool {
        match self {
            Self::Upper => character.is_uppercase(),
            Self::Lower => character.is_lowercase(),
            Self::Digit => character.is_numeric(),
            Self::Special => !character.is_alphanumeric(),
        }
    }
}

impl fmt::Display for CharacterClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Upper => "an upper-case letter",
            Self::Lower => "a lower-case letter",
            Self::Digit => "a digit",
            Self::Special => "a special character",
        })
    }
}

/// As a sentence without its subject: `must have at least 8 characters`.
impl fmt::Display for PasswordFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { least } => write!(f, "must have at least {least} characters"),
            Self::TooLong { most } => write!(f, "must have at most {most} characters"),
            Self::Lacks(class) => write!(f, "must have {class} in it"),
            Self::HoldsName => f.write_str("must not have the login name in it"),
            Self::UsedBefore { last: 1 } => f.write_str("must not be the last password"),
            Self::UsedBefore { last } => write!(f, "must not be one of the last {last} passwords"),
            Self::NotText => f.write_str("must be text"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(policy: PasswordPolicy, password: &str, names: &[&str]) -> Vec<String> {
        let names: Vec<_> = names.iter().map(|name| LoginName::fold(name).unwrap()).collect();
        policy.check(&Secret::from(password), &names).iter().map(ToString::to_string).collect()
    }

    fn strict() -> PasswordPolicy {
        CharacterClass::ALL.into_iter().fold(PasswordPolicy::default(), PasswordPolicy::requiring)
    }

    #[test]
    fn length_is_counted_in_characters() {
        let policy = PasswordPolicy::default();
        assert!(faults(policy, "ääääääää", &[]).is_empty());
        assert_eq!(faults(policy, "äääääää", &[]), ["must have at least 8 characters"]);
        assert!(faults(policy, &"𝄞".repeat(256), &[]).is_empty());
        assert_eq!(faults(policy, &"x".repeat(257), &[]), ["must have at most 256 characters"]);
        let long = policy.length(12, 1_024).unwrap();
        assert!(faults(long, &"x".repeat(1_024), &[]).is_empty());
        assert_eq!(faults(long, &"ä".repeat(513), &[]), ["must have at most 1024 characters"], "1,026 bytes");
        for (least, most) in [(7, 64), (8, 63), (100, 99), (8, 1_025)] {
            assert!(policy.length(least, most).is_err(), "{least} {most}");
        }
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let expected = [
            "must have at least 8 characters",
            "must have an upper-case letter in it",
            "must have a lower-case letter in it",
            "must have a digit in it",
            "must have a special character in it",
        ];
        assert_eq!(faults(strict(), "", &[]), expected);
        assert_eq!(faults(strict(), "ada", &["ada"]).len(), 5);
        for good in ["Abcdefg1!", "Ünd 1234", "ÉCOLe été 9"] {
            assert!(faults(strict(), good, &[]).is_empty(), "{good}");
        }
        assert_eq!(PasswordPolicy::default().check(&Secret::new(vec![0xff; 20]), &[]), [PasswordFault::NotText]);
    }

    #[test]
    fn no_name_of_the_account_is_in_it() {
        let policy = PasswordPolicy::default();
        for bad in ["xxada.lovelace1", "ADA.Lovelace-99", "ada.lovelace@example.com"] {
            assert_eq!(faults(policy, bad, &["Ada.Lovelace@example.com"]), ["must not have the login name in it"]);
        }
        for good in ["lovelace ada", "example.com passes"] {
            assert!(faults(policy, good, &["Ada.Lovelace@example.com", "lo"]).is_empty(), "{good}");
        }
    }
}
