//! Names that people log in with, and when two spellings are one name.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizer, DecomposingNormalizer};
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

/// The longest name in bytes, as written and folded: the longest e-mail address there is (RFC 5321 section 4.5.3.1.3).
const LONGEST: usize = 254;

/// An e-mail address or user name as it was written, together with its folded form.
///
/// Two names are equal where their folded forms are: case, full and half width, ligatures, the order and composition of
/// accents, and characters that nobody sees make no difference (Unicode's identifier caseless match, D147). So "Ada",
/// "ADA" and "Ａｄａ" lead to one account and one counter. Letters of two scripts that merely look alike stay different.
///
/// ```
/// use auth_core::account::LoginName;
///
/// let name = LoginName::fold(" Ａda@Example.com ")?;
/// assert_eq!(&**name.folded(), "ada@example.com");
/// assert_eq!(&**name.written(), "Ａda@Example.com");
/// assert_eq!(name, LoginName::fold("ADA@EXAMPLE.COM")?);
/// # Ok::<(), auth_core::account::LoginNameError>(())
/// ```
#[derive(Clone)]
pub struct LoginName {
    written: Arc<str>,
    folded: Arc<str>,
}

/// Why a text is no login name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginNameError {
    /// Nothing of it can be seen.
    Empty,
    /// It has more than 254 bytes, as written or folded.
    TooLong,
    /// It has a control character in it.
    ControlCharacter,
}

impl LoginName {
    /// Reads a name; white space around it does not belong to it.
    ///
    /// # Errors
    /// [`LoginNameError`]; a text of any length is refused without much work.
    pub fn fold(text: &str) -> Result<Self, LoginNameError> {
        let written = text.trim();
        if written.len() > LONGEST {
            return Err(LoginNameError::TooLong);
        }
        // one of them in a log or a mail's header would begin another line (S16)
        if written.chars().any(char::is_control) {
            return Err(LoginNameError::ControlCharacter);
        }
        let folded = folded(written);
        match folded.len() {
            0 => Err(LoginNameError::Empty),
            length if length > LONGEST => Err(LoginNameError::TooLong),
            _ => Ok(Self { written: written.into(), folded }),
        }
    }

    /// The form in which names are compared, looked up and counted.
    pub fn folded(&self) -> &Arc<str> {
        &self.folded
    }

    /// The name as it was written, without the white space around it: for people, and for sending mail.
    pub fn written(&self) -> &Arc<str> {
        &self.written
    }
}

/// Folds until nothing changes any more, so that folding what is folded changes nothing. ASCII is there at once, and
/// everything known after two rounds.
fn folded(written: &str) -> Arc<str> {
    if written.is_ascii() {
        return written.to_ascii_lowercase().into();
    }
    let mut text = Cow::Borrowed(written);
    for _ in 0..8 {
        let next = folded_once(&text);
        if next == text {
            break;
        }
        text = Cow::Owned(next);
    }
    (&*text).into()
}

/// Decomposes, leaves out what cannot be seen, folds case, composes: `NFKC_Casefold`, and trimmed, since some symbols
/// compose to white space.
fn folded_once(text: &str) -> String {
    let decomposed = DecomposingNormalizer::new_nfkd().normalize(text);
    let unseen = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let seen: String = decomposed.chars().filter(|char| !unseen.contains(*char)).collect();
    let caseless = CaseMapper::new().fold_string(&seen);
    ComposingNormalizer::new_nfkc().normalize(&caseless).trim().to_owned()
}

impl PartialEq for LoginName {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Eq for LoginName {}

impl Hash for LoginName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
    }
}

/// As it was written.
impl fmt::Display for LoginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl fmt::Debug for LoginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LoginName").field(&self.written).finish()
    }
}

impl fmt::Display for LoginNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the name is empty: write at least one visible character",
            Self::TooLong => "the name is too long: write at most 254 bytes",
            Self::ControlCharacter => "the name has a control character in it: leave it out",
        })
    }
}

impl std::error::Error for LoginNameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s5_spellings_of_one_name_are_one_name() {
        for (one, other) in [
            ("ada@example.com", " ADA@Example.COM\r\n"),
            ("Ａｄａ", "ada"),
            ("straße", "STRASSE"),
            ("ﬁona", "FIONA"),
            ("o\u{308}zil", "ÖZIL"),
            ("Ⅷ", "viii"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("a\u{200b}d\u{ad}a\u{feff}", "ada"),
            ("ｶﾞ", "ガ"),
            ("\u{212b}sa", "åSA"),
            ("ada\u{3000}", "ada"),
            ("q\u{307}\u{323}", "Q\u{323}\u{307}"),
            ("İda", "i\u{307}da"),
        ] {
            assert_eq!(LoginName::fold(one), LoginName::fold(other), "{one:?} {other:?}");
        }
        for (one, other) in [("ada", "adа"), ("ada", "ädа"), ("a da", "ada"), ("ı", "i"), ("a.da", "ada")] {
            assert_ne!(LoginName::fold(one), LoginName::fold(other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = |text: &str, times: usize| LoginName::fold(&text.repeat(times));
        assert!(long("a", 254).is_ok());
        assert_eq!(long("a", 255), Err(LoginNameError::TooLong));
        // one character that becomes eighteen
        assert_eq!(long("\u{fdfa}", 84), Err(LoginNameError::TooLong));
        for (text, error) in [
            ("", LoginNameError::Empty),
            (" \u{a0}\t", LoginNameError::Empty),
            ("\u{200b}\u{2060}", LoginNameError::Empty),
            ("a\u{0}b", LoginNameError::ControlCharacter),
            ("a\nb", LoginNameError::ControlCharacter),
            ("a\u{85}b", LoginNameError::ControlCharacter),
        ] {
            assert_eq!(LoginName::fold(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn folding_what_is_folded_changes_nothing_for_any_character() {
        // everything but the thousands of ideographs and syllables, which have neither case nor width
        let scripts =
            ['\u{80}'..='\u{33ff}', '\u{a000}'..='\u{abff}', '\u{f900}'..='\u{16fff}', '\u{1b000}'..='\u{1ffff}'];
        for char in scripts.into_iter().flatten().filter(|char| !char.is_control()) {
            let once = folded(&format!("x{char}y"));
            assert_eq!(folded(&once), once, "{char:?}");
            let cases = [char.to_lowercase().collect::<String>(), char.to_uppercase().collect()];
            // the upper case of ı is the I of i, which is another letter
            if char != 'ı' {
                assert!(cases.iter().all(|case| folded(&format!("x{case}y")) == once), "{char:?}");
            }
        }
    }
}
