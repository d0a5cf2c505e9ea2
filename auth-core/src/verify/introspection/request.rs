//! The question (RFC 7662 section 2.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::Secret;
use crate::error::ConfigError;
use crate::fetch::FetchRequest;

/// Asks one endpoint, always as the same client.
pub(super) struct Endpoint {
    url: String,
    authorization: Secret,
}

impl Endpoint {
    /// The client proves itself by HTTP Basic, which every server has to take (RFC 6749 section 2.3.1).
    pub(super) fn new(url: String, client_id: &str, client_secret: &Secret) -> Result<Self, ConfigError> {
        let secret = client_secret.expose_text().filter(|secret| !secret.is_empty());
        let secret = secret.ok_or_else(|| ConfigError::new("the client's secret is empty or not UTF-8"))?;
        if client_id.is_empty() {
            return Err(ConfigError::new("the client's id is empty; write what this service is registered as"));
        }
        // both are encoded like in a form before they are joined
        let pair = Zeroizing::new([&*form_encoded(client_id), ":", &*form_encoded(secret)].concat());
        let value = Zeroizing::new(["Basic ", &*Zeroizing::new(STANDARD.encode(pair.as_bytes()))].concat());
        Ok(Self { url, authorization: Secret::from(value.as_str()) })
    }

    pub(super) fn question(&self, token: &str) -> FetchRequest {
        let token = form_encoded(token);
        let form = Zeroizing::new(["token=", &*token, "&token_type_hint=access_token"].concat());
        let mut request = FetchRequest::post(self.url.as_str(), Secret::from(form.as_str()));
        request.authorization = Some(self.authorization.clone());
        request
    }
}

/// A value as forms have it (RFC 6749 appendix B).
fn form_encoded(value: &str) -> Zeroizing<String> {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let hex = |digit: u8| HEX.get(usize::from(digit)).copied().unwrap_or_default();
    // all at once: memory that grows leaves copies behind
    let mut encoded = Zeroizing::new(String::with_capacity(3 * value.len()));
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => encoded.push(byte.into()),
            b' ' => encoded.push('+'),
            _ => encoded.extend(['%', hex(byte >> 4), hex(byte & 15)]),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_the_standard_has_it() {
        // RFC 6749 appendix B
        let appendix = " %&+\u{a3}\u{20ac}";
        assert_eq!(*form_encoded(appendix), "+%25%26%2B%C2%A3%E2%82%AC");
        assert_eq!(*form_encoded("aZ09*-._~/=:"), "aZ09*-._%7E%2F%3D%3A");
    }

    #[test]
    fn id_and_secret_are_encoded_before_they_are_joined() {
        let endpoint = Endpoint::new("https://as.example/i".to_owned(), "my:id", &"a b/\u{e9}".into());
        let request = endpoint.expect("a good client").question("a+b/c=");
        let expected = format!("Basic {}", STANDARD.encode("my%3Aid:a+b%2F%C3%A9"));
        assert_eq!(request.authorization.as_ref().and_then(Secret::expose_text), Some(&*expected));
        let form = request.form.as_ref().and_then(Secret::expose_text);
        assert_eq!(form, Some("token=a%2Bb%2Fc%3D&token_type_hint=access_token"));
        assert!(!format!("{request:?}").contains("b%2F"), "{request:?}");
    }

    #[test]
    fn a_client_that_could_not_prove_itself_is_a_mistake() {
        let made = |id: &str, secret: Secret| Endpoint::new(String::new(), id, &secret).map(|_| ());
        assert!(made("", "x".into()).is_err());
        assert!(made("id", "".into()).is_err());
        assert!(made("id", Secret::new(vec![0xff])).is_err());
    }
}
