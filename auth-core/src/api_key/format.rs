//! The form of a key: `prefix_environment_` or `prefix_`, random characters, and a checksum at the end.

use crate::ConfigError;
use crate::rejection::CredentialFault;

use super::base62::{self, CHECKSUM_CHARS};
use super::checksum::crc32;

/// Random characters that nobody but the holder may know: 22 of 62 are 130.9 bits, at least 128 (RFC 6749 section
/// 10.10).
const SECRET_CHARS: usize = 22;

/// The default of [`KeyFormat::with_tail`]: 26 random characters are 154 bits, of which four may be shown.
const DEFAULT_TAIL: usize = 32;

/// The default of [`KeyFormat::with_shown`].
const DEFAULT_SHOWN: usize = 12;

/// How the keys of one service look.
///
/// The prefix says whose key it is, the environment which data it opens, and both let secret scanners recognise a
/// leaked key. The last six characters are a CRC-32 of everything before them in base 62: a changed character or a
/// swap of two neighbours is refused without a look-up. The checksum is no secret and no proof of anything.
///
/// ```
/// use auth_core::api_key::KeyFormat;
///
/// let format = KeyFormat::new("sk", ["live", "test"])?;
/// assert_eq!(format.regex(), "sk_(live|test)_[a-zA-Z0-9]{32}");
/// assert_eq!(KeyFormat::new("acme", [])?.with_tail(28)?.regex(), "acme_[a-zA-Z0-9]{28}");
/// # Ok::<(), auth_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFormat {
    /// The prefix with its separator.
    prefix: String,
    /// How keys begin, for each environment; one beginning without an environment where there are none.
    starts: Vec<Start>,
    /// Characters behind the last separator, checksum included.
    tail: usize,
    /// Characters at the start of a key that may be shown, where the configuration chose.
    shown: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Start {
    environment: Option<String>,
    text: String,
}

/// What the form of a key says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParsedKey<'f> {
    /// The environment the key names; `None` where the format has no environments.
    pub environment: Option<&'f str>,
}

impl KeyFormat {
    /// Keys with this prefix, and with one of these environments behind it; no environments, no such part.
    ///
    /// # Errors
    /// The prefix begins with a letter and goes on with letters, digits, `_` and `-`, at most 32 in all. Environments
    /// are 1 to 16 letters and digits, and differ.
    pub fn new<'a>(prefix: &str, environments: impl IntoIterator<Item = &'a str>) -> Result<Self, ConfigError> {
        if !is_prefix(prefix) {
            return Err(ConfigError::new(format!(
                "`{prefix}` cannot be the prefix of keys: write a letter and up to 31 letters, digits, `_` or `-`"
            )));
        }
        let prefix = format!("{prefix}_");
        let mut starts: Vec<Start> = Vec::new();
        for environment in environments {
            if !is_environment(environment) {
                return Err(ConfigError::new(format!(
                    "`{environment}` cannot be an environment of keys: write 1 to 16 letters and digits"
                )));
            }
            if starts.iter().any(|start| start.environment.as_deref() == Some(environment)) {
                return Err(ConfigError::new(format!("the environment `{environment}` is listed twice")));
            }
            starts.push(Start { environment: Some(environment.to_owned()), text: format!("{prefix}{environment}_") });
        }
        if starts.is_empty() {
            starts.push(Start { environment: None, text: prefix.clone() });
        }
        Ok(Self { prefix, starts, tail: DEFAULT_TAIL, shown: None })
    }

    /// How many characters stand behind the last separator, the six of the checksum included. The default is 32.
    ///
    /// # Errors
    /// Fewer than 28 leave less than 128 random bits (RFC 6749 section 10.10); more than 128 only cost bytes.
    pub fn with_tail(mut self, chars: usize) -> Result<Self, ConfigError> {
        const LEAST: usize = SECRET_CHARS + CHECKSUM_CHARS;
        if !(LEAST..=128).contains(&chars) {
            return Err(ConfigError::new(format!(
                "{chars} characters behind the prefix of a key are out of range: write {LEAST} to 128"
            )));
        }
        self.tail = chars;
        Ok(self)
    }

    /// How many characters at the start of a key may be shown, for support and for lists. The default is 12, or as
    /// many fewer as it takes to keep 128 random bits unseen.
    ///
    /// # Errors
    /// More than that would leave fewer than 128 bits to be guessed by whoever has seen a list.
    pub fn with_shown(mut self, chars: usize) -> Result<Self, ConfigError> {
        let most = self.most_shown();
        if chars > most {
            return Err(ConfigError::new(format!(
                "showing {chars} characters of a key gives too much of it away: show at most {most}"
            )));
        }
        self.shown = Some(chars);
        Ok(self)
    }

    /// Whether the text begins like a key of this format; what follows may still be wrong.
    pub fn recognises(&self, text: &str) -> bool {
        text.starts_with(&self.prefix)
    }

    /// Reads a key's form and checks its checksum. Looks nothing up and allocates nothing.
    ///
    /// # Errors
    /// [`CredentialFault::Malformed`] where prefix, environment, length, alphabet or checksum are not those of a key.
    pub fn parse(&self, text: &str) -> Result<ParsedKey<'_>, CredentialFault> {
        let start = self.start_of(text).ok_or(CredentialFault::Malformed)?;
        let (covered, checksum) = text.as_bytes().split_at(text.len() - CHECKSUM_CHARS);
        if base62::value(checksum) != Some(u64::from(crc32(covered))) {
            return Err(CredentialFault::Malformed);
        }
        Ok(ParsedKey { environment: start.environment.as_deref() })
    }

    /// Whether start, length and alphabet are those of a key, whatever the checksum.
    pub(crate) fn is_formed(&self, text: &str) -> bool {
        self.start_of(text).is_some()
    }

    fn start_of(&self, text: &str) -> Option<&Start> {
        let strip = |start: &'_ Start| text.strip_prefix(start.text.as_str()).map(str::as_bytes);
        let (start, tail) = self.starts.iter().find_map(|start| strip(start).map(|tail| (start, tail)))?;
        (tail.len() == self.tail && tail.iter().all(u8::is_ascii_alphanumeric)).then_some(start)
    }

    /// A regular expression that matches every key of this format, for secret scanners.
    ///
    /// It is not anchored: put `\b` around it to search in text, or `^` and `$` to check a whole string. It holds no
    /// construct beyond literals, one group, one class and one counted repetition, so every dialect reads it. It
    /// cannot express the checksum; a scanner that can run code may ask [`parse`](Self::parse) as well.
    pub fn regex(&self) -> String {
        let names: Vec<&str> = self.environments().collect();
        let environment = match names.as_slice() {
            [] => String::new(),
            [only] => format!("{only}_"),
            several => format!("({})_", several.join("|")),
        };
        format!("{}{environment}[a-zA-Z0-9]{{{}}}", self.prefix, self.tail)
    }

    /// The environments in the order in which they were given.
    pub fn environments(&self) -> impl Iterator<Item = &str> {
        self.starts.iter().filter_map(|start| start.environment.as_deref())
    }

    /// The start of a key that may be shown to its owner and to support.
    pub fn shown_part<'k>(&self, key: &'k str) -> &'k str {
        let most = self.most_shown();
        key.get(..self.shown.unwrap_or(DEFAULT_SHOWN).min(most)).unwrap_or_default()
    }

    /// How a key of the environment begins.
    #[cfg(feature = "issue")]
    pub(crate) fn start(&self, environment: Option<&str>) -> Option<&str> {
        self.starts.iter().find(|start| start.environment.as_deref() == environment).map(|start| start.text.as_str())
    }

    /// How many characters of a key are random.
    #[cfg(feature = "issue")]
    pub(crate) const fn random_chars(&self) -> usize {
        self.tail - CHECKSUM_CHARS
    }

    /// The prefix, and what is random beyond the part that has to stay unseen.
    fn most_shown(&self) -> usize {
        let start = self.starts.iter().map(|start| start.text.len()).min().unwrap_or_default();
        start + self.tail - CHECKSUM_CHARS - SECRET_CHARS
    }
}

fn is_prefix(text: &str) -> bool {
    text.len() <= 32
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn is_environment(text: &str) -> bool {
    (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(start: &str, random: &str) -> String {
        let covered = format!("{start}{random}");
        let digits = base62::checksum_digits(&covered);
        covered + std::str::from_utf8(&digits).unwrap()
    }

    #[test]
    fn u1_the_form_is_read_and_the_environment_told() {
        let format = KeyFormat::new("sk", ["live", "test"]).unwrap();
        for environment in ["live", "test"] {
            let key = key(&format!("sk_{environment}_"), "1234567890abcdef1234567890");
            assert_eq!(format.parse(&key).unwrap().environment, Some(environment));
        }
        let unknown = key("sk_prod_", "1234567890abcdef1234567890");
        assert!(format.recognises(&unknown));
        assert_eq!(format.parse(&unknown), Err(CredentialFault::Malformed));
    }

    #[test]
    fn v3_keys_need_no_environment() {
        let format = KeyFormat::new("acme", []).unwrap();
        let key = key("acme_", "1234567890abcdef1234567890");
        assert_eq!(format.parse(&key).unwrap().environment, None);
        assert!(!format.recognises("eyJhbGciOiJIUzI1NiJ9.e30."));
    }

    #[test]
    fn text_of_any_shape_is_refused_without_panic() {
        let format = KeyFormat::new("sk", ["live"]).unwrap();
        for text in ["", "sk_", "sk_live_", "sk_live_é", "sk_live_000000", &format!("sk_live_{}", "é".repeat(16))] {
            assert_eq!(format.parse(text), Err(CredentialFault::Malformed), "{text}");
        }
    }

    #[test]
    fn what_may_be_shown_leaves_128_bits_unseen() {
        let format = KeyFormat::new("sk", ["live", "test"]).unwrap();
        assert_eq!(format.shown_part(&key("sk_live_", "1234567890abcdef1234567890")), "sk_live_1234");
        assert!(format.clone().with_shown(13).is_err());
        assert_eq!(format.with_shown(3).unwrap().shown_part(&key("sk_live_", "1234567890abcdef1234567890")), "sk_");
        let short = KeyFormat::new("k", []).unwrap().with_tail(28).unwrap();
        assert_eq!(short.shown_part(&key("k_", "1234567890abcdef123456")), "k_");
    }

    #[test]
    fn slips_in_the_format_are_named() {
        for (prefix, environments) in
            [("", &["live"][..]), ("1k", &[]), ("k k", &[]), ("k", &["a_b"]), ("k", &["a", "a"])]
        {
            assert!(KeyFormat::new(prefix, environments.iter().copied()).is_err(), "{prefix} {environments:?}");
        }
        assert!(KeyFormat::new("k", []).unwrap().with_tail(27).is_err());
        assert!(KeyFormat::new("k", []).unwrap().with_tail(129).is_err());
    }
}
