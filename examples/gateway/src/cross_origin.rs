//! Answers to pages of other origins (the Fetch standard, section 3.2: CORS).
//!
//! Routes opt in with `cors = true`. There the gate lets preflights pass, which never carry credentials, and the gateway
//! answers them itself; no upstream ever sees one. On responses of such routes, refusals included, the upstream's own
//! `Access-Control-` fields are replaced, so that one place says who may read them.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

use crate::body::{ResponseBody, whole};
use crate::config::{Cors, CrossOriginCredentials, Origins};

/// What pages may read besides the fields that the Fetch standard lets them read anyway: why they were refused, when
/// to come back, what is left of their budgets, and what to quote in a report.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "www-authenticate, retry-after, ratelimit, ratelimit-policy, x-ratelimit-limit, x-ratelimit-remaining, \
     x-ratelimit-reset, x-request-id",
);

/// A list of fields to set on a response.
pub type Fields = Vec<(HeaderName, HeaderValue)>;

/// Who may read responses, prepared.
#[derive(Debug)]
pub struct CrossOrigin {
    origins: Origins,
    credentials: CrossOriginCredentials,
    methods: Vec<String>,
    headers: Vec<String>,
    allowed_methods: Option<HeaderValue>,
    allowed_headers: Option<HeaderValue>,
    max_age: HeaderValue,
}

impl CrossOrigin {
    /// The rules of the configuration.
    pub fn new(cors: &Cors) -> Self {
        let list = |names: &[String]| HeaderValue::from_str(&names.join(", ")).ok();
        Self {
            origins: cors.origins.clone(),
            credentials: cors.credentials,
            allowed_methods: list(&cors.methods),
            allowed_headers: list(&cors.headers),
            methods: cors.methods.clone(),
            headers: cors.headers.clone(),
            max_age: HeaderValue::from(cors.max_age.as_secs()),
        }
    }

    /// The answer to a preflight: what the page may do, or nothing, which means that it may not.
    pub fn preflight(&self, parts: &Parts) -> Response<ResponseBody> {
        let mut response = Response::new(whole(""));
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        // The fields that concern the origin are set like those of any other response, see `on_response`.
        for asked in [ACCESS_CONTROL_REQUEST_METHOD, ACCESS_CONTROL_REQUEST_HEADERS] {
            headers.append(VARY, asked.into());
        }
        if self.origin_of(&parts.headers).is_some() && self.allows(&parts.headers) {
            let fields = [
                (ACCESS_CONTROL_ALLOW_METHODS, self.allowed_methods.clone()),
                (ACCESS_CONTROL_ALLOW_HEADERS, self.allowed_headers.clone()),
                (ACCESS_CONTROL_MAX_AGE, Some(self.max_age.clone())),
            ];
            headers.extend(fields.into_iter().filter_map(|(name, value)| Some((name, value?))));
        }
        response
    }

    /// The fields for any response to a request with these fields.
    pub fn on_response(&self, request: &HeaderMap) -> Fields {
        let mut fields = vec![(VARY, ORIGIN.into())];
        if let Some(origin) = self.origin_of(request) {
            fields.push((ACCESS_CONTROL_ALLOW_ORIGIN, origin));
            fields.push((ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED));
            if self.credentials == CrossOriginCredentials::Included {
                fields.push((ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true")));
            }
        }
        fields
    }

    /// What `Access-Control-Allow-Origin` says to the one page this is for; `None` if it may not read.
    fn origin_of(&self, request: &HeaderMap) -> Option<HeaderValue> {
        let mut lines = request.get_all(ORIGIN).into_iter();
        let origin = lines.next().filter(|_| lines.next().is_none())?;
        if !self.origins.allow(origin.to_str().ok()?) {
            return None;
        }
        Some(match self.origins {
            Origins::Any => HeaderValue::from_static("*"),
            Origins::Listed(_) => origin.clone(),
        })
    }

    fn allows(&self, request: &HeaderMap) -> bool {
        let text = |name| request.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let method_allowed = text(ACCESS_CONTROL_REQUEST_METHOD)
            .is_some_and(|method| self.methods.iter().any(|allowed| allowed == method));
        let headers_allowed =
            text(ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or_default().split(',').map(str::trim).all(|header| {
                header.is_empty() || self.headers.iter().any(|allowed| allowed.eq_ignore_ascii_case(header))
            });
        method_allowed && headers_allowed
    }
}

/// Whether a request is a preflight as the Fetch standard defines it.
pub fn is_preflight(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS
        && parts.headers.contains_key(ORIGIN)
        && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Removes what an upstream says about other origins.
pub fn silence_upstream(headers: &mut HeaderMap) {
    let names: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with("access-control-")).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Request;

    use super::*;

    fn rules(origins: Origins) -> CrossOrigin {
        CrossOrigin::new(&Cors {
            origins,
            methods: vec!["GET".to_owned(), "PUT".to_owned()],
            headers: vec!["authorization".to_owned(), "x-api-key".to_owned()],
            credentials: CrossOriginCredentials::Omitted,
            max_age: Duration::from_mins(10),
        })
    }

    fn preflight(origin: &str, method: &str, headers: &str) -> Parts {
        let request = Request::options("/")
            .header(ORIGIN, origin)
            .header(ACCESS_CONTROL_REQUEST_METHOD, method)
            .header(ACCESS_CONTROL_REQUEST_HEADERS, headers);
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_preflight_is_told_what_it_may_or_nothing() {
        let rules = rules(Origins::Listed(vec!["https://app.example".to_owned()]));
        for (origin, method, headers, may) in [
            ("https://app.example", "PUT", "Authorization, x-api-key", true),
            ("https://app.example", "PUT", "", true),
            ("https://app.example", "DELETE", "", false),
            ("https://app.example", "PUT", "x-other", false),
            ("https://evil.example", "PUT", "", false),
            ("null", "PUT", "", false),
        ] {
            let parts = preflight(origin, method, headers);
            assert!(is_preflight(&parts));
            let response = rules.preflight(&parts);
            assert_eq!(response.status(), 204);
            assert_eq!(
                response.headers().contains_key(ACCESS_CONTROL_ALLOW_METHODS),
                may,
                "{origin} {method} {headers}"
            );
        }
    }

    #[test]
    fn responses_name_the_origin_that_may_read_them_and_no_other() {
        let listed = rules(Origins::Listed(vec!["https://app.example".to_owned()]));
        let of = |rules: &CrossOrigin, origin: &str| {
            let parts = preflight(origin, "GET", "");
            let fields: HeaderMap = rules.on_response(&parts.headers).into_iter().collect();
            assert_eq!(fields[VARY], "origin");
            fields.get(ACCESS_CONTROL_ALLOW_ORIGIN).map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(of(&listed, "https://app.example").as_deref(), Some("https://app.example"));
        assert_eq!(of(&listed, "https://app.example.evil"), None);
        assert_eq!(of(&rules(Origins::Any), "https://anyone.example").as_deref(), Some("*"));
    }
}
