//! The axum gateway's server: from a socket to a service, and back down.
//!
//! Each connection takes a [`Seat`]. There are as many as the configuration says; who finds none waits in the kernel's
//! queue. When the process is asked to stop, the listener closes, connections finish what they are at, and the server
//! returns when the last seat is free or the grace period is over. A connection that became a WebSocket keeps its seat.

mod app;
mod connection;
mod current;
mod seat;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::net::TcpStream;
use tower::Service;

pub use app::router;
pub use connection::Arrival;
pub use current::Current;
pub use seat::Seat;

use crate::config;
use crate::tls::Tls;
use connection::{Limits, Transport};
use seat::Seats;

/// What is served: cloned for every connection, called for every request.
pub trait App<B>:
    Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<T, B> App<B> for T where
    T: Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

/// Serves until `stop` resolves, then lets what is in flight finish.
///
/// # Errors
/// The listener cannot be used.
pub async fn run<A, B>(
    listener: TcpListener,
    tls: Option<Tls>,
    settings: &config::Server,
    app: A,
    stop: impl Future<Output = ()>,
) -> io::Result<()>
where
    A: App<B>,
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let seats = Seats::new(settings.max_connections);
    let transport = tls.as_ref().map_or(Transport::Plain, |tls| Transport::Tls(tls.acceptor()));
    let following = tls.map(|tls| tokio::spawn(tls.follow()));
    let limits = Limits::of(settings);
    let mut stop = std::pin::pin!(stop);
    loop {
        let (seat, stream, peer) = tokio::select! {
            accepted = accept(&listener, &seats) => accepted,
            () = &mut stop => break,
        };
        let work = connection::serve(stream, peer, transport.clone(), limits, app.clone(), seat);
        tokio::spawn(work);
    }
    // Whoever is connected already, but not accepted yet, was in time.
    while let Some((seat, stream, peer)) = accept(&listener, &seats).now_or_never() {
        tokio::spawn(connection::serve(stream, peer, transport.clone(), limits, app.clone(), seat));
    }
    drop(listener);
    if let Some(following) = following {
        following.abort();
    }
    seats.close(settings.shutdown_grace).await;
    Ok(())
}

/// A free seat first, so that nobody is accepted who would then be kept waiting.
async fn accept(listener: &tokio::net::TcpListener, seats: &Seats) -> (Seat, TcpStream, SocketAddr) {
    let seat = seats.take().await;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (seat, stream, peer),
            Err(error) if is_about_the_connection(&error) => {}
            Err(error) => {
                // Out of file descriptors, as a rule: a pause lets connections end, where trying at once would spin.
                tracing::error!(%error, "no connection can be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn is_about_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
