use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::{Bytes, BytesMut};
use http::response::Parts;
use http_body::Body as _;
use hyper::body::Incoming;

use super::answer::Fault;
use super::connection::{Connection, Pool};
use crate::content::Reading;

/// How long the next piece of an answer may take.
const PIECE_TIMEOUT: Duration = Duration::from_secs(60);

/// An answer whose content has not been read yet.
pub(crate) struct Reply {
    pub(crate) head: Parts,
    pub(super) reading: Option<Reading>,
    operation: &'static str,
    source: Source,
}

enum Source {
    Direct {
        content: Incoming,
        connection: Box<Connection>,
        pool: Arc<Pool>,
    },
    Through(SdkBody),
    /// All has been read, and its connection given back.
    Done,
}

impl Reply {
    pub(super) fn direct(
        operation: &'static str,
        head: Parts,
        content: Incoming,
        connection: Connection,
        pool: &Arc<Pool>,
    ) -> Self {
        let (connection, pool) = (Box::new(connection), Arc::clone(pool));
        Self { head, reading: None, operation, source: Source::Direct { content, connection, pool } }
    }

    pub(super) fn through(operation: &'static str, head: Parts, content: SdkBody) -> Self {
        Self { head, reading: None, operation, source: Source::Through(content) }
    }

    /// A header of the answer.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The next piece of its content; after the last one its connection is free for others.
    pub(crate) async fn piece(&mut self) -> Result<Option<Bytes>, Fault> {
        match tokio::time::timeout(PIECE_TIMEOUT, self.next()).await {
            Ok(piece) => piece,
            Err(_) => Err(Fault::timed_out(self.operation)),
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        let operation = self.operation;
        let piece = match &mut self.source {
            Source::Done => None,
            Source::Direct { content, connection, .. } => match connection.chunk(content).await {
                None => None,
                Some(piece) => Some(piece.map_err(|error| Fault::broken(operation, error))?),
            },
            Source::Through(content) => next_of(content)
                .await
                .map_err(|error| Fault::of_connector(operation, ConnectorError::io(error)))?,
        };
        if piece.is_none()
            && let Source::Direct { connection, pool, .. } = std::mem::replace(&mut self.source, Source::Done)
        {
            pool.give_back(*connection).await;
        }
        Ok(piece)
    }

    /// Everything that is left, up to so many bytes.
    pub(super) async fn rest(&mut self, at_most: usize) -> Result<Bytes, Fault> {
        let mut all = BytesMut::new();
        while let Some(piece) = self.piece().await? {
            if all.len() + piece.len() > at_most {
                let error = std::io::Error::other("the answer is far too long");
                return Err(Fault::broken(self.operation, error));
            }
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }
}

async fn next_of(
    content: &mut SdkBody,
) -> Result<Option<Bytes>, Box<dyn std::error::Error + Send + Sync + 'static>> {
    loop {
        match poll_fn(|context| Pin::new(&mut *content).poll_frame(context)).await {
            None => return Ok(None),
            Some(Err(error)) => return Err(error),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}
