use std::sync::Arc;

use futures::future::BoxFuture;

use super::Door;
use crate::connect::{Message, Queue};
use crate::model::Failure;

/// A queue whose sender holds a pass.
pub(in crate::connect) struct GatedQueue {
    inner: Arc<dyn Queue>,
    door: Door,
}

impl GatedQueue {
    pub fn new(inner: Arc<dyn Queue>, door: Door) -> Self {
        Self { inner, door }
    }
}

impl Queue for GatedQueue {
    fn send<'a>(&'a self, message: Message<'a>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            self.door.bandwidth().take(message.body.len() as u64).await;
            self.door.note(self.inner.send(message).await)
        })
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        self.inner.probe()
    }
}
