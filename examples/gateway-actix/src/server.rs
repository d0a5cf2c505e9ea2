//! The actix gateway's server: actix's own workers and dispatchers, behind the same guard, TLS and limits as the axum
//! gateway's.
//!
//! `HttpServer` accepts sockets and nothing else, so the server is put together from the parts that it is made of.
//! Each worker is a thread with connections of its own to the upstreams; when one stops, it takes nobody else's along.

use std::future::Future;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive, Protocol};
use actix_server::GracefulShutdownSignal;
use actix_service::{ServiceFactoryExt as _, fn_service, map_config};
use actix_web::App;
use actix_web::dev::{AppConfig, Server, ServiceFactory};
use actix_web::middleware::from_fn;
use gateway::config;
use gateway::connection::Scheme;
use gateway::framing::{self, Guarded, recognise};
use gateway::shutdown::farewell;
use gateway::tls::Tls;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::app::{answer, around};
use crate::closing::Closing;
use crate::streams::Streams;
use crate::worker::{Current, Worker};

/// How long a client may take to close its side after the last response.
const DISCONNECT: Duration = Duration::from_secs(2);

/// What a connection may cost.
#[derive(Clone, Copy)]
struct Limits {
    patience: Duration,
    longest_head: usize,
    concurrent_streams: usize,
}

impl Limits {
    fn of(settings: &config::Server) -> Self {
        Self {
            patience: settings.header_read_timeout,
            longest_head: settings.max_header_size,
            concurrent_streams: settings.max_concurrent_streams,
        }
    }
}

/// Serves by the generation in force until `stop` resolves, then lets what is in flight finish.
pub(crate) async fn run(
    listener: TcpListener,
    tls: Option<Tls>,
    settings: &config::Server,
    current: Current,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let builder = Server::build()
        .workers(workers)
        .max_concurrent_connections(settings.max_connections.div_ceil(workers))
        // Whole seconds; the time is kept below.
        .shutdown_timeout(settings.shutdown_grace.as_secs() + 1)
        .disable_signals();
    let draining = builder.graceful_shutdown_signal();
    let limits = Limits::of(settings);
    let following = tls.clone().map(|tls| actix_web::rt::spawn(tls.follow()));
    let socket = listener.try_clone()?;
    let closing = Closing::default();
    let leaving = closing.clone();
    let server = match tls {
        None => builder.listen("gateway", listener, move || {
            let accept = move |stream: TcpStream| async move { recognise(stream, limits.longest_head).await };
            connections(
                Scheme::Http,
                accept,
                limits,
                current.clone(),
                Ending { draining: draining.clone(), closing: closing.clone() },
            )
        })?,
        Some(tls) => builder.listen("gateway", listener, move || {
            let acceptor = tls.acceptor();
            let accept = move |stream: TcpStream| {
                let accepted = acceptor.accept(stream);
                async move { recognise(accepted.await?, limits.longest_head).await }
            };
            connections(
                Scheme::Https,
                accept,
                limits,
                current.clone(),
                Ending { draining: draining.clone(), closing: closing.clone() },
            )
        })?,
    };
    let server = server.run();
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    stop.await;
    handle.pause().await;
    stop_listening(socket);
    let grace = settings.shutdown_grace.saturating_sub(farewell(settings.shutdown_grace));
    leaving.say_farewell(farewell(settings.shutdown_grace)).await;
    let finished = tokio::time::timeout(grace, handle.stop(true)).await;
    if let Some(following) = following {
        following.abort();
    }
    if finished.is_err() {
        tracing::warn!("cut off after the grace period");
        return Ok(());
    }
    running.await.map_err(io::Error::other)?
}

/// A paused listener of actix's is still a socket to connect to, and who does is reset in the end. Shutting it down makes
/// the system refuse connections at once.
fn stop_listening(socket: TcpListener) {
    // There is no such method for listeners, and only Linux knows the call for them; elsewhere it fails and the socket
    // is closed a little later, with the server.
    let _ = std::net::TcpStream::from(OwnedFd::from(socket)).shutdown(Shutdown::Both);
}

/// How connections learn that the server ends: first that they should, then that they must.
struct Ending {
    draining: GracefulShutdownSignal,
    closing: Closing,
}

/// From a socket to the application, for one worker.
fn connections<T, A, F>(
    scheme: Scheme,
    accept: A,
    limits: Limits,
    current: Current,
    ending: Ending,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()>
where
    T: AsyncRead + AsyncWrite + Unpin + 'static,
    A: Fn(TcpStream) -> F + Clone + 'static,
    F: Future<Output = io::Result<(Guarded<T>, framing::Protocol)>> + 'static,
{
    let worker = Rc::new(Worker::new(current));
    let app = App::new()
        .default_service(fn_service(answer))
        .wrap(from_fn(move |request, next| around(worker.gateway(), request, next)));
    let app = actix_service::IntoServiceFactory::into_factory(app).map_err(|error| error.error_response());
    let Ending { draining, closing } = ending;
    let early = closing.clone();
    let http = HttpService::build()
        .graceful_shutdown_signal(move || {
            let draining = draining.clone();
            async move { draining.notified().await }
        })
        .keep_alive(KeepAlive::Timeout(limits.patience))
        .client_request_timeout(limits.patience)
        .client_disconnect_timeout(DISCONNECT)
        .h1_allow_half_closed(true)
        .on_connect_ext(move |stream: &Guarded<T>, extensions| {
            extensions.insert(stream.broken_body());
            extensions.insert(closing.watch());
            extensions.insert(scheme);
            extensions.insert(Streams::new(limits.concurrent_streams));
        })
        .finish(map_config(app, |()| AppConfig::default()));
    fn_service(move |stream: TcpStream| {
        let (accept, mut early) = (accept.clone(), early.watch());
        async move {
            tokio::select! {
                begun = begin(stream, accept, limits.patience) => begun,
                // Whoever has said nothing yet has nothing to lose.
                () = early.told() => Err(DispatchError::SlowRequestTimeout),
            }
        }
    })
    .and_then(http)
}

/// What a connection begins with, unless it takes too long.
async fn begin<T, F>(
    stream: TcpStream,
    accept: impl Fn(TcpStream) -> F,
    patience: Duration,
) -> Result<(Guarded<T>, Protocol, Option<SocketAddr>), DispatchError>
where
    F: Future<Output = io::Result<(Guarded<T>, framing::Protocol)>>,
{
    // Answers are written whole; holding back the last packet of one helps nobody.
    let _ = stream.set_nodelay(true);
    let peer = stream.peer_addr().ok();
    let begun = tokio::time::timeout(patience, accept(stream)).await;
    let (stream, protocol) = begun.map_err(|_| DispatchError::SlowRequestTimeout)?.map_err(DispatchError::Io)?;
    let protocol = match protocol {
        framing::Protocol::Http1 => Protocol::Http1,
        framing::Protocol::Http2 => Protocol::Http2,
    };
    Ok((stream, protocol, peer))
}
