//! The body of a response.

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::Full;
use http_body_util::combinators::UnsyncBoxBody;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::OwnedSemaphorePermit;

/// The body of a response.
pub enum Body {
    /// A whole body, of a length that is known and can be announced.
    Full(Full<Bytes>),
    /// A body that the component is still writing.
    Stream(Stream),
}

/// A body that a component is still writing. It holds the component's place among the calls that
/// are under way until it ends.
pub struct Stream {
    inner: UnsyncBoxBody<Bytes, anyhow::Error>,
    _place: OwnedSemaphorePermit,
}

impl Body {
    pub(crate) fn full(bytes: Vec<u8>) -> Self {
        Self::Full(Full::new(Bytes::from(bytes)))
    }

    pub(crate) fn stream(
        inner: UnsyncBoxBody<Bytes, anyhow::Error>,
        place: OwnedSemaphorePermit,
    ) -> Self {
        Self::Stream(Stream { inner, _place: place })
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = anyhow::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, anyhow::Error>>> {
        match self.get_mut() {
            Self::Full(body) => Pin::new(body)
                .poll_frame(cx)
                .map(|frame| frame.map(|result| result.map_err(|never| match never {}))),
            Self::Stream(stream) => Pin::new(&mut stream.inner).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(body) => body.is_end_stream(),
            Self::Stream(stream) => stream.inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(body) => body.size_hint(),
            Self::Stream(stream) => stream.inner.size_hint(),
        }
    }
}
