//! Following a chunked body (RFC 9112 section 7.1) from chunk to chunk.

use auth_core::RequestFault;
use bytes::{Buf as _, Bytes, BytesMut};

/// The longest line around the data. Sizes take 16 digits; extensions and trailers are read and thrown away, so what is
/// left is a bound on how much of them somebody may make us read.
const LONGEST_LINE: usize = 4 * 1024;

/// The most lines of trailers.
const MOST_TRAILERS: u32 = 64;

/// Where in the body the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunked {
    /// Before the size of a chunk.
    Size,
    /// In a chunk, with so many bytes left.
    Data(u64),
    /// Behind the data of a chunk.
    End,
    /// Behind the last chunk, after so many lines of trailers.
    Trailers(u32),
    /// Behind the body.
    Done,
}

impl Chunked {
    /// Takes what is whole from the front of `bytes` and answers what the server behind gets for it; `None` while more
    /// has to come.
    ///
    /// The server gets sizes in one spelling, without extensions and trailers.
    pub(super) fn advance(&mut self, bytes: &mut BytesMut) -> Result<Option<Bytes>, RequestFault> {
        loop {
            match *self {
                Self::Size => {
                    let Some(line) = take_line(bytes)? else { return Ok(None) };
                    let size = parse_size(&line)?;
                    if size > 0 {
                        *self = Self::Data(size);
                        return Ok(Some(format!("{size:x}\r\n").into()));
                    }
                    *self = Self::Trailers(0);
                }
                Self::Data(left) => {
                    if bytes.is_empty() {
                        return Ok(None);
                    }
                    let here = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
                    let left = left - here as u64;
                    *self = if left == 0 { Self::End } else { Self::Data(left) };
                    return Ok(Some(bytes.split_to(here).freeze()));
                }
                Self::End => {
                    let expected = &b"\r\n"[..bytes.len().min(2)];
                    if !bytes.starts_with(expected) {
                        return Err(RequestFault::Framing);
                    }
                    if bytes.len() < 2 {
                        return Ok(None);
                    }
                    bytes.advance(2);
                    *self = Self::Size;
                    return Ok(Some(Bytes::from_static(b"\r\n")));
                }
                Self::Trailers(lines) => {
                    let Some(line) = take_line(bytes)? else { return Ok(None) };
                    if line.is_empty() {
                        *self = Self::Done;
                        return Ok(Some(Bytes::from_static(b"0\r\n\r\n")));
                    }
                    if lines == MOST_TRAILERS || !line.contains(&b':') {
                        return Err(RequestFault::Framing);
                    }
                    *self = Self::Trailers(lines + 1);
                }
                Self::Done => return Ok(None),
            }
        }
    }
}

/// A whole line without its end.
fn take_line(bytes: &mut BytesMut) -> Result<Option<Bytes>, RequestFault> {
    let Some(at) = bytes.iter().take(LONGEST_LINE).position(|byte| matches!(byte, b'\r' | b'\n')) else {
        return if bytes.len() >= LONGEST_LINE { Err(RequestFault::Framing) } else { Ok(None) };
    };
    match (bytes[at], bytes.get(at + 1)) {
        (b'\r', Some(b'\n')) => {
            let line = bytes.split_to(at).freeze();
            bytes.advance(2);
            Ok(Some(line))
        }
        (b'\r', None) => Ok(None),
        _ => Err(RequestFault::Framing),
    }
}

/// Hexadecimal digits, then perhaps an extension, which nobody here understands and which is dropped.
fn parse_size(line: &[u8]) -> Result<u64, RequestFault> {
    let digits = line.split(|&byte| byte == b';').next().unwrap_or_default();
    let has_extension = digits.len() < line.len();
    // White space is allowed before the semicolon of an extension, for the sake of old senders, and nowhere else.
    let digits = if has_extension { digits.trim_ascii_end() } else { digits };
    if digits.is_empty() || digits.len() > 16 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(RequestFault::Framing);
    }
    let text = std::str::from_utf8(digits).map_err(|_| RequestFault::Framing)?;
    u64::from_str_radix(text, 16).map_err(|_| RequestFault::Framing)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the server gets of a body that arrives in pieces of that size, and what is left behind it.
    fn passed(body: &[u8], piece: usize) -> Result<(Vec<u8>, Vec<u8>), RequestFault> {
        let (mut state, mut bytes, mut out) = (Chunked::Size, BytesMut::new(), Vec::new());
        for piece in body.chunks(piece) {
            bytes.extend_from_slice(piece);
            while let Some(given) = state.advance(&mut bytes)? {
                out.extend_from_slice(&given);
            }
        }
        assert_eq!(state, Chunked::Done, "the body ends");
        Ok((out, bytes.to_vec()))
    }

    #[test]
    fn extensions_and_trailers_are_dropped_and_sizes_have_one_spelling() {
        let body =
            b"0005;a=b;c=\"d\"\r\nhello\r\nA \t;x\r\n0123456789\r\n000\r\nX-Auth-Subject: admin\r\n\r\nGET /next";
        for piece in [1, 2, 3, 7, 1_000] {
            let (out, rest) = passed(body, piece).unwrap();
            assert_eq!(out, b"5\r\nhello\r\na\r\n0123456789\r\n0\r\n\r\n".to_vec());
            assert!(b"GET /next".starts_with(&rest[..]) || rest == b"GET /next");
        }
    }

    #[test]
    fn chunks_with_two_readings_are_refused() {
        for body in [
            &b"5 \r\nhello\r\n0\r\n\r\n"[..],
            b" 5\r\nhello\r\n0\r\n\r\n",
            b"0x5\r\nhello\r\n0\r\n\r\n",
            b"+5\r\nhello\r\n0\r\n\r\n",
            b"5\nhello\r\n0\r\n\r\n",
            b"5;a\nb\r\nhello\r\n0\r\n\r\n",
            b"5;a\rb\r\nhello\r\n0\r\n\r\n",
            b"5\r\nhelloo\r\n0\r\n\r\n",
            b"5\r\nhello\n0\r\n\r\n",
            b"\r\n",
            b"fffffffffffffffff\r\n",
            b"0\r\nno colon\r\n\r\n",
            b"0\r\nA: b\n\r\n",
        ] {
            for piece in [1, 3, 1_000] {
                assert_eq!(
                    passed(body, piece).unwrap_err(),
                    RequestFault::Framing,
                    "{:?}",
                    String::from_utf8_lossy(body)
                );
            }
        }
        assert_eq!(passed(&[b"5;".to_vec(), vec![b'a'; 5_000]].concat(), 100).unwrap_err(), RequestFault::Framing);
    }
}
