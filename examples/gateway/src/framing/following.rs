//! Following a connection from message to message.

use auth_core::RequestFault;
use bytes::{Buf as _, Bytes, BytesMut};

use super::chunked::Chunked;
use super::head::{self, Length, Refused};
use super::mark::stand_in;

/// What was read of a connection, and where in a message it stands.
#[derive(Debug)]
pub(super) struct Following {
    state: State,
    /// Read and not judged yet.
    unread: BytesMut,
    longest_head: usize,
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

/// What comes of judging.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// This is for the server.
    Passed(Bytes),
    /// The body that the server is reading cannot be read on. Nothing further will pass.
    BrokenBody,
    /// More has to be read first.
    Incomplete,
}

/// How much of what comes next needs no judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unjudged {
    /// None of it.
    Nothing,
    /// So many bytes of a body.
    Bytes(u64),
    /// All of it.
    Everything,
}

impl Following {
    /// A connection that speaks HTTP/1 and of which something was read already.
    pub(super) fn http1(begun: BytesMut, longest_head: usize) -> Self {
        Self { state: State::Head(0), unread: begun, longest_head: longest_head.min(head::LONGEST_HEAD) }
    }

    /// A connection that speaks something with one framing.
    pub(super) fn opaque(begun: BytesMut) -> Self {
        Self { state: State::Opaque, unread: begun, longest_head: 0 }
    }

    /// Takes in what was read.
    pub(super) fn push(&mut self, read: &[u8]) {
        if !matches!(self.state, State::Refused) {
            self.unread.extend_from_slice(read);
        }
    }

    /// Judges what was read, up to the next piece that is for the server.
    pub(super) fn judge(&mut self) -> Judged {
        loop {
            match self.state {
                State::Head(known) => match self.judge_head(known) {
                    Ok(Some(head)) => return Judged::Passed(head),
                    Ok(None) => return Judged::Incomplete,
                    Err(Refused { fault, is_head }) => {
                        self.refuse();
                        return Judged::Passed(stand_in(is_head, fault));
                    }
                },
                State::Exact(0) | State::Chunked(Chunked::Done) => self.state = State::Head(0),
                State::Exact(left) if !self.unread.is_empty() => {
                    let here = usize::try_from(left).map_or(self.unread.len(), |left| left.min(self.unread.len()));
                    self.state = State::Exact(left - here as u64);
                    return Judged::Passed(self.unread.split_to(here).freeze());
                }
                State::Chunked(mut chunked) => {
                    let advanced = chunked.advance(&mut self.unread);
                    self.state = State::Chunked(chunked);
                    return match advanced {
                        Ok(Some(given)) => Judged::Passed(given),
                        Ok(None) => Judged::Incomplete,
                        Err(_) => {
                            self.refuse();
                            Judged::BrokenBody
                        }
                    };
                }
                State::Opaque if !self.unread.is_empty() => return Judged::Passed(self.unread.split().freeze()),
                State::Exact(_) | State::Opaque | State::Refused => return Judged::Incomplete,
            }
        }
    }

    /// How much of what is read next may go to the server as it is. Large bodies and other protocols so need no second
    /// copy.
    pub(super) fn unjudged(&self) -> Unjudged {
        match self.state {
            _ if !self.unread.is_empty() => Unjudged::Nothing,
            State::Exact(left) if left > 0 => Unjudged::Bytes(left),
            State::Opaque => Unjudged::Everything,
            _ => Unjudged::Nothing,
        }
    }

    /// So much of a body went to the server as it is.
    pub(super) fn skipped(&mut self, length: usize) {
        if let State::Exact(left) = &mut self.state {
            *left = left.saturating_sub(length as u64);
        }
    }

    fn judge_head(&mut self, mut known: usize) -> Result<Option<Bytes>, Refused> {
        // One empty line in front of a request is a leftover of old clients (RFC 9112 section 2.2).
        if known == 0 && self.unread.starts_with(b"\r\n") {
            self.unread.advance(2);
        }
        let refused = |fault: RequestFault| Refused { fault, is_head: self.unread.starts_with(b"HEAD ") };
        let end = head::find_end(&self.unread, &mut known, self.longest_head).map_err(refused)?;
        let Some(end) = end else {
            self.state = State::Head(known);
            return Ok(None);
        };
        self.state = match head::read(&self.unread[..end])? {
            Length::Exact(length) => State::Exact(length),
            Length::Chunked => State::Chunked(Chunked::Size),
            // A server that does not take up the offer closes the connection, see `Passage`.
            Length::Upgrade => State::Opaque,
        };
        Ok(Some(self.unread.split_to(end).freeze()))
    }

    fn refuse(&mut self) {
        self.state = State::Refused;
        self.unread.clear();
    }
}
