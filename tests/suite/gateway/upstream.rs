//! An upstream that answers what the test tells it to.

use tokio::net::TcpListener;

use super::Connection;
use super::process::soon;

/// A listening upstream.
pub(crate) struct Upstream(TcpListener);

impl Upstream {
    pub(crate) async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
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

    /// Whether nobody has connected, as far as is known at this moment.
    pub(crate) async fn is_alone(&self) -> bool {
        tokio::select! {
            biased;
            _ = self.0.accept() => false,
            () = std::future::ready(()) => true,
        }
    }
}
