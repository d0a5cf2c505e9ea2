//! What a token was made of.

use std::sync::Arc;

use super::issuer::Trusted;
use super::time::numeric_date;
use crate::json::{Object, Value};
use crate::origin::Origin;
use crate::rejection::CredentialFault;

impl Trusted {
    /// What the token was made of, where its issuer says so. What cannot be read must not let it outlive what it came of.
    pub(super) fn origins(&self, members: Object<'_, '_>) -> Result<Option<Arc<[Origin]>>, CredentialFault> {
        let Some(claim) = self.mapping.origins.as_ref().and_then(|path| path.find(members)) else { return Ok(None) };
        let items = claim.items().ok_or(CredentialFault::Claims)?;
        items.map(|item| self.origin(item)).collect::<Result<_, _>>().map(Some)
    }

    fn origin(&self, item: Value<'_>) -> Result<Origin, CredentialFault> {
        let mut origin = Origin::new(Arc::clone(&self.name), "");
        for (name, value) in item.members().ok_or(CredentialFault::Claims)? {
            let text = || value.as_str().map(Arc::<str>::from).ok_or(CredentialFault::Claims);
            match &*name.decode() {
                "iss" => origin.issuer = text()?,
                "sub" => origin.subject = text()?,
                "jti" => origin.credential_id = Some(text()?),
                "sid" => origin.session = Some(text()?),
                "iat" => origin.issued = numeric_date(Some(value))?,
                _ => return Err(CredentialFault::Claims),
            }
        }
        if origin.subject.is_empty() { Err(CredentialFault::Claims) } else { Ok(origin) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clock::Timestamp;
    use crate::verify::jwt::ClaimMapping;
    use crate::verify::jwt::tests::{fault_of, issuer, token, verifier, verify, with};

    #[test]
    fn t24_what_a_token_was_made_of_is_read_where_its_issuer_is_asked_and_refused_in_doubt() {
        let said = json!([
            { "sub": "ada", "jti": "t-1", "sid": "s-1", "iat": 1_700_000_000.000_001 },
            { "iss": "https://other.example", "sub": "client:x" },
        ]);
        let claims = with(&[("origins", said)]);
        let asked = issuer().claims(ClaimMapping::default().origins("origins"));
        assert!(verify(&verifier(issuer()), &token(&claims)).unwrap().origins.is_none(), "a claim like any other");
        let read = verify(&verifier(asked.clone()), &token(&claims)).unwrap();
        let [first, second] = read.origins.as_deref().unwrap() else { panic!("{:?}", read.origins) };
        assert_eq!((&first.issuer, &*first.subject), (&read.issuer, "ada"));
        assert_eq!((first.credential_id.as_deref(), first.session.as_deref()), (Some("t-1"), Some("s-1")));
        assert_eq!(first.issued, Some(Timestamp::from_unix_micros(1_700_000_000_000_001)));
        assert_eq!((&*second.issuer, &*second.subject), ("https://other.example", "client:x"));
        assert_eq!((&second.credential_id, second.issued), (&None, None));
        for doubtful in [
            json!("t-1"),
            json!({ "sub": "ada" }),
            json!(["t-1"]),
            json!([{ "jti": "t-1" }]),
            json!([{ "sub": "" }]),
            json!([{ "sub": 1 }]),
            json!([{ "sub": "ada", "iat": "1" }]),
            json!([{ "sub": "ada", "more": 1 }]),
            json!([{ "sub": "ada" }, null]),
        ] {
            let refused = fault_of(asked.clone(), &with(&[("origins", doubtful.clone())]));
            assert_eq!(refused, Some(CredentialFault::Claims), "{doubtful}");
        }
    }
}
