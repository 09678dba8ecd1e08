//! Queues: messages sent, none ever read.
//!
//! What the engine sees of a queue is the trait below. Sending is at least once: a message whose answer was lost is sent again with
//! the same id, and it is the consumer's to recognise it.

mod azure;
mod jsonl;

pub(super) use azure::AzureQueue;
pub(super) use jsonl::JsonlQueue;

use futures::future::BoxFuture;

use crate::model::Failure;

/// A message to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The same at each repetition of one message. A queue that has room for it beside the body carries it.
    pub id: &'a str,
    /// What the consumer reads, exactly.
    pub body: &'a str,
}

/// A system that takes messages.
pub trait Queue: Send + Sync {
    /// Sends a message. On success it is durable at the queue; after a failure, or when this is dropped, it may be there all the same.
    ///
    /// # Errors
    /// Codes `queue.…`; no message holds a body. Class `data` when the queue cannot carry this body, whatever is tried.
    fn send<'a>(&'a self, message: Message<'a>) -> BoxFuture<'a, Result<(), Failure>>;

    /// One cheap call that proves address and credentials, for `validate --connect`. It sends nothing and creates nothing.
    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>>;
}
