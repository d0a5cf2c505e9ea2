//! An HTTP/1 client that sends what it is told and shows what it gets.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::process::soon;

/// One side of a connection, as a client or as an upstream.
pub(crate) struct Connection<T = TcpStream> {
    pub(crate) stream: T,
    unread: Vec<u8>,
}

/// A response, or a request as an upstream sees it.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The status line or the request line.
    pub(crate) line: String,
    /// The fields, names in lower case.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self::new(soon("connecting", TcpStream::connect(address)).await.unwrap())
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Connection<T> {
    pub(crate) fn new(stream: T) -> Self {
        Self { stream, unread: Vec::new() }
    }

    /// Writes text, line feeds as CR LF.
    pub(crate) async fn say(&mut self, text: &str) {
        self.send(text.replace('\n', "\r\n").as_bytes()).await;
    }

    /// Writes bytes as they are.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        soon("writing", self.stream.write_all(bytes)).await.unwrap();
        soon("flushing", self.stream.flush()).await.unwrap();
    }

    /// Writes a request and reads its answer.
    pub(crate) async fn ask(&mut self, request: &str) -> Answer {
        self.say(request).await;
        self.answer_to(request.split(' ').next().unwrap()).await
    }

    /// Reads an answer to a request with that method.
    pub(crate) async fn answer_to(&mut self, method: &str) -> Answer {
        let mut answer = self.head().await;
        if method != "HEAD" && !matches!(answer.status(), 204 | 304) {
            answer.body = self.body(&answer).await;
        }
        answer
    }

    /// Reads a request with its body, as an upstream.
    pub(crate) async fn request(&mut self) -> Answer {
        let mut request = self.head().await;
        if request.field("content-length").is_some() || request.field("transfer-encoding").is_some() {
            request.body = self.body(&request).await;
        }
        request
    }

    /// Reads a head alone.
    pub(crate) async fn head(&mut self) -> Answer {
        let head = self.until("\r\n\r\n").await;
        let mut lines = head.lines();
        let line = lines.next().unwrap().to_owned();
        let fields = lines.filter(|line| !line.is_empty()).map(|line| {
            let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("not a field: {line:?}"));
            (name.to_ascii_lowercase(), value.trim().to_owned())
        });
        Answer { line, fields: fields.collect(), body: Vec::new() }
    }

    async fn body(&mut self, head: &Answer) -> Vec<u8> {
        if head.field("transfer-encoding").is_some() {
            let mut body = Vec::new();
            loop {
                let chunk = self.chunk().await;
                if chunk.is_empty() {
                    return body;
                }
                body.extend(chunk);
            }
        }
        match head.field("content-length") {
            Some(length) => self.exactly(length.parse().unwrap()).await,
            None => self.rest().await,
        }
    }

    /// Reads one chunk of a chunked body; the last one is empty.
    pub(crate) async fn chunk(&mut self) -> Vec<u8> {
        let size = self.until("\r\n").await;
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or_else(|_| panic!("not a chunk: {size:?}"));
        let chunk = self.exactly(size).await;
        assert_eq!(self.exactly(2).await, b"\r\n");
        chunk
    }

    /// Reads up to and including that text.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        loop {
            if let Some(at) = self.unread.windows(end.len()).position(|window| window == end.as_bytes()) {
                let taken: Vec<u8> = self.unread.drain(..at + end.len()).collect();
                return String::from_utf8(taken).unwrap();
            }
            let had = String::from_utf8_lossy(&self.unread).into_owned();
            assert!(self.read_more().await, "the connection ended after {had:?}, before {end:?}");
        }
    }

    pub(crate) async fn exactly(&mut self, length: usize) -> Vec<u8> {
        while self.unread.len() < length {
            assert!(self.read_more().await, "the connection ended within {length} bytes");
        }
        self.unread.drain(..length).collect()
    }

    /// Reads to the end of the connection; a reset is an end.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.read_more().await {}
        std::mem::take(&mut self.unread)
    }

    /// Whether something has arrived by now.
    pub(crate) async fn has_something(&mut self) -> bool {
        if !self.unread.is_empty() {
            return true;
        }
        let mut piece = [0; 1024];
        let read = tokio::select! {
            biased;
            read = self.stream.read(&mut piece) => read.unwrap_or(0),
            () = std::future::ready(()) => 0,
        };
        self.unread.extend_from_slice(&piece[..read]);
        read > 0
    }

    async fn read_more(&mut self) -> bool {
        let mut piece = vec![0; 16 * 1024];
        let read = soon("reading", self.stream.read(&mut piece)).await.unwrap_or(0);
        self.unread.extend_from_slice(&piece[..read]);
        read > 0
    }
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.line.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// The method and target of a request.
    pub(crate) fn target(&self) -> (&str, &str) {
        let mut words = self.line.split(' ');
        (words.next().unwrap(), words.next().unwrap())
    }

    /// The value of a field that must not be repeated.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str());
        let value = values.next();
        assert!(values.next().is_none(), "{name} is repeated in {self:?}");
        value
    }

    /// The values of a field that may be repeated, as one list.
    pub(crate) fn list(&self, name: &str) -> String {
        let values = self.fields.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str());
        values.collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// What the echo upstream saw of a field, all lines.
    pub(crate) fn echoed(&self, name: &str) -> Vec<String> {
        let lines = &self.json()["headers"][name];
        lines
            .as_array()
            .map_or_else(Vec::new, |lines| lines.iter().map(|line| line.as_str().unwrap().to_owned()).collect())
    }
}
