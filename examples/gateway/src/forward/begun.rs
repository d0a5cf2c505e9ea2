//! A body of which something was read already.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// What was read, then the rest.
#[derive(Debug)]
pub(super) struct Begun<B> {
    pub(super) first: Option<Frame<Bytes>>,
    pub(super) rest: B,
}

impl<B: Body<Data = Bytes> + Unpin> Body for Begun<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(Ok(first))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.first.as_ref().and_then(Frame::data_ref).map_or(0, |data| data.len() as u64);
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(read));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(read));
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Full};

    use super::*;

    #[tokio::test]
    async fn nothing_is_lost_and_the_length_stays() {
        let first = Some(Frame::data(Bytes::from_static(b"ab")));
        let begun = Begun { first, rest: Full::new(Bytes::from_static(b"cde")) };
        assert_eq!(begun.size_hint().exact(), Some(5));
        assert!(!begun.is_end_stream());
        assert_eq!(begun.collect().await.unwrap().to_bytes(), "abcde");
    }
}
