//! Whether a connection speaks HTTP/1 or HTTP/2.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::Guarded;

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.0 or HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// How every HTTP/2 connection begins (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Reads as much of a connection as it takes to tell what it speaks. HTTP/1 heads longer than `longest_head` will be
/// refused.
///
/// # Errors
/// Reading fails, or the connection ends before it began.
pub async fn recognise<T: AsyncRead + Unpin>(mut io: T, longest_head: usize) -> io::Result<(Guarded<T>, Protocol)> {
    let mut begun = BytesMut::with_capacity(8 * 1024);
    loop {
        if io.read_buf(&mut begun).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let common = begun.len().min(PREFACE.len());
        if begun[..common] != PREFACE[..common] {
            return Ok((Guarded::http1(io, begun, longest_head), Protocol::Http1));
        }
        if common == PREFACE.len() {
            return Ok((Guarded::http2(io, begun), Protocol::Http2));
        }
    }
}
