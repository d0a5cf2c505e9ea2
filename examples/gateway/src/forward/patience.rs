//! How long the gateway waits, and for whom.
//!
//! There is no limit on how long an exchange takes or how large it is, only on how long the side whose turn it is may
//! stay silent. While the client is still sending, an upstream that waits for it is not to blame; once everything was
//! handed over, the upstream has its `timeout` for the head of the response and again for every part of its body.

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::body::BodyError;

/// Who kept the other side waiting for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silent {
    /// The client stopped in the middle of its request.
    Client,
    /// The upstream did not answer, or stopped in the middle of its answer.
    Upstream,
}

impl fmt::Display for Silent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "the client fell silent in the middle of its request",
            Self::Upstream => "the upstream fell silent",
        })
    }
}

impl std::error::Error for Silent {}

/// How long either side may stay silent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) client: Duration,
    pub(super) upstream: Duration,
}

/// What the upload tells those who wait for the upstream.
#[derive(Debug)]
pub(super) struct Progress {
    begun: Instant,
    /// Milliseconds after `begun` at which something last moved.
    last_moved: AtomicU64,
    /// Whether it is the client's turn.
    waits_for_client: AtomicBool,
    /// Whether the client broke off or sent something unreadable.
    client_failed: AtomicBool,
}

impl Progress {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            begun: Instant::now(),
            last_moved: AtomicU64::new(0),
            waits_for_client: AtomicBool::new(false),
            client_failed: AtomicBool::new(false),
        })
    }

    pub(super) fn client_failed(&self) -> bool {
        self.client_failed.load(Ordering::Relaxed)
    }

    fn moved(&self) {
        let elapsed = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_moved.store(elapsed, Ordering::Relaxed);
    }

    /// When whoever's turn it is has been silent for too long, and who that is.
    fn deadline(&self, patience: Patience) -> (Instant, Silent) {
        let last = self.begun + Duration::from_millis(self.last_moved.load(Ordering::Relaxed));
        if self.waits_for_client.load(Ordering::Relaxed) {
            (last + patience.client, Silent::Client)
        } else {
            (last + patience.upstream, Silent::Upstream)
        }
    }
}

/// Waits for the head of a response for as long as nobody is silent for too long.
pub(super) async fn awaited<T>(
    response: impl Future<Output = T>,
    progress: &Progress,
    patience: Patience,
) -> Result<T, Silent> {
    let mut response = pin!(response);
    loop {
        let (deadline, silent) = progress.deadline(patience);
        match tokio::time::timeout_at(deadline, response.as_mut()).await {
            Ok(response) => return Ok(response),
            Err(_) if progress.deadline(patience) == (deadline, silent) => return Err(silent),
            // Something moved in the meantime.
            Err(_) => {}
        }
    }
}

pin_project! {
    /// A request body that keeps account of whose turn it is.
    ///
    /// Trailers end here: some upstreams merge them into the header, behind the fields that the gateway vouches for.
    pub(super) struct Upload<B> {
        #[pin]
        body: B,
        progress: Arc<Progress>,
    }
}

impl<B> Upload<B> {
    pub(super) fn new(body: B, progress: Arc<Progress>) -> Self {
        Self { body, progress }
    }
}

impl<B> Body for Upload<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BodyError>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.project();
        let polled = this.body.poll_frame(cx);
        let waits = polled.is_pending();
        if this.progress.waits_for_client.swap(waits, Ordering::Relaxed) != waits || !waits {
            this.progress.moved();
        }
        match ready!(polled) {
            Some(Ok(frame)) => Poll::Ready(frame.into_data().ok().map(|data| Ok(Frame::data(data)))),
            Some(Err(error)) => {
                this.progress.client_failed.store(true, Ordering::Relaxed);
                Poll::Ready(Some(Err(error.into())))
            }
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

pin_project! {
    /// A response body whose sender may not fall silent. Trailers end here, as their announcement does.
    pub(super) struct Download<B> {
        #[pin]
        body: B,
        #[pin]
        timer: Sleep,
        waits: bool,
        progress: Arc<Progress>,
        patience: Patience,
    }
}

impl<B> Download<B> {
    pub(super) fn new(body: B, progress: Arc<Progress>, patience: Patience) -> Self {
        Self { body, timer: sleep_until(Instant::now() + patience.upstream), waits: false, progress, patience }
    }
}

impl<B> Body for Download<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BodyError>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let mut this = self.project();
        if let Poll::Ready(next) = this.body.poll_frame(cx) {
            *this.waits = false;
            return Poll::Ready(match next {
                Some(Ok(frame)) => frame.into_data().ok().map(|data| Ok(Frame::data(data))),
                Some(Err(error)) => Some(Err(error.into())),
                None => None,
            });
        }
        if !*this.waits {
            // The clock runs while the upstream is waited for, not while a slow client takes what is there.
            *this.waits = true;
            this.timer.as_mut().reset(Instant::now() + this.patience.upstream);
        }
        while this.timer.as_mut().poll(cx).is_ready() {
            let (deadline, silent) = this.progress.deadline(*this.patience);
            if deadline <= Instant::now() {
                return Poll::Ready(Some(Err(silent.into())));
            }
            // The upload has moved, or it is the client's turn: a conversation in both directions goes on.
            this.timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
