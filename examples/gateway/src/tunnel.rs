//! Two connections that became one: the client's and the upstream's, after both agreed to speak something else.

use std::pin::pin;
use std::time::Duration;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, copy, split};

/// How long one direction may go on after the other has ended: enough for the last words of a WebSocket, while a peer
/// that is gone altogether, which looks the same, does not keep the connection for ever.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Carries bytes both ways until both directions have ended, or one has and the other does not follow.
pub async fn carry(client: impl AsyncRead + AsyncWrite, upstream: OnUpgrade) {
    let Ok(upstream) = upstream.await else { return };
    let (from_client, to_client) = split(client);
    let (from_upstream, to_upstream) = split(TokioIo::new(upstream));
    let (mut up, mut down) = (pin!(pour(from_client, to_upstream)), pin!(pour(from_upstream, to_client)));
    // Which of them ends first and how makes no difference, nor whether the other is in time.
    tokio::select! {
        () = &mut up => drop(tokio::time::timeout(LAST_WORDS, down).await),
        () = &mut down => drop(tokio::time::timeout(LAST_WORDS, up).await),
    }
}

/// A direction ends with its source. A side that vanishes is how most of them do.
async fn pour(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
    let _ = copy(&mut from, &mut to).await;
    let _ = to.shutdown().await;
}
