//! Batches that are read ahead of who takes them.

use arrow_array::RecordBatch;
use futures::StreamExt;
use tokio::sync::mpsc;

use super::BatchStream;
use crate::model::Failure;

/// Batches read ahead, unless they are large.
pub const BATCHES_AHEAD: usize = 2;

pub type Batch = Result<RecordBatch, Failure>;

/// Streams what `work` sends, from a task of its own. The task ends when the stream is dropped; the failure that it ends with is the stream's
/// last word.
pub fn streamed<Work>(ahead: usize, work: impl FnOnce(mpsc::Sender<Batch>) -> Work) -> BatchStream
where
    Work: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(ahead);
    let working = work(sender.clone());
    let task = tokio::spawn(async move {
        let worked = tokio::select! {
            worked = working => worked,
            () = sender.closed() => return,
        };
        if let Err(failure) = worked {
            // Nobody listening any more needs no answer.
            let _ = sender.send(Err(failure)).await;
        }
    });
    futures::stream::unfold((receiver, Some(task)), |(mut receiver, mut task)| async move {
        if let Some(batch) = receiver.recv().await {
            return Some((batch, (receiver, task)));
        }
        // A task that did not come to its end has not sent all rows.
        let interrupted = task.take()?.await.is_err();
        interrupted.then(|| {
            let failure = Failure::permanent(
                "rows.interrupted",
                "the reading of rows ended unexpectedly, before all were read",
            );
            (Err(failure), (receiver, None))
        })
    })
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn rows_that_a_defect_cuts_off_do_not_look_complete() {
        let mut batches = streamed(BATCHES_AHEAD, |sender| async move {
            drop(sender);
            assert!(std::hint::black_box(false), "a defect");
            Ok(())
        });
        assert_eq!(batches.next().await.unwrap().unwrap_err().code, "rows.interrupted");
        assert!(batches.next().await.is_none());
        let mut batches = streamed(BATCHES_AHEAD, |_| async { Ok(()) });
        assert!(batches.next().await.is_none());
    }
}
