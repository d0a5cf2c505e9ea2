//! One upstream: where it is, how long it may take, and the connections to it.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use auth_core::UpstreamFault;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Request, Response, Uri};
use http_body_util::BodyExt as _;
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower::Service;

use super::patience::Patience;
use crate::body::RequestBody;
use crate::config::{PassCredentials, Upstream, UpstreamUrl};

/// How long a client may stay silent in the middle of a request body: as long as it takes a mobile phone to come out
/// of a tunnel, and short enough that abandoned uploads do not add up.
const CLIENT_PATIENCE: Duration = Duration::from_mins(1);

/// Connections that lie idle longer are closed from this side. Common servers close theirs after 5 seconds or later;
/// being first avoids sending a request into a connection that is just being closed.
const IDLE: Duration = Duration::from_secs(4);

/// Sends requests to one upstream, by the scheme of its URL.
#[derive(Clone)]
enum Sender {
    Http(Client<Bounded<HttpConnector>, RequestBody>),
    Https(Client<Bounded<HttpsConnector<HttpConnector>>, RequestBody>),
}

/// A configured upstream with its connections.
pub(super) struct Connected {
    sender: Sender,
    url: UpstreamUrl,
    pub(super) patience: Patience,
    pub(super) credentials: PassCredentials,
}

impl Connected {
    pub(super) fn new(url: &UpstreamUrl, upstream: &Upstream) -> Self {
        Self {
            sender: Sender::new(upstream),
            url: url.clone(),
            patience: Patience { client: CLIENT_PATIENCE, upstream: upstream.timeout },
            credentials: upstream.credentials,
        }
    }

    /// The `Host` the upstream is addressed by: its own, so that a client cannot choose among its virtual hosts.
    pub(super) fn host(&self) -> Result<HeaderValue, http::Error> {
        HeaderValue::from_str(self.url.authority.as_str()).map_err(http::Error::from)
    }

    /// The path as the client sent it, behind the upstream's base path.
    pub(super) fn target(&self, path: &str, query: Option<&str>) -> Result<Uri, http::Error> {
        let separator = if query.is_some() { "?" } else { "" };
        let target = format!("{}{path}{separator}{}", self.url.prefix, query.unwrap_or_default());
        Uri::builder()
            .scheme(self.url.scheme.clone())
            .authority(self.url.authority.clone())
            .path_and_query(PathAndQuery::try_from(target)?)
            .build()
    }

    /// Sends the request. A request is sent again only if its method is safe and it has no body, and once at most: an
    /// upstream that closes an idle connection cannot be told apart from one that never saw the request.
    pub(super) async fn send(&self, request: Request<RequestBody>) -> Result<Response<Incoming>, Error> {
        let again = repeatable(&request);
        match self.sender.send(request).await {
            Err(error) if !error.is_connect() && is_closed_connection(&error) => match again {
                Some(request) => self.sender.send(request).await,
                None => Err(error),
            },
            outcome => outcome,
        }
    }
}

impl Sender {
    fn new(upstream: &Upstream) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let limit = upstream.connect_timeout;
        let Some(tls) = &upstream.tls else {
            return Self::Http(client(Bounded { connector, limit }));
        };
        connector.enforce_http(false);
        let builder = HttpsConnectorBuilder::new().with_tls_config((**tls).clone()).https_only().enable_http1();
        Self::Https(client(Bounded { connector: builder.wrap_connector(connector), limit }))
    }

    async fn send(&self, request: Request<RequestBody>) -> Result<Response<Incoming>, Error> {
        match self {
            Self::Http(client) => client.request(request).await,
            Self::Https(client) => client.request(request).await,
        }
    }
}

fn client<C>(connector: C) -> Client<C, RequestBody>
where
    C: Connect + Clone,
{
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        // The host is set from the configured URL, see `host`.
        .set_host(false)
        // Moves a request to another connection only if none of it was written on the first: that repeats nothing.
        .retry_canceled_requests(true)
        .build(connector)
}

fn repeatable(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) || !http_body::Body::is_end_stream(request.body()) {
        return None;
    }
    let mut again = Request::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.headers_mut() = request.headers().clone();
    Some(again)
}

/// Whether the connection ended before the response did. A request that meets a closing connection is answered by a
/// reset as a rule.
fn is_closed_connection(error: &Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    sources(error).any(|cause| {
        let incomplete = cause.downcast_ref().is_some_and(hyper::Error::is_incomplete_message);
        let reset = cause.downcast_ref().is_some_and(|cause: &io::Error| {
            matches!(cause.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
        });
        incomplete || reset
    })
}

/// What a failure of the upstream is to the client.
pub(super) fn fault(error: &Error) -> UpstreamFault {
    let timed_out = sources(error)
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|cause| cause.kind() == io::ErrorKind::TimedOut));
    if timed_out { UpstreamFault::TooSlow } else { UpstreamFault::Unreachable }
}

fn sources<'a>(error: &'a Error) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |cause| cause.source())
}

impl fmt::Debug for Connected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.url)
    }
}

/// A connector that gives up, the name look-up included, which has no bound of its own.
#[derive(Clone, Debug)]
struct Bounded<C> {
    connector: C,
    limit: Duration,
}

type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, Box<dyn std::error::Error + Send + Sync>>> + Send>>;

impl<C> Service<Uri> for Bounded<C>
where
    C: Service<Uri>,
    C::Future: Send + 'static,
    C::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = C::Response;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Connecting<C::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.connector.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let connecting = self.connector.call(target);
        let limit = self.limit;
        Box::pin(async move {
            match tokio::time::timeout(limit, connecting).await {
                Ok(outcome) => outcome.map_err(Into::into),
                Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "connecting took too long").into()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use hyper_util::rt::TokioIo;
    use tokio::net::TcpStream;

    use super::*;
    use crate::config::Target;

    fn connected(prefix: &str) -> Connected {
        let url = UpstreamUrl {
            scheme: http::uri::Scheme::HTTP,
            authority: http::uri::Authority::from_static("127.0.0.1:9000"),
            prefix: prefix.to_owned(),
        };
        let upstream = Upstream {
            target: Target::Url(url.clone()),
            connect_timeout: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            credentials: PassCredentials::Remove,
            tls: None,
            assertion: None,
        };
        Connected::new(&url, &upstream)
    }

    #[tokio::test]
    async fn the_path_goes_behind_the_base_as_it_was_sent() {
        for (prefix, target) in
            [("", "http://127.0.0.1:9000/v1/a%20b?x=%2F"), ("/base", "http://127.0.0.1:9000/base/v1/a%20b?x=%2F")]
        {
            assert_eq!(connected(prefix).target("/v1/a%20b", Some("x=%2F")).unwrap(), target);
        }
        assert_eq!(connected("").target("/", None).unwrap(), "http://127.0.0.1:9000/");
    }
    #[tokio::test]
    async fn connecting_that_takes_too_long_is_too_slow() {
        let never = tower::service_fn(|_: Uri| std::future::pending::<io::Result<TokioIo<TcpStream>>>());
        let client: Client<_, RequestBody> =
            Client::builder(TokioExecutor::new()).build(Bounded { connector: never, limit: Duration::from_millis(1) });
        let request = Request::get("http://127.0.0.1:9000/").body(crate::body::whole("")).unwrap();
        let error = client.request(request).await.unwrap_err();
        assert_eq!(fault(&error), UpstreamFault::TooSlow);
    }
}
