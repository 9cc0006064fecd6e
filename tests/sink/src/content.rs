use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::objects::MadeUp;

/// What an answer carries.
pub(crate) enum Content {
    Text(Option<Bytes>),
    MadeUp { object: Arc<MadeUp>, offset: u64, end: u64 },
}

impl Content {
    pub(crate) fn text(text: impl Into<Bytes>) -> Self {
        Self::Text(Some(text.into()).filter(|text: &Bytes| !text.is_empty()))
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(match &mut *self {
            Self::Text(text) => text.take().map(|text| Ok(Frame::data(text))),
            Self::MadeUp { offset, end, .. } if offset == end => None,
            Self::MadeUp { object, offset, end } => {
                let piece = object.piece(*offset, *end);
                *offset += piece.len() as u64;
                Some(Ok(Frame::data(piece)))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Text(text) => text.is_none(),
            Self::MadeUp { offset, end, .. } => offset == end,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Text(text) => text.as_ref().map_or(0, |text| text.len() as u64),
            Self::MadeUp { offset, end, .. } => end - offset,
        })
    }
}
