//! The body of an answer: a component's, an event stream, or another hub's.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;

use super::relay::Relayed;
use crate::sse::StreamingBody;

/// The body of an answer.
pub(crate) enum AnswerBody {
    /// What a component answers, or the host in one piece.
    Whole(reef_runtime::Body),
    /// An event stream.
    Events(StreamingBody),
    /// What a hub elsewhere answers.
    Relayed(Relayed),
}

impl AnswerBody {
    /// A body in one piece.
    pub(super) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(reef_runtime::Body::Full(Full::new(bytes.into())))
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = anyhow::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, anyhow::Error>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(cx),
            Self::Events(body) => Pin::new(body)
                .poll_frame(cx)
                .map(|frame| frame.map(|result| result.map_err(|never| match never {}))),
            Self::Relayed(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Events(body) => body.is_end_stream(),
            Self::Relayed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Events(body) => body.size_hint(),
            Self::Relayed(body) => body.size_hint(),
        }
    }
}
