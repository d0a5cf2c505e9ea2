//! The body of a response: the inner service's, or a refusal's.

use std::borrow::Cow;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

/// How the gate's own answers and those of the service behind it come to be of one body type: [`Unchanged`] and [`Wrapped`]
/// are the ways there are.
pub trait Bodies<Inner>: sealed::Sealed {
    /// The type of both.
    type Body;

    /// The inner service's body.
    fn pass(inner: Inner) -> Self::Body;

    /// The bytes of an answer of the gate's own.
    fn reply(bytes: Bytes) -> Self::Body;
}

mod sealed {
    /// More ways may need more than two functions.
    pub trait Sealed {}

    impl Sealed for super::Unchanged {}
    impl Sealed for super::Wrapped {}
}

/// The service's own body type, which can be made of bytes, as axum's and `http_body_util::Full<Bytes>` can: the default.
///
/// A body passes as it is, and axum need not box it once more. Other bodies need
/// [`any_body`](crate::AuthLayer::any_body).
#[derive(Clone, Copy, Debug)]
pub struct Unchanged;

impl<B: From<Bytes>> Bodies<B> for Unchanged {
    type Body = B;

    fn pass(inner: B) -> B {
        inner
    }

    fn reply(bytes: Bytes) -> B {
        B::from(bytes)
    }
}

/// Any body type at all, wrapped in a [`ResponseBody`].
#[derive(Clone, Copy, Debug)]
pub struct Wrapped;

impl<B> Bodies<B> for Wrapped {
    type Body = ResponseBody<B>;

    fn pass(inner: B) -> ResponseBody<B> {
        ResponseBody { kind: Kind::Inner { body: inner } }
    }

    fn reply(bytes: Bytes) -> ResponseBody<B> {
        bytes.into()
    }
}

/// The bytes of a reply.
pub(crate) fn bytes(body: Cow<'static, [u8]>) -> Bytes {
    match body {
        Cow::Borrowed(constant) => Bytes::from_static(constant),
        Cow::Owned(rendered) => Bytes::from(rendered),
    }
}

pin_project! {
    /// Either the inner service's body, untouched, or the bytes of an answer of the gate's or an endpoint's own; made by
    /// layers with [`any_body`](crate::AuthLayer::any_body).
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProjection]
    #[derive(Debug)]
    enum Kind<B> {
        Inner { #[pin] body: B },
        Reply { bytes: Bytes },
    }
}

/// So that layers around one that wraps need not wrap again.
impl<B> From<Bytes> for ResponseBody<B> {
    fn from(bytes: Bytes) -> Self {
        Self { kind: Kind::Reply { bytes } }
    }
}

impl<B: Body<Data = Bytes>> Body for ResponseBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().kind.project() {
            KindProjection::Inner { body } => body.poll_frame(cx),
            KindProjection::Reply { bytes } => {
                let all = std::mem::take(bytes);
                Poll::Ready((!all.is_empty()).then(|| Ok(Frame::data(all))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Inner { body } => body.is_end_stream(),
            Kind::Reply { bytes } => bytes.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Inner { body } => body.size_hint(),
            Kind::Reply { bytes } => SizeHint::with_exact(bytes.len() as u64),
        }
    }
}
