//! Request bodies on their way from actix, whose payloads belong to one thread, to the upstream's client, whose bodies
//! may not.
//!
//! A task on the payload's thread hands chunk after chunk over a channel that holds one, so that an upstream that reads
//! slowly slows the client down.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::dev::Payload;
use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _};
use gateway::body::{BodyError, RequestBody};
use gateway::framing::BrokenBody;
use http::request::Parts;
use http::{Version, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Empty};
use tokio::sync::mpsc;

type Piece = Result<Bytes, BodyError>;

/// The body of a request with that head, on a connection that tells when it breaks.
pub(crate) fn body(mut payload: Payload, head: &Parts, broken: Option<BrokenBody>) -> RequestBody {
    let length = length(head);
    if length == Some(0) || matches!(payload, Payload::None) {
        return nothing();
    }
    // HTTP/2 does not say beforehand whether there is a body, but it knows already if there is none.
    let first = if head.version == Version::HTTP_2 && length.is_none() { payload.next().now_or_never() } else { None };
    let first = match first {
        Some(None) => return nothing(),
        Some(Some(first)) => Some(first.map_err(BodyError::from)),
        None => None,
    };
    let (handed, pieces) = mpsc::channel(1);
    actix_web::rt::spawn(hand_over(payload, broken, handed));
    Received { first, pieces, left: length }.boxed_unsync()
}

/// A body of nothing.
pub(crate) fn nothing() -> RequestBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// The length that the request announces; the guard and the server have checked that it has one reading.
fn length(head: &Parts) -> Option<u64> {
    head.headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn hand_over(mut payload: Payload, broken: Option<BrokenBody>, pieces: mpsc::Sender<Piece>) {
    let mut breaks = std::pin::pin!(async {
        match broken {
            Some(mut broken) => broken.happened().await,
            None => std::future::pending().await,
        }
    });
    loop {
        let next = tokio::select! {
            biased;
            next = payload.next() => next.map(|piece| piece.map_err(BodyError::from)),
            () = &mut breaks => Some(Err("the body cannot be read in one way only".into())),
            // The upstream has had enough.
            () = pieces.closed() => return,
        };
        let Some(piece) = next else { return };
        let ends = piece.is_err();
        if pieces.send(piece).await.is_err() || ends {
            return;
        }
    }
}

struct Received {
    first: Option<Piece>,
    pieces: mpsc::Receiver<Piece>,
    left: Option<u64>,
}

impl Body for Received {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = match self.first.take() {
            Some(first) => Poll::Ready(Some(first)),
            None => self.pieces.poll_recv(cx),
        };
        polled.map(|piece| {
            piece.map(|piece| {
                let bytes = piece?;
                self.left = self.left.map(|left| left.saturating_sub(bytes.len() as u64));
                Ok(Frame::data(bytes))
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
