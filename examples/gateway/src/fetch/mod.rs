//! Requests of the gateway's own: what it asks an OpenID provider, and authorization servers.
//!
//! - `reach`: which addresses are asked, whatever name leads to them

mod reach;

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use auth_core::fetch::{Fetch, FetchError, FetchRequest, Fetched, MAX_ANSWER, PATIENCE, is_safe};
use auth_core::{NetworkSet, Pending, Secret};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, Uri, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;

use reach::{Lookup, Reach, System, why};

/// How many idle connections to one server are kept.
const KEPT: usize = 16;

/// How long a connection may be idle: shorter than servers let it, so that none is used just when it is closed.
const IDLE: Duration = Duration::from_secs(3);

/// Asks over HTTP/1.1, https or http on a loopback address, without following redirections.
pub(crate) struct HttpFetch {
    client: Client<HttpsConnector<HttpConnector<Reach>>, Full<Bytes>>,
    reach: Reach,
}

impl HttpFetch {
    /// Believes whom this configuration trusts, and asks addresses that are public or in these networks. Whoever is asked
    /// seldom, and by whichever thread has a reason to, is asked over a connection of its own.
    pub(crate) fn new(tls: &ClientConfig, private_networks: NetworkSet) -> Self {
        Self::looking_up(tls, 0, private_networks, System)
    }

    /// The same for whoever is asked often.
    pub(crate) fn keeping_connections(tls: &ClientConfig, private_networks: NetworkSet) -> Self {
        Self::looking_up(tls, KEPT, private_networks, System)
    }

    fn looking_up(tls: &ClientConfig, kept: usize, private_networks: NetworkSet, lookup: impl Lookup) -> Self {
        let reach = Reach::new(private_networks, lookup);
        let mut connector = HttpConnector::new_with_resolver(reach.clone());
        connector.set_nodelay(true);
        connector.enforce_http(false);
        let https = HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http().enable_http1();
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_max_idle_per_host(kept).pool_idle_timeout(IDLE);
        Self { client: builder.build(https.wrap_connector(connector)), reach }
    }
}

impl Fetch for HttpFetch {
    fn fetch(&self, request: FetchRequest) -> Pending<Result<Fetched, FetchError>> {
        let (client, reach) = (self.client.clone(), self.reach.clone());
        Box::pin(async move {
            if !is_safe(&request.url) {
                return Err(FetchError::Unsafe);
            }
            let request = built(&request)?;
            // the connector looks up names alone
            if let Some(address) = literal(request.uri())
                && !reach.covers(address)
                && !is_own_loopback(request.uri(), address)
            {
                return Err(FetchError::Unreachable(why(address)));
            }
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

/// The address, where it is one and no name.
fn literal(url: &Uri) -> Option<IpAddr> {
    let host = url.host()?;
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host).parse().ok()
}

/// A provider on this machine, for development: http goes nowhere else, and only to where a provider is that is here
/// itself.
fn is_own_loopback(url: &Uri, address: IpAddr) -> bool {
    url.scheme() == Some(&http::uri::Scheme::HTTP) && address.is_loopback()
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

#[cfg(test)]
mod tests;
