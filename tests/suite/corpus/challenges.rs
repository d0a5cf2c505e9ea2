//! A strict reader of `WWW-Authenticate`: challenges that it cannot split, no client can (RFC 9110 section 11.6.1).

/// One challenge.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) scheme: String,
    /// Names in lower case, values unquoted, in order.
    pub(crate) parameters: Vec<(String, String)>,
}

impl Challenge {
    /// The value of a parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Reads one field line: `challenge = auth-scheme [ 1*SP #auth-param ]`, several parted by commas.
///
/// Credentials in the one-token form (`token68`) are no part of any challenge we make, so they are an error here.
pub(crate) fn parse(line: &str) -> Result<Vec<Challenge>, String> {
    let mut reader = Reader { rest: line };
    let mut challenges: Vec<Challenge> = Vec::new();
    loop {
        let name = reader.token()?;
        if let Some(value) = reader.value()? {
            let challenge = challenges.last_mut().ok_or("a parameter before any scheme")?;
            challenge.parameters.push((name.to_ascii_lowercase(), value));
        } else {
            challenges.push(Challenge { scheme: name, parameters: Vec::new() });
            if reader.skip(" ") {
                continue;
            }
        }
        if reader.rest.is_empty() {
            return Ok(challenges);
        }
        if !reader.skip(", ") {
            return Err(format!("a comma is missing before {:?}", reader.rest));
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn skip(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn token(&mut self) -> Result<String, String> {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        let end = self.rest.find(|c| !is_token(c)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(end);
        if token.is_empty() {
            return Err(format!("a name is missing before {rest:?}"));
        }
        self.rest = rest;
        Ok(token.to_owned())
    }

    /// The value behind an equals sign, if there is one.
    fn value(&mut self) -> Result<Option<String>, String> {
        if !self.skip("=") {
            return Ok(None);
        }
        if !self.skip("\"") {
            return self.token().map(Some);
        }
        let mut value = String::new();
        let mut characters = self.rest.char_indices();
        while let Some((index, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = &self.rest[index + 1..];
                    return Ok(Some(value));
                }
                '\\' => value.push(characters.next().ok_or("a backslash at the end")?.1),
                other => value.push(other),
            }
        }
        Err("a quote is not closed".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b19_challenges_are_split_where_they_begin() {
        let challenges = parse(r#"Bearer realm="a, b", error="x", ApiKey realm="c""#).unwrap();
        assert_eq!(challenges.len(), 2);
        assert_eq!(challenges[0].parameter("realm"), Some("a, b"));
        assert_eq!(challenges[0].parameters.len(), 2);
        assert_eq!(challenges[1].scheme, "ApiKey");
    }

    #[test]
    fn what_cannot_be_split_is_an_error() {
        for line in
            ["", "=", "Bearer realm=\"a", "Bearer realm=\"a\" error=\"b\"", "Bearer ,", "realm=\"a\"", "Bearer abc=="]
        {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
