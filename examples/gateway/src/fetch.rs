//! Requests of the gateway's own: what it asks an OpenID provider, and authorization servers.

use std::fmt;
use std::time::Duration;

use auth_core::fetch::{Fetch, FetchError, FetchRequest, Fetched, MAX_ANSWER, PATIENCE, is_safe};
use auth_core::{Pending, Secret};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;

/// How many idle connections to one server are kept.
const KEPT: usize = 16;

/// How long a connection may be idle: shorter than servers let it, so that none is used just when it is closed.
const IDLE: Duration = Duration::from_secs(3);

/// Asks over HTTP/1.1, https or http on a loopback address, without following redirections.
pub(crate) struct HttpFetch(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl HttpFetch {
    /// Believes whom this configuration trusts. Whoever is asked seldom, and by whichever thread has a reason to, is asked over a
    /// connection of its own.
    pub(crate) fn new(tls: &ClientConfig) -> Self {
        Self::with(tls, 0)
    }

    /// The same for whoever is asked often.
    pub(crate) fn keeping_connections(tls: &ClientConfig) -> Self {
        Self::with(tls, KEPT)
    }

    fn with(tls: &ClientConfig, kept: usize) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.enforce_http(false);
        let https = HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http().enable_http1();
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_max_idle_per_host(kept).pool_idle_timeout(IDLE);
        Self(builder.build(https.wrap_connector(connector)))
    }
}

impl Fetch for HttpFetch {
    fn fetch(&self, request: FetchRequest) -> Pending<Result<Fetched, FetchError>> {
        let client = self.0.clone();
        Box::pin(async move {
            if !is_safe(&request.url) {
                return Err(FetchError::Unsafe);
            }
            let request = built(&request)?;
            let asked = async {
                let response = client.request(request).await.map_err(|error| unreachable(&error))?;
                let status = response.status().as_u16();
                let content_type = only(response.headers(), &header::CONTENT_TYPE);
                let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
                let body = body.map_err(|error| {
                    if error.is::<LengthLimitError>() { FetchError::TooLong } else { unreachable(&*error) }
                })?;
                let fetched = Fetched::new(status, body.to_bytes().to_vec());
                Ok(match content_type {
                    Some(value) => fetched.content_type(value),
                    None => fetched,
                })
            };
            tokio::time::timeout(PATIENCE, asked).await.unwrap_or(Err(FetchError::TooSlow))
        })
    }
}

/// A field that occurs once and is text.
fn only(fields: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut values = fields.get_all(name).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    value.to_str().ok().map(str::to_owned)
}

fn built(request: &FetchRequest) -> Result<Request<Full<Bytes>>, FetchError> {
    let mut builder = Request::builder().uri(&request.url).header(header::ACCEPT, "application/json");
    builder = builder.header(header::USER_AGENT, "gateway");
    if let Some(authorization) = request.authorization.as_ref().and_then(Secret::expose_text) {
        let mut value = http::HeaderValue::from_str(authorization).map_err(|_| FetchError::Unsafe)?;
        value.set_sensitive(true);
        builder = builder.header(header::AUTHORIZATION, value);
    }
    let built = match &request.form {
        None => builder.method("GET").body(Full::default()),
        Some(form) => builder
            .method("POST")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::copy_from_slice(form.expose()))),
    };
    built.map_err(|_| FetchError::Unsafe)
}

/// The innermost cause says most, and none of them holds what was sent.
fn unreachable(error: &(dyn std::error::Error + 'static)) -> FetchError {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    FetchError::Unreachable(cause.to_string())
}

impl fmt::Debug for HttpFetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpFetch")
    }
}
