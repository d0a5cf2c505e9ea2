//! What the response to a request gets beside the fields of whoever makes it.

use std::ops::Range;

use crate::reply::Reply;

/// Fields that the response to an admitted request must have beside those of the service.
///
/// All values lie in one text, which an adapter can share among them instead of copying each. They are carried
/// about as one pointer, since many requests have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseFields(Option<Box<Written>>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Written {
    text: String,
    marks: [Mark; KNOWN.len()],
    count: usize,
}

/// One field of the text: it ends there, and begins where the one before ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mark {
    known: u8,
    end: u32,
}

/// What becomes of fields of the same name that the service set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// They go, because the field has one value only.
    Replaced,
    /// They stay, and the value is a further line of the list.
    Kept,
}

/// Every name that occurs, in lower case.
///
/// A request has one identifier, and it is the one in the log. The three custom fields describe one budget together, so those of a service behind go. In the lists of the draft
/// every policy has a member of its own, and what a service behind says of its policies holds as well: an intermediary
/// must not make a quota look more generous than it is (RateLimit-11 section 6). Of cache directives that conflict, the
/// most restrictive counts (RFC 9111 section 4.2.1).
const KNOWN: [(&str, Existing); 7] = [
    ("x-request-id", Existing::Replaced),
    ("x-ratelimit-limit", Existing::Replaced),
    ("x-ratelimit-remaining", Existing::Replaced),
    ("x-ratelimit-reset", Existing::Replaced),
    ("ratelimit-policy", Existing::Kept),
    ("ratelimit", Existing::Kept),
    ("cache-control", Existing::Kept),
];

impl ResponseFields {
    /// The fields that `write` appends to the text: it says the name of each and where its value ends. Room is made for
    /// so many bytes.
    pub(super) fn written(bytes: usize, write: impl FnOnce(&mut String, &mut dyn FnMut(&str, usize))) -> Self {
        let mut fields = Box::<Written>::default();
        let mut text = String::with_capacity(bytes);
        write(&mut text, &mut |name, end| fields.mark(name, end));
        fields.text = text;
        Self((fields.count > 0).then_some(fields))
    }

    /// Adds one field of those that are known; each at most once.
    pub(super) fn push(&mut self, name: &str, value: &str) {
        let fields = self.0.get_or_insert_default();
        fields.text.push_str(value);
        fields.mark(name, fields.text.len());
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Name in lower case, value, and what becomes of the service's own.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str, Existing)> {
        self.0.iter().flat_map(|fields| {
            let value = |(name, range, existing)| (name, fields.text.get(range).unwrap_or_default(), existing);
            fields.places().map(value)
        })
    }

    /// The text, and where in it the values are.
    pub fn into_parts(self) -> (String, impl Iterator<Item = (&'static str, Range<usize>, Existing)>) {
        let mut fields = self.0.unwrap_or_default();
        (std::mem::take(&mut fields.text), fields.places())
    }

    /// Gives the fields to a reply of the gate's own.
    pub(super) fn add_to(self, reply: &mut Reply) {
        reply.fields.extend(self.iter().map(|(name, value, _)| (name.into(), value.to_owned().into())));
    }
}

impl Written {
    /// The value of a name that is not known stays in the text, and in no field.
    fn mark(&mut self, name: &str, end: usize) {
        let known = (0_u8..).zip(KNOWN).find(|(_, (known, _))| *known == name).map_or(u8::MAX, |(known, _)| known);
        let Some(mark) = self.marks.get_mut(self.count) else { return };
        *mark = Mark { known, end: u32::try_from(end).unwrap_or(u32::MAX) };
        self.count += 1;
    }

    /// Names, places in the text, and what becomes of the service's own.
    fn places(&self) -> impl Iterator<Item = (&'static str, Range<usize>, Existing)> + use<> {
        let mut begin = 0;
        self.marks.into_iter().take(self.count).filter_map(move |mark| {
            let end = usize::try_from(mark.end).ok()?;
            let range = std::mem::replace(&mut begin, end)..end;
            let (name, existing) = *KNOWN.get(usize::from(mark.known))?;
            Some((name, range, existing))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_found_again() {
        let mut fields = ResponseFields::default();
        assert!(fields.is_empty());
        for (name, value) in
            [("cache-control", "private"), ("ratelimit", ""), ("x-other", "no"), ("x-ratelimit-reset", "7")]
        {
            fields.push(name, value);
        }
        let all: Vec<_> = fields.iter().collect();
        let expected = [
            ("cache-control", "private", Existing::Kept),
            ("ratelimit", "", Existing::Kept),
            ("x-ratelimit-reset", "7", Existing::Replaced),
        ];
        assert_eq!(all, expected);
        let (text, places) = fields.into_parts();
        assert!(places.zip(expected).all(|((_, range, _), (_, value, _))| &text[range] == value));
    }
}
