//! Two connections that became one: the client's and the upstream's, after both agreed to speak something else.

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};

/// Carries bytes both ways until both sides are done or one fails.
pub async fn carry(mut client: impl AsyncRead + AsyncWrite + Unpin, upstream: OnUpgrade) {
    let Ok(upstream) = upstream.await else { return };
    // A side that vanishes is how most of these connections end.
    let _ = copy_bidirectional(&mut client, &mut TokioIo::new(upstream)).await;
}
