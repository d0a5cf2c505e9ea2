//! An upstream that answers what the test tells it to.

use tokio::net::{TcpListener, TcpStream};

use super::Connection;
use super::process::soon;

/// A listening upstream.
pub(crate) struct Upstream(TcpListener);

impl Upstream {
    pub(crate) async fn start() -> Self {
        Self::at("127.0.0.1:0").await
    }

    /// An upstream at an address that was another's before.
    pub(crate) async fn at(authority: &str) -> Self {
        Self(TcpListener::bind(authority).await.unwrap())
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.authority())
    }

    pub(crate) fn authority(&self) -> String {
        self.0.local_addr().unwrap().to_string()
    }

    /// The next connection from the gateway.
    pub(crate) async fn accept(&self) -> Connection {
        Connection::new(soon("a connection to the upstream", self.0.accept()).await.unwrap().0)
    }

    /// Whether nobody has connected by now: if so, the next one to be accepted is this very question.
    pub(crate) async fn is_alone(&self) -> bool {
        let own = TcpStream::connect(self.0.local_addr().unwrap()).await.unwrap();
        let (_, peer) = soon("a connection", self.0.accept()).await.unwrap();
        peer == own.local_addr().unwrap()
    }
}
