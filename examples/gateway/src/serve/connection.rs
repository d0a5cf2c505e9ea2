//! One connection, from its first byte to its last.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use super::{App, Seat};
use crate::config;
use crate::connection::Scheme;
use crate::framing::{Guarded, Protocol, recognise};
use crate::shutdown::farewell;

/// How connections are encrypted.
#[derive(Clone)]
pub(super) enum Transport {
    Plain,
    Tls(TlsAcceptor),
}

/// What a connection may cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    head_timeout: Duration,
    concurrent_streams: u32,
    longest_head: usize,
    /// How long an idle connection stays after the signal to stop.
    farewell: Duration,
}

/// What the service finds of the connection among a request's extensions.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Whoever is at the other end.
    pub peer: IpAddr,
    /// How the connection is encrypted.
    pub scheme: Scheme,
    /// The place the connection takes; kept by whatever outlives the request.
    pub seat: Seat,
}

impl Arrival {
    /// Whether the connection should end with the next response.
    pub(super) fn is_last(&self) -> bool {
        self.seat.is_to_leave()
    }
}

/// Streams that a client opened and reset again before anybody looked at them: hyper's default, set here so that it
/// stays (CVE-2023-44487).
const PENDING_RESETS: usize = 20;

/// Streams that we reset because the client broke the protocol: the h2 crate's default, set for the same reason.
const LOCAL_RESETS: usize = 1024;

impl Limits {
    pub(super) fn of(settings: &config::Server) -> Self {
        let concurrent_streams = u32::try_from(settings.max_concurrent_streams).unwrap_or(u32::MAX);
        Self {
            head_timeout: settings.header_read_timeout,
            concurrent_streams,
            longest_head: settings.max_header_size,
            farewell: farewell(settings.shutdown_grace),
        }
    }
}

/// Serves one connection until it ends or the server closes.
pub(super) async fn serve<A, B>(
    stream: TcpStream,
    peer: SocketAddr,
    transport: Transport,
    limits: Limits,
    app: A,
    mut seat: Seat,
) where
    A: App<B>,
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    // Answers are written whole; holding back the last packet of one helps nobody.
    let _ = stream.set_nodelay(true);
    let arrival = |scheme| Arrival { peer: peer.ip(), scheme, seat: seat.clone() };
    match transport {
        Transport::Plain => {
            let arrival = arrival(Scheme::Http);
            if let Some((stream, protocol)) = begun(recognise(stream, limits.longest_head), limits, &mut seat).await {
                speak(stream, protocol, limits, app, arrival, seat).await;
            }
        }
        Transport::Tls(acceptor) => {
            let arrival = arrival(Scheme::Https);
            let accepted = async { recognise(acceptor.accept(stream).await?, limits.longest_head).await };
            if let Some((stream, protocol)) = begun(accepted, limits, &mut seat).await {
                speak(stream, protocol, limits, app, arrival, seat).await;
            }
        }
    }
}

/// What a connection begins with, unless it takes too long or the server closes first.
async fn begun<T>(beginning: impl Future<Output = std::io::Result<T>>, limits: Limits, seat: &mut Seat) -> Option<T> {
    tokio::select! {
        begun = tokio::time::timeout(limits.head_timeout, beginning) => {
            begun.ok()?.inspect_err(|error| tracing::debug!(%error, "a connection did not begin")).ok()
        }
        () = seat.asked_to_leave() => None,
    }
}

async fn speak<T, A, B>(
    stream: Guarded<T>,
    protocol: Protocol,
    limits: Limits,
    app: A,
    arrival: Arrival,
    mut seat: Seat,
) where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    A: App<B>,
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let service = TowerToHyperService::new(app.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(arrival.clone());
        request
    }));
    let stream = TokioIo::new(stream);
    /// Both kinds of connection have the same methods, but no trait for them.
    macro_rules! until_done {
        ($connection:expr, $until:expr) => {{
            let mut connection = std::pin::pin!($connection);
            let leave = async {
                seat.asked_to_leave().await;
                tokio::time::sleep($until).await;
            };
            tokio::select! {
                ended = connection.as_mut() => ended,
                () = leave => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        }};
    }
    let ended = match protocol {
        Protocol::Http1 => until_done!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(limits.head_timeout)
                // A client that closes its side after the request still waits for the answer.
                .half_close(true)
                .serve_connection(stream, service)
                .with_upgrades(),
            limits.farewell
        ),
        Protocol::Http2 => until_done!(
            http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .max_concurrent_streams(limits.concurrent_streams)
                .max_header_list_size(u32::try_from(limits.longest_head).unwrap_or(u32::MAX))
                .max_pending_accept_reset_streams(PENDING_RESETS)
                .max_local_error_reset_streams(LOCAL_RESETS)
                // Peers that vanished without a word are found out.
                .keep_alive_interval(limits.head_timeout)
                .keep_alive_timeout(limits.head_timeout)
                .serve_connection(stream, service),
            // HTTP/2 has a word for it: what the client sent before it heard it is still served.
            Duration::ZERO
        ),
    };
    if let Err(error) = ended {
        tracing::debug!(error = &error as &dyn std::error::Error, "a connection ended early");
    }
}
