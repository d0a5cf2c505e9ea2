//! The stream between the socket and the server.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Sleep, sleep};

use super::chunked::Chunked;
use super::head::{self, Length, Refused};
use super::mark::stand_in;

/// A connection that hands over nothing with two readings.
#[derive(Debug)]
pub struct Guarded<T> {
    io: T,
    state: State,
    /// Read and not judged yet.
    unread: BytesMut,
    /// Judged and not handed over yet.
    passed: Bytes,
    input: Input,
    longest_head: usize,
    broken: watch::Sender<bool>,
    last_answer: LastAnswer,
    lingering: Option<Pin<Box<Sleep>>>,
}

/// Tells that the body of a request on a connection broke.
#[derive(Clone, Debug)]
pub struct BrokenBody(watch::Receiver<bool>);

impl BrokenBody {
    /// Waits until a body breaks. It stays broken: there is no further request on the connection.
    pub async fn happened(&mut self) {
        if self.0.wait_for(|broken| *broken).await.is_err() {
            // The connection is gone, and its bodies end by themselves.
            std::future::pending::<()>().await;
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Before or in the head of a request, the lines of which are known up to there.
    Head(usize),
    /// In a body of known length.
    Exact(u64),
    /// In a chunked body.
    Chunked(Chunked),
    /// Another protocol; nothing is judged.
    Opaque,
    /// Something was refused: the client has no more say on this connection.
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    Open,
    Ended,
}

/// How far the answer to a request with a broken body is, where a server waits for the rest of that body even after it.
#[derive(Debug)]
enum LastAnswer {
    /// No body has broken.
    NotDue,
    /// One has, and the reader waits.
    Due(Option<Waker>),
    /// Some of the answer is written.
    Begun(Option<Waker>),
    /// All that was written is on its way: to the server, the client is gone now.
    Given,
}

impl LastAnswer {
    fn written(&mut self) {
        if let Self::Due(reader) = self {
            *self = Self::Begun(reader.take());
        }
    }

    fn flushed(&mut self) {
        if let Self::Begun(reader) = self {
            if let Some(reader) = reader.take() {
                reader.wake();
            }
            *self = Self::Given;
        }
    }

    fn wait(&mut self, cx: &Context<'_>) {
        if let Self::Due(reader) | Self::Begun(reader) = self {
            *reader = Some(cx.waker().clone());
        }
    }
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
        let longest_head = longest_head.min(head::LONGEST_HEAD);
        Self { longest_head, ..Self::new(io, begun, State::Head(0)) }
    }

    /// A connection that speaks HTTP/2, which has one framing and needs no guard.
    pub(super) fn http2(io: T, begun: BytesMut) -> Self {
        Self::new(io, begun, State::Opaque)
    }

    /// Watches for a body that breaks, for a server that would end the connection without an answer.
    pub fn broken_body(&self) -> BrokenBody {
        BrokenBody(self.broken.subscribe())
    }

    fn new(io: T, begun: BytesMut, state: State) -> Self {
        Self {
            io,
            state,
            unread: begun,
            passed: Bytes::new(),
            input: Input::Open,
            longest_head: head::LONGEST_HEAD,
            broken: watch::Sender::new(false),
            last_answer: LastAnswer::NotDue,
            lingering: None,
        }
    }

    /// Judges what was read, until there is something to hand over or more has to come.
    fn judge(&mut self) {
        while self.passed.is_empty() {
            match self.state {
                State::Head(mut known) => {
                    if known == 0 {
                        self.skip_empty_line();
                    }
                    let end = match head::find_end(&self.unread, &mut known, self.longest_head) {
                        Ok(Some(end)) => end,
                        Ok(None) => {
                            self.state = State::Head(known);
                            return;
                        }
                        Err(fault) => {
                            let is_head = self.unread.starts_with(b"HEAD ");
                            return self.refuse(stand_in(is_head, fault));
                        }
                    };
                    match head::read(&self.unread[..end]) {
                        Ok(length) => {
                            self.passed = self.unread.split_to(end).freeze();
                            self.state = State::after_head(length);
                        }
                        Err(Refused { fault, is_head }) => return self.refuse(stand_in(is_head, fault)),
                    }
                }
                State::Exact(0) | State::Chunked(Chunked::Done) => self.state = State::Head(0),
                State::Exact(left) => {
                    if self.unread.is_empty() {
                        return;
                    }
                    let here = usize::try_from(left).map_or(self.unread.len(), |left| left.min(self.unread.len()));
                    self.passed = self.unread.split_to(here).freeze();
                    self.state = State::Exact(left - here as u64);
                }
                State::Chunked(mut chunked) => {
                    match chunked.advance(&mut self.unread) {
                        Ok(Some(given)) => self.passed = given,
                        Ok(None) => {
                            self.state = State::Chunked(chunked);
                            return;
                        }
                        Err(_) => return self.break_body(),
                    }
                    self.state = State::Chunked(chunked);
                }
                State::Opaque => {
                    if self.unread.is_empty() {
                        return;
                    }
                    self.passed = self.unread.split().freeze();
                }
                State::Refused => return self.unread.clear(),
            }
        }
    }

    fn refuse(&mut self, instead: Bytes) {
        self.state = State::Refused;
        self.unread.clear();
        self.passed = instead;
    }

    /// Whoever watches for broken bodies is told and gets nothing more to read. A server that nobody watches for finds
    /// the break itself.
    fn break_body(&mut self) {
        let watched = self.broken.receiver_count() > 0;
        if watched {
            self.last_answer = LastAnswer::Due(None);
        }
        self.broken.send_replace(true);
        self.refuse(if watched { Bytes::new() } else { BROKEN_CHUNK });
    }

    /// One empty line in front of a request is a leftover of old clients (RFC 9112 section 2.2).
    fn skip_empty_line(&mut self) {
        if self.unread.starts_with(b"\r\n") {
            self.unread.advance(2);
        }
    }
}

impl State {
    const fn after_head(length: Length) -> Self {
        match length {
            Length::Exact(length) => Self::Exact(length),
            Length::Chunked => Self::Chunked(Chunked::Size),
            // A server that does not take up the offer closes the connection, see `Front`.
            Length::Upgrade => Self::Opaque,
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
        self.unread.extend_from_slice(buffer.filled());
        Poll::Ready(Ok(()))
    }

    /// Large bodies and other protocols need no second copy.
    fn poll_through(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = out.filled().len();
        match self.state {
            State::Exact(left) => {
                let room = usize::try_from(left).map_or(out.remaining(), |left| left.min(out.remaining()));
                let mut limited = ReadBuf::new(out.initialize_unfilled_to(room));
                ready!(Pin::new(&mut self.io).poll_read(cx, &mut limited))?;
                let here = limited.filled().len();
                out.advance(here);
                self.state = State::Exact(left - here as u64);
            }
            _ => ready!(Pin::new(&mut self.io).poll_read(cx, out))?,
        }
        if out.filled().len() == before {
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
            if this.input == Input::Ended || matches!(this.last_answer, LastAnswer::Given) {
                return Poll::Ready(Ok(()));
            }
            this.last_answer.wait(cx);
            if matches!(this.state, State::Exact(1..) | State::Opaque) {
                return this.poll_through(cx, out);
            }
            ready!(this.poll_fill(cx))?;
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guarded<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, bytes))?;
        self.last_answer.written();
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, bytes))?;
        self.last_answer.written();
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.io).poll_flush(cx))?;
        self.last_answer.flushed();
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
            this.unread.clear();
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
