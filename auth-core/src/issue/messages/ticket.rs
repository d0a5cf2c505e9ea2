//! Tickets: proof that somebody reads a mailbox.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::Secret;
use crate::account::AccountRecord;
use crate::api_key::{KeyDigest, KeyHasher, Peppers};
use crate::clock::Timestamp;

use super::MessageKind;

/// The longest ticket that is looked at, several times what one is.
const LONGEST: usize = 512;

/// A ticket as somebody shows it: whose it says it is and when it says it ends, neither of which is believed yet.
pub(in crate::issue) struct Ticket {
    account: String,
    ends: i64,
    tag: Vec<u8>,
}

/// A new ticket; `None` where the account has no address.
pub(in crate::issue) fn ticket(
    kind: MessageKind,
    account: &AccountRecord,
    ends: Timestamp,
    peppers: &Peppers,
) -> Option<Secret> {
    let ends = ends.unix_seconds();
    let tag = tag(kind, account, ends, peppers.current())?;
    let head = [&ends.to_be_bytes()[..], account.id.as_bytes()].concat();
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    Some(Secret::from(format!("{}.{}", encode(&head), encode(tag.as_bytes()))))
}

impl Ticket {
    /// Reads a ticket; `None` where it cannot be one.
    pub(in crate::issue) fn read(text: &Secret) -> Option<Self> {
        let text = text.expose_text().filter(|text| text.len() <= LONGEST)?;
        let (head, tag) = text.split_once('.')?;
        let (head, tag) = (URL_SAFE_NO_PAD.decode(head).ok()?, URL_SAFE_NO_PAD.decode(tag).ok()?);
        let (ends, account) = head.split_first_chunk()?;
        let account = std::str::from_utf8(account).ok()?.to_owned();
        Some(Self { account, ends: i64::from_be_bytes(*ends), tag })
    }

    /// Whose it says it is.
    pub(in crate::issue) fn account(&self) -> &str {
        &self.account
    }

    /// Whether it is one of that kind for the account as it is now.
    pub(in crate::issue) fn is_good(
        &self,
        kind: MessageKind,
        account: &AccountRecord,
        peppers: &Peppers,
        now: Timestamp,
    ) -> bool {
        let is_of = |pepper: &KeyHasher| {
            let tag = tag(kind, account, self.ends, pepper);
            tag.is_some_and(|tag| verify_slices_are_equal(tag.as_bytes(), &self.tag).is_ok())
        };
        let is_in_time = now < Timestamp::from_unix_seconds(self.ends);
        is_in_time && *self.account == *account.id && peppers.iter().any(is_of)
    }
}

/// The keyed hash over everything that a ticket stands for. Texts go with their lengths, so that no two accounts come to
/// the same bytes, and the label is one that no credential begins with: nothing in a store was hashed like this.
fn tag(kind: MessageKind, account: &AccountRecord, ends: i64, pepper: &KeyHasher) -> Option<KeyDigest> {
    let AccountRecord { id, generation, password_changed, .. } = account;
    let email = account.email.as_ref()?.written();
    let (ids, emails) = (id.len(), email.len());
    let changed = password_changed.map_or_else(|| "never".to_owned(), |at| at.unix_micros().to_string());
    Some(pepper.digest(&format!("\0ticket {kind} {ids}:{id} {emails}:{email} {generation} {changed} {ends}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::LoginName;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
    const END: Timestamp = Timestamp::from_unix_seconds(1_800_001_800);

    fn pepper(id: &str) -> KeyHasher {
        KeyHasher::new(id, &Secret::new(id.repeat(32).into_bytes())).unwrap()
    }

    fn ada() -> AccountRecord {
        let mut account = AccountRecord::new("user_1", NOW);
        account.email = Some(LoginName::fold("Ada@example.com").unwrap());
        account.generation = 3;
        account.password_changed = Some(NOW);
        account
    }

    fn is_good(text: &Secret, kind: MessageKind, account: &AccountRecord, peppers: &Peppers, now: Timestamp) -> bool {
        Ticket::read(text).is_some_and(|ticket| ticket.is_good(kind, account, peppers, now))
    }

    #[test]
    fn a_ticket_is_good_for_what_it_was_made_for_and_for_nothing_else() {
        let peppers = Peppers::new(pepper("a"));
        for kind in MessageKind::ALL {
            let text = ticket(kind, &ada(), END, &peppers).unwrap();
            assert_eq!(Ticket::read(&text).unwrap().account(), "user_1");
            assert!(is_good(&text, kind, &ada(), &peppers, NOW));
            let changes: [fn(&mut AccountRecord); 7] = [
                |account| account.id = "user_2".into(),
                |account| account.email = Some(LoginName::fold("ada@example.com").unwrap()),
                |account| account.email = None,
                |account| account.generation += 1,
                |account| account.generation -= 1,
                |account| account.password_changed = Some(END),
                |account| account.password_changed = None,
            ];
            for change in changes {
                let mut other = ada();
                change(&mut other);
                assert!(!is_good(&text, kind, &other, &peppers, NOW), "{other:?}");
            }
            for other in MessageKind::ALL.into_iter().filter(|other| *other != kind) {
                assert!(!is_good(&text, other, &ada(), &peppers, NOW), "{kind} as {other}");
            }
            let second = std::time::Duration::from_secs(1);
            assert!(is_good(&text, kind, &ada(), &peppers, END.saturating_sub(second)));
            assert!(!is_good(&text, kind, &ada(), &peppers, END));
        }
        let mut nowhere = ada();
        nowhere.email = None;
        assert!(ticket(MessageKind::ResetPassword, &nowhere, END, &peppers).is_none());
    }

    #[test]
    fn a_ticket_with_any_other_bit_is_none() {
        let peppers = Peppers::new(pepper("a"));
        let text = ticket(MessageKind::ResetPassword, &ada(), END, &peppers).unwrap();
        let text = text.expose_text().unwrap();
        let refused = |other: String| {
            let refused = !is_good(&Secret::from(other.as_str()), MessageKind::ResetPassword, &ada(), &peppers, NOW);
            assert!(refused, "{other}");
        };
        for (at, char) in text.char_indices() {
            // another end, another account, another hash: also where the last character holds bits that are not used
            for other in "Ab9-_.=".chars().filter(|other| *other != char) {
                let mut flipped = text.to_owned();
                flipped.replace_range(at..=at, other.encode_utf8(&mut [0; 4]));
                refused(flipped);
            }
            refused(text[..at].to_owned());
        }
        refused(format!("{text}A"));
        refused(format!("{text}="));
        refused(format!("{text}.{text}"));
        refused("A".repeat(LONGEST + 1));
        refused(String::new());
    }

    #[test]
    fn a_ticket_outlives_its_pepper_as_long_as_that_is_among_the_older_ones() {
        let old = Peppers::new(pepper("a"));
        let text = ticket(MessageKind::VerifyEmail, &ada(), END, &old).unwrap();
        let rotated = Peppers::new(pepper("b")).with_previous(pepper("a")).unwrap();
        assert!(is_good(&text, MessageKind::VerifyEmail, &ada(), &rotated, NOW));
        assert!(!is_good(&text, MessageKind::VerifyEmail, &ada(), &Peppers::new(pepper("b")), NOW));
        let new = ticket(MessageKind::VerifyEmail, &ada(), END, &rotated).unwrap();
        assert!(!is_good(&new, MessageKind::VerifyEmail, &ada(), &old, NOW), "made with the newest");
    }
}
