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
    tokio::spawn(async move {
        let worked = tokio::select! {
            worked = working => worked,
            () = sender.closed() => return,
        };
        if let Err(failure) = worked {
            // Nobody listening any more needs no answer.
            let _ = sender.send(Err(failure)).await;
        }
    });
    futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|batch| (batch, receiver))
    })
    .boxed()
}
