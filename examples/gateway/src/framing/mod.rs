//! One reading of every request on a connection, or none.
//!
//! HTTP/1 tells where a message ends in several ways, and two servers that disagree about it can be made to see
//! different requests in the same bytes. The servers under this gateway each resolve such messages in their own way,
//! some silently (one drops a `Content-Length` beside `Transfer-Encoding` before any handler could see it), so a
//! [`Guarded`] stream stands between the socket and the server. It follows the boundaries of the messages and hands
//! over only what has one reading:
//!
//! * lines end in CR LF; no bare CR or LF, no folded lines, no space before a colon, no control characters;
//! * `Content-Length` occurs once and is a number, or `Transfer-Encoding` occurs once and is `chunked`, never both;
//! * an HTTP/1.1 request has one `Host`; an absolute target names the same host; a target has no fragment;
//! * chunks are spelled out: sizes in plain hexadecimal, no extensions to hide in, no trailers;
//! * no `CONNECT`, and no body in a request for a WebSocket, which servers frame differently.
//!
//! What is refused is replaced by a request of the gateway's own, marked so that [`fault_of`] recognises it and the
//! answer takes the same way as any other: in order behind earlier requests on the connection, in the configured error
//! shape, and followed by the end of the connection. HTTP/2 has one framing only and passes untouched.

mod broken;
mod chunked;
mod following;
mod guarded;
mod head;
mod mark;
mod protocol;

pub use broken::BrokenBody;
pub use guarded::Guarded;
pub use mark::fault_of;
pub use protocol::{Protocol, recognise};
