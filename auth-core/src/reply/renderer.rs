//! From a rejection and its situation to a complete reply.

use std::borrow::Cow;

use crate::clock::Timestamp;
use crate::credential::Source;
use crate::rejection::Rejection;
use crate::reply::challenge::challenge;
use crate::reply::style::{CodeStyle, ErrorStyle};
use crate::reply::{ErrorFacts, Reply};

/// Turns rejections into replies, all in one style.
#[derive(Debug, Default)]
pub struct Renderer {
    style: ErrorStyle,
}

/// What a reply needs to know of the request it answers.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The request's method: HEAD gets no body.
    pub method: &'a str,
    /// The request's path as sent.
    pub path: &'a str,
    /// The identifier of the request.
    pub request_id: &'a str,
    /// When it was decided.
    pub time: Timestamp,
}

impl Renderer {
    /// A renderer of that style.
    pub fn new(style: ErrorStyle) -> Self {
        Self { style }
    }

    /// The reply to a refusal; `sources` are those the route accepts, each with whether the refused credential came
    /// from it.
    pub fn render<'s>(
        &self,
        rejection: &Rejection,
        situation: &Situation<'_>,
        sources: impl Iterator<Item = (&'s Source, bool)>,
    ) -> Reply {
        let (code, message) = (self.code(rejection), self.message(rejection));
        let facts = ErrorFacts {
            rejection,
            code: &code,
            message: &message,
            path: situation.path,
            request_id: situation.request_id,
            time: situation.time,
        };
        let mut body = self.style.shape.body(&facts);
        let mut fields: Vec<(Cow<'static, str>, Cow<'static, str>)> = Vec::with_capacity(5);
        fields.push((Cow::Borrowed("content-type"), Cow::Borrowed(self.style.shape.content_type())));
        for (source, presented) in sources {
            let challenge = challenge(source, &self.style.realm, rejection, presented);
            fields.extend(challenge.map(|text| (Cow::Borrowed("www-authenticate"), Cow::Owned(text))));
        }
        if let Some(after) = rejection.retry_after() {
            fields.push((Cow::Borrowed("retry-after"), Cow::Owned(after.seconds().to_string())));
        }
        fields.push((Cow::Borrowed("x-request-id"), Cow::Owned(situation.request_id.to_owned())));
        if situation.method == "HEAD" {
            fields.push((Cow::Borrowed("content-length"), Cow::Owned(body.len().to_string())));
            body.clear();
        }
        Reply { status: rejection.status(), fields, body: Cow::Owned(body) }
    }

    fn code(&self, rejection: &Rejection) -> Cow<'_, str> {
        let codes = &self.style.codes;
        if let Some(code) = codes.get(rejection.cause()).or_else(|| codes.get(rejection.code())) {
            return Cow::Borrowed(code);
        }
        let code = self.style.shape.default_code(rejection);
        match self.style.code_style {
            CodeStyle::Snake => Cow::Borrowed(code),
            CodeStyle::UpperSnake => Cow::Owned(code.to_ascii_uppercase()),
        }
    }

    /// The configured words, or ours with all details.
    fn message<'a>(&'a self, rejection: &'a Rejection) -> Cow<'a, str> {
        let messages = &self.style.messages;
        let overridden = messages.get(rejection.cause()).or_else(|| messages.get(rejection.code()));
        overridden.map_or_else(|| rejection.details(), |words| Cow::Borrowed(words))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::rejection::{
        CredentialFault, LimitExceeded, MissingPermissions, Outage, Prohibition, RequestFault, RetryAfter,
    };
    use crate::reply::Shape;

    const SITUATION: Situation<'_> =
        Situation { method: "GET", path: "/v1/x", request_id: "req_1", time: Timestamp::from_unix_seconds(0) };
    const EXPIRED: Rejection = Rejection::InvalidCredential(CredentialFault::Expired);

    fn sources() -> [Source; 3] {
        let header = Source::Header { name: "x-api-key".into() };
        [scheme("Bearer"), header, Source::Cookie { name: "session".into() }]
    }

    fn scheme(name: &'static str) -> Source {
        Source::Authorization { scheme: name.into() }
    }

    fn render(style: ErrorStyle, rejection: &Rejection) -> Reply {
        Renderer::new(style).render(rejection, &SITUATION, std::iter::empty())
    }

    /// The challenges when the first source brought the credential, or none did.
    fn challenges(rejection: &Rejection, presented: bool) -> Vec<String> {
        let sources = sources();
        let marked = sources.iter().enumerate().map(|(index, source)| (source, presented && index == 0));
        let reply = Renderer::default().render(rejection, &SITUATION, marked);
        let fields = reply.fields.into_iter().filter(|(name, _)| name == "www-authenticate");
        fields.map(|(_, value)| value.into_owned()).collect()
    }

    #[test]
    fn every_shape_has_its_members() {
        for (shape, media_type, body) in [
            (
                Shape::Problem,
                "application/problem+json",
                r#"{"type":"about:blank","title":"Unauthorized","status":401,"detail":"The token has expired","code":"invalid_token","request_id":"req_1"}"#,
            ),
            (
                Shape::OAuth,
                "application/json",
                r#"{"error":"invalid_token","error_description":"The token has expired"}"#,
            ),
            (
                Shape::Nested,
                "application/json",
                r#"{"error":{"code":"invalid_token","message":"The token has expired"}}"#,
            ),
            (
                Shape::NestedWithDetails,
                "application/json",
                r#"{"error":{"code":"invalid_token","message":"The token has expired","request_id":"req_1","details":"The token has expired"}}"#,
            ),
            (Shape::Flat, "application/json", r#"{"detail":"The token has expired","error":"invalid_token"}"#),
            (
                Shape::Stamped,
                "application/json",
                r#"{"errorCode":"UNAUTHORIZED","message":"The token has expired","timestamp":"1970-01-01T00:00:00Z","path":"/v1/x"}"#,
            ),
        ] {
            let reply = render(ErrorStyle::new(shape), &EXPIRED);
            assert_eq!((reply.status, reply.field("content-type")), (401, Some(media_type)));
            assert_eq!(String::from_utf8_lossy(&reply.body), body);
        }
    }

    #[test]
    fn the_cause_overrides_before_the_code() {
        let style = ErrorStyle::new(Shape::Flat).codes(CodeStyle::UpperSnake);
        let style = style.code("token_expired", "Expired").unwrap().message("invalid_token", "No").unwrap();
        let body = |rejection| String::from_utf8(render(style.clone(), rejection).body.into_owned()).unwrap();
        assert_eq!(body(&EXPIRED), r#"{"detail":"No","error":"Expired"}"#);
        let forged = Rejection::InvalidCredential(CredentialFault::Signature);
        assert_eq!(body(&forged), r#"{"detail":"No","error":"INVALID_TOKEN"}"#);
    }

    #[test]
    fn b1_b2_b19_without_a_credential_every_source_is_challenged_without_an_error() {
        let expected = [
            r#"Bearer realm="api""#,
            r#"ApiKey realm="api", in="header", name="x-api-key""#,
            r#"Cookie realm="api", cookie-name="session""#,
        ];
        assert_eq!(challenges(&Rejection::MissingCredential, false), expected);
    }

    #[test]
    fn b4_b7_the_error_stands_in_the_challenge_of_the_credential_alone() {
        let all = challenges(&EXPIRED, true);
        assert_eq!(all.len(), 3);
        let error = r#"Bearer realm="api", error="invalid_token", error_description="The token has expired""#;
        assert_eq!(all[0], error);
        assert!(all[1..].iter().all(|challenge| !challenge.contains("error")));
    }

    #[test]
    fn b9_b10_missing_permissions_are_named_in_the_scope() {
        let missing = Rejection::InsufficientPermissions(MissingPermissions { needed: "a b".into() });
        let all = challenges(&missing, true);
        assert_eq!(all.len(), 1);
        assert!(all[0].contains(r#"error="insufficient_scope""#) && all[0].ends_with(r#"scope="a b""#), "{all:?}");
    }

    #[test]
    fn b6_names_that_no_scope_may_hold_are_left_out() {
        let missing = Rejection::InsufficientPermissions(MissingPermissions { needed: "a\"b".into() });
        assert!(!challenges(&missing, true)[0].contains("scope=\""));
    }

    #[test]
    fn b21_a_refusal_that_no_scope_cures_is_not_challenged() {
        assert!(challenges(&Rejection::Forbidden(Prohibition::Tenant), true).is_empty());
        assert!(challenges(&Rejection::InvalidRequest(RequestFault::AmbiguousPath), true).is_empty());
    }

    #[test]
    fn b5_no_message_of_ours_could_break_a_challenge() {
        let faults = RequestFault::ALL.map(Rejection::InvalidRequest).to_vec();
        let credentials = CredentialFault::ALL.map(Rejection::InvalidCredential).to_vec();
        for rejection in faults.into_iter().chain(credentials) {
            let message = rejection.message();
            assert!(
                message.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'),
                "{message}"
            );
        }
    }

    #[test]
    fn s17_l15_the_cause_of_an_outage_stays_inside() {
        let reply = render(ErrorStyle::default(), &Rejection::Unavailable(Outage::new("db.internal refused")));
        assert!(!String::from_utf8_lossy(&reply.body).contains("internal"));
        assert_eq!((reply.status, reply.field("retry-after")), (503, Some("5")));
    }

    #[test]
    fn l1_retry_after_is_at_least_one() {
        let limited =
            |after| Rejection::RateLimited(LimitExceeded { retry_after: after, policies: vec!["hour".to_owned()] });
        let soon = render(ErrorStyle::default(), &limited(Some(RetryAfter(Duration::ZERO))));
        assert_eq!((soon.status, soon.field("retry-after")), (429, Some("1")));
        assert_eq!(render(ErrorStyle::default(), &limited(None)).field("retry-after"), None);
    }

    #[test]
    fn l11_a_problem_names_every_limit_that_was_exceeded() {
        let policies = vec!["plan hour".to_owned(), "tenant".to_owned()];
        let limited = Rejection::RateLimited(LimitExceeded { retry_after: None, policies });
        let body = String::from_utf8(render(ErrorStyle::default(), &limited).body.into_owned()).unwrap();
        assert_eq!(
            body,
            r#"{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","title":"Request cannot be satisfied as assigned quota has been exceeded","status":429,"detail":"Too many requests","code":"rate_limit_exceeded","request_id":"req_1","violated-policies":["plan hour","tenant"]}"#
        );
        let by_the_application = Rejection::RateLimited(LimitExceeded::default());
        let body = String::from_utf8(render(ErrorStyle::default(), &by_the_application).body.into_owned()).unwrap();
        assert!(body.contains(r#""type":"about:blank","title":"Too Many Requests""#) && !body.contains("violated"));
    }

    #[test]
    fn l12_want_of_room_has_a_type_of_its_own() {
        let reply = render(ErrorStyle::default(), &Rejection::Overloaded(Outage::new("too many wait")));
        assert_eq!((reply.status, reply.field("retry-after")), (503, Some("5")));
        assert_eq!(
            String::from_utf8_lossy(&reply.body),
            r#"{"type":"https://iana.org/assignments/http-problem-types#temporary-reduced-capacity","title":"Request cannot be satisfied due to temporary server capacity constraints","status":503,"detail":"There is no room for the request now","code":"temporarily_unavailable","request_id":"req_1"}"#
        );
    }

    #[test]
    fn head_gets_the_length_and_no_body() {
        let full = render(ErrorStyle::default(), &EXPIRED);
        let situation = Situation { method: "HEAD", ..SITUATION };
        let head = Renderer::default().render(&EXPIRED, &situation, std::iter::empty());
        assert!(head.body.is_empty());
        assert_eq!(head.field("content-length"), Some(full.body.len().to_string().as_str()));
    }
}
