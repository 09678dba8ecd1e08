use futures::{Stream, StreamExt};

use bytes::Bytes;

use super::ByteStream;
use crate::model::{Failure, FailureClass};

/// Lets a body through and ends it with a failure unless it has exactly the announced number of bytes.
///
/// HTTP clients check the length of a body only where the answer names it and is not encoded; a copy must never depend on that.
pub(super) fn exact<S>(body: S, name: &str, expected: u64) -> ByteStream
where
    S: Stream<Item = Result<Bytes, Failure>> + Send + 'static,
{
    let state = Some((Box::pin(body), name.to_owned(), 0_u64));
    futures::stream::unfold(state, move |state| async move {
        let (mut body, name, seen) = state?;
        match body.next().await {
            Some(Ok(bytes)) => {
                let seen = seen + bytes.len() as u64;
                if seen > expected {
                    Some((Err(too_long(&name, expected)), None))
                } else {
                    Some((Ok(bytes), Some((body, name, seen))))
                }
            }
            Some(Err(failure)) => Some((Err(failure), None)),
            None if seen < expected => Some((Err(too_short(&name, seen, expected)), None)),
            None => None,
        }
    })
    .boxed()
}

/// A body that ended early. Transient: the usual cause is a connection that was cut.
pub(super) fn too_short(name: &str, seen: u64, expected: u64) -> Failure {
    Failure::transient(
        "source.short",
        format!("`{name}`: the source ended after {seen} of {expected} bytes"),
    )
}

/// A body with more bytes than announced: what is read is not what was looked at.
pub(super) fn too_long(name: &str, expected: u64) -> Failure {
    Failure::new(
        FailureClass::Conflict,
        "source.long",
        format!("`{name}`: the source gave more than the {expected} bytes it had announced"),
    )
}

/// A call of a writer behind its end.
pub(super) fn already_ended(name: &str) -> Failure {
    Failure::permanent(
        "store.writer_ended",
        format!("the writing of `{name}` has already ended"),
    )
}

/// An object that is no longer the one that was looked at.
pub(super) fn changed(name: &str) -> Failure {
    Failure::new(
        FailureClass::Conflict,
        "source.changed",
        format!("`{name}` changed while it was read; run again when nothing writes to it"),
    )
}

#[cfg(test)]
mod tests {
    use futures::stream::iter;

    use super::*;

    async fn run(pieces: &'static [&'static str], expected: u64) -> Vec<Result<Bytes, Failure>> {
        let body = iter(pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))));
        exact(body, "a.bin", expected).collect().await
    }

    #[tokio::test]
    async fn only_a_body_of_the_announced_length_ends_without_a_failure() {
        assert!(run(&["ab", "c"], 3).await.iter().all(Result::is_ok));
        assert!(run(&[], 0).await.is_empty());
        let short = run(&["ab"], 3).await.pop().unwrap().unwrap_err();
        assert_eq!((short.class, &*short.code), (FailureClass::Transient, "source.short"));
        let long = run(&["ab", "cd", "ef"], 3).await;
        assert_eq!(long.len(), 2, "nothing comes after the failure");
        assert_eq!(long[1].as_ref().unwrap_err().code, "source.long");
    }
}
