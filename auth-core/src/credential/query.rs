//! Query parameters of one name.

/// Calls `found` with the value of each parameter of that name, as sent.
///
/// An escaped spelling of the name is the name: what the application will read must be counted here. Values are not
/// decoded: a token needs no escapes.
pub(super) fn each<'a>(query: &'a str, name: &str, mut found: impl FnMut(&'a [u8])) {
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if reads_as(key, name) {
            found(value.as_bytes());
        }
    }
}

/// Whether the key is the name once its escapes are decoded.
fn reads_as(key: &str, name: &str) -> bool {
    if !key.contains('%') {
        return key == name;
    }
    let mut rest = key.as_bytes();
    name.bytes().all(|expected| {
        let (byte, behind) = match rest {
            [b'%', high, low, behind @ ..] => (escaped(*high, *low), behind),
            [byte, behind @ ..] => (Some(*byte), behind),
            [] => return false,
        };
        rest = behind;
        byte == Some(expected)
    }) && rest.is_empty()
}

fn escaped(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(query: &str) -> Vec<&[u8]> {
        let mut values = Vec::new();
        each(query, "access_token", |value| values.push(value));
        values
    }

    #[test]
    fn escaped_spellings_of_the_name_count() {
        assert_eq!(all("access_token=a&access%5Ftoken=b&%61ccess_token=c"), [b"a", b"b", b"c"]);
        assert_eq!(all("x=1&access_token"), [b""]);
        assert!(all("Access_token=a&access_token2=b&access_toke=c&access%5token=d&access_toke%6").is_empty());
    }
}
