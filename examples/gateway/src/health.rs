//! `/healthz` and `/readyz`: whether the process is up, and whether it can do its work.
//!
//! Parts of the gateway report here when something they depend on fails. While there is a degraded answer — old keys,
//! local counting — the gateway is ready and names the part; only what is out entirely makes it not ready. Both paths are
//! answered before the gate, without credentials, and tell no more than names.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use serde::Serialize;

use crate::body::{ResponseBody, whole};

/// What is the matter with a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It fails, and the configuration says how to go on without it.
    Degraded,
    /// It fails, and requests that need it are refused.
    Out,
}

/// The parts that are in trouble.
#[derive(Debug, Default)]
pub struct Health {
    troubles: RwLock<BTreeMap<String, Trouble>>,
}

#[derive(Serialize)]
struct Up {
    status: &'static str,
}

#[derive(Serialize)]
struct Readiness<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    degraded: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    out: Vec<&'a str>,
}

impl Health {
    /// Says how a part is; `None` when it works.
    pub fn report(&self, part: impl Into<String>, trouble: Option<Trouble>) {
        let mut troubles = self.troubles.write().unwrap_or_else(PoisonError::into_inner);
        match trouble {
            Some(trouble) => drop(troubles.insert(part.into(), trouble)),
            None => drop(troubles.remove(&part.into())),
        }
    }

    /// The answer, if the request asks for one of the two paths.
    pub fn answer(&self, method: &Method, path: &str) -> Option<Response<ResponseBody>> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return None;
        }
        let (status, body) = match path {
            "/healthz" => (StatusCode::OK, serde_json::to_vec(&Up { status: "up" })),
            "/readyz" => self.readiness(),
            _ => return None,
        };
        let body = body.unwrap_or_default();
        let length = body.len();
        let mut response = Response::new(whole(if *method == Method::HEAD { Vec::new() } else { body }));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        Some(response)
    }

    fn readiness(&self) -> (StatusCode, serde_json::Result<Vec<u8>>) {
        let troubles = self.troubles.read().unwrap_or_else(PoisonError::into_inner);
        let named =
            |kind| troubles.iter().filter(|(_, trouble)| **trouble == kind).map(|(part, _)| part.as_str()).collect();
        let (degraded, out): (Vec<&str>, Vec<&str>) = (named(Trouble::Degraded), named(Trouble::Out));
        let (code, status) = match (out.is_empty(), degraded.is_empty()) {
            (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "out"),
            (true, false) => (StatusCode::OK, "degraded"),
            (true, true) => (StatusCode::OK, "ready"),
        };
        (code, serde_json::to_vec(&Readiness { status, degraded, out }))
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn readyz(health: &Health) -> (u16, String) {
        let response = health.answer(&Method::GET, "/readyz").unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn what_is_degraded_is_named_and_only_what_is_out_makes_it_not_ready() {
        let health = Health::default();
        assert_eq!(readyz(&health).await, (200, r#"{"status":"ready"}"#.to_owned()));
        health.report("keys of idp", Some(Trouble::Degraded));
        assert_eq!(readyz(&health).await, (200, r#"{"status":"degraded","degraded":["keys of idp"]}"#.to_owned()));
        health.report("store", Some(Trouble::Out));
        assert_eq!(
            readyz(&health).await,
            (503, r#"{"status":"out","degraded":["keys of idp"],"out":["store"]}"#.to_owned())
        );
        health.report("store", None);
        health.report("keys of idp", None);
        assert_eq!(readyz(&health).await.0, 200);
    }

    #[test]
    fn other_methods_and_paths_are_the_policys() {
        let health = Health::default();
        assert!(health.answer(&Method::POST, "/readyz").is_none());
        assert!(health.answer(&Method::GET, "/readyz/").is_none());
        assert!(health.answer(&Method::HEAD, "/healthz").is_some());
    }
}
