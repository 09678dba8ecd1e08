use futures::future::FutureExt;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};

use super::Door;
use crate::model::Failure;

/// A stream whose consumer may do other work between two pieces: it holds a pass only while it waits for the other side. What has arrived
/// already needs none.
pub(super) fn asked<T: Send + 'static>(
    stream: impl Stream<Item = Result<T, Failure>> + Send + 'static,
    door: Door,
) -> BoxStream<'static, Result<T, Failure>> {
    futures::stream::unfold((stream.boxed(), door), |(mut stream, door)| async move {
        let next = match stream.next().now_or_never() {
            Some(next) => next,
            None => match door.permit().await {
                Ok(_pass) => stream.next().await,
                Err(failure) => Some(Err(failure)),
            },
        }?;
        Some((named(next, &door), (stream, door)))
    })
    .boxed()
}

/// A stream that is read within a pass.
pub(super) fn noted<T: Send + 'static>(
    stream: impl Stream<Item = Result<T, Failure>> + Send + 'static,
    door: Door,
) -> BoxStream<'static, Result<T, Failure>> {
    stream.map(move |next| named(next, &door)).boxed()
}

/// Only failures are told of: the call as a whole has been noted when it was answered.
pub(super) fn named<T>(next: Result<T, Failure>, door: &Door) -> Result<T, Failure> {
    match next {
        Ok(value) => Ok(value),
        failed => door.note(failed),
    }
}
