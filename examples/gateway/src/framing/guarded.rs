//! The stream between the socket and the server.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::broken::{Breakage, BrokenBody, Finder};
use super::following::{Following, Judged, Unjudged};

/// A connection that hands over nothing with two readings.
#[derive(Debug)]
pub struct Guarded<T> {
    io: T,
    following: Following,
    /// Judged and not handed over yet.
    passed: Bytes,
    input: Input,
    breakage: Breakage,
    lingering: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    Open,
    Ended,
}

/// How much is read at a time.
const PIECE: usize = 8 * 1024;

/// What no server takes for a chunk, the end of one, or a trailer: makes it fail the body it is reading.
const BROKEN_CHUNK: Bytes = Bytes::from_static(b"!\r\n\r\n");

/// How long the last answer has to be read by the client. Closing while input is unread resets the connection, and
/// with it goes what the client has not read yet (RFC 9112 section 9.6).
const LINGER: Duration = Duration::from_secs(1);

impl<T> Guarded<T> {
    /// A connection that speaks HTTP/1 and of which something was read already.
    pub(super) fn http1(io: T, begun: BytesMut, longest_head: usize) -> Self {
        Self::new(io, Following::http1(begun, longest_head))
    }

    /// A connection that speaks HTTP/2, which has one framing and needs no guard.
    pub(super) fn http2(io: T, begun: BytesMut) -> Self {
        Self::new(io, Following::opaque(begun))
    }

    fn new(io: T, following: Following) -> Self {
        Self { io, following, passed: Bytes::new(), input: Input::Open, breakage: Breakage::new(), lingering: None }
    }

    /// Watches for a body that breaks, for a server that would end the connection without an answer.
    pub fn broken_body(&self) -> BrokenBody {
        self.breakage.watch()
    }

    fn judge(&mut self) {
        while self.passed.is_empty() {
            self.passed = match self.following.judge() {
                Judged::Passed(bytes) => bytes,
                Judged::BrokenBody if self.breakage.tell() == Finder::Server => BROKEN_CHUNK,
                Judged::BrokenBody | Judged::Incomplete => return,
            };
        }
    }
}

impl<T: AsyncRead + Unpin> Guarded<T> {
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut piece = [0; PIECE];
        let mut buffer = ReadBuf::new(&mut piece);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
        if buffer.filled().is_empty() {
            self.input = Input::Ended;
        }
        self.following.push(buffer.filled());
        Poll::Ready(Ok(()))
    }

    fn poll_through(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>, most: u64) -> Poll<io::Result<()>> {
        let room = usize::try_from(most).map_or(out.remaining(), |most| most.min(out.remaining()));
        let mut limited = ReadBuf::new(out.initialize_unfilled_to(room));
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut limited))?;
        let here = limited.filled().len();
        out.advance(here);
        self.following.skipped(here);
        if here == 0 && room > 0 {
            self.input = Input::Ended;
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Guarded<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            this.judge();
            if !this.passed.is_empty() {
                let here = this.passed.len().min(out.remaining());
                out.put_slice(&this.passed.split_to(here));
                return Poll::Ready(Ok(()));
            }
            if this.input == Input::Ended || this.breakage.is_answered(cx) {
                return Poll::Ready(Ok(()));
            }
            match this.following.unjudged() {
                Unjudged::Nothing => ready!(this.poll_fill(cx))?,
                Unjudged::Bytes(most) => return this.poll_through(cx, out, most),
                Unjudged::Everything => return this.poll_through(cx, out, u64::MAX),
            }
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guarded<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, bytes))?;
        self.breakage.written();
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, bytes))?;
        self.breakage.written();
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.io).poll_flush(cx))?;
        self.breakage.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.lingering.is_none() {
            ready!(Pin::new(&mut this.io).poll_shutdown(cx))?;
        }
        let lingering = this.lingering.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        if lingering.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        while this.input == Input::Open {
            if ready!(this.poll_fill(cx)).is_err() {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    /// What the server gets to read of what a client sends before it closes its side.
    async fn passed(sent: &[u8]) -> String {
        let (mut client, server) = duplex(1 << 20);
        client.write_all(sent).await.unwrap();
        client.shutdown().await.unwrap();
        let mut guarded = Guarded::http1(server, BytesMut::new(), 1_000);
        let mut read = Vec::new();
        guarded.read_to_end(&mut read).await.unwrap();
        String::from_utf8(read).unwrap()
    }

    #[tokio::test]
    async fn good_requests_pass_unchanged_one_behind_the_other() {
        let sent = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nHost: x\r\n\r\nPOST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nz\r\n0\r\n\r\nGET /d HTTP/1.0\r\n\r\n";
        assert_eq!(passed(sent.as_bytes()).await, sent);
    }

    #[tokio::test]
    async fn nothing_behind_a_refused_request_is_read() {
        let sent = "GET /a HTTP/1.1\r\nHost: x\r\n\r\nHEAD /b HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /admin HTTP/1.1\r\nHost: x\r\n\r\n";
        let got = passed(sent.as_bytes()).await;
        let (first, instead) = got.split_at("GET /a HTTP/1.1\r\nHost: x\r\n\r\n".len());
        assert!(first.starts_with("GET /a"));
        assert!(instead.starts_with("HEAD / HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n"), "{instead}");
        assert!(instead.ends_with("-framing\r\n\r\n") && !instead.contains("admin"), "{instead}");
    }

    #[tokio::test]
    async fn a_broken_chunk_breaks_the_body() {
        let got =
            passed(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nz\r\n5 \r\nGET /").await;
        assert!(got.ends_with("\r\n\r\n1\r\nz\r\n!\r\n\r\n"), "{got}");
    }

    #[tokio::test]
    async fn a_watched_break_is_told_and_not_shown() {
        let (mut client, server) = duplex(1 << 10);
        client.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nGET /").await.unwrap();
        client.shutdown().await.unwrap();
        let mut guarded = Guarded::http1(server, BytesMut::new(), 1_000);
        let mut broken = guarded.broken_body();
        let mut read = String::new();
        guarded.read_to_string(&mut read).await.unwrap();
        assert!(read.ends_with("chunked\r\n\r\n"), "{read}");
        broken.happened().await;
    }

    #[tokio::test]
    async fn after_a_request_for_a_websocket_nothing_is_judged() {
        let sent = "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\r\r\n\n anything";
        assert_eq!(passed(sent.as_bytes()).await, sent);
    }

    #[tokio::test]
    async fn a_body_may_be_of_any_size_and_arrives_whole() {
        let body = "x".repeat(300_000);
        let sent =
            format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}GET / HTTP/1.0\r\n\r\n", body.len());
        assert_eq!(passed(sent.as_bytes()).await, sent);
    }
}
