//! The public keys that verify assertions to upstreams, at a path of their own: whoever takes the gateway's access tokens
//! must not find these among their keys.

use auth_core::issue::SigningKeys;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Response};

use crate::body::{ResponseBody, whole};
use crate::config::Assertions;

/// A JWK Set for everybody who is let ask for it.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    path: String,
    keys: Bytes,
}

impl Published {
    pub(crate) fn new(settings: &Assertions, keys: &SigningKeys) -> Self {
        Self { path: settings.route.path.value.clone(), keys: Bytes::from(keys.jwks()) }
    }

    /// The keys, if they are asked for. The route table sees to who may, and by which methods.
    pub(crate) fn answer(&self, method: &Method, path: &str) -> Option<Response<ResponseBody>> {
        if path != self.path || (method != Method::GET && method != Method::HEAD) {
            return None;
        }
        let content = if method == Method::HEAD { Bytes::new() } else { self.keys.clone() };
        let mut response = Response::new(whole(content));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(self.keys.len()));
        // shorter than a replaced key goes on verifying
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
        Some(response)
    }
}
