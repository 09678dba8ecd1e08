use tokio::sync::{mpsc, oneshot};

use crate::model::Event;

/// Events under way to the dispatcher; workers wait when it falls behind by this many.
pub const CHANNEL_EVENTS: usize = 4_096;

/// An event, and whom to tell when it is durable.
#[derive(Debug)]
pub struct Envelope {
    pub event: Event,
    pub durable: Option<oneshot::Sender<()>>,
}

/// The dispatcher is gone: the run is over, and nothing more can be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunOver;

/// Where workers send what they did.
#[derive(Clone, Debug)]
pub struct EventSink {
    sender: mpsc::Sender<Envelope>,
}

impl EventSink {
    pub fn channel() -> (Self, mpsc::Receiver<Envelope>) {
        let (sender, receiver) = mpsc::channel(CHANNEL_EVENTS);
        (Self { sender }, receiver)
    }

    pub async fn send(&self, event: Event) -> Result<(), RunOver> {
        self.sender
            .send(Envelope { event, durable: None })
            .await
            .map_err(|_| RunOver)
    }

    /// Returns when the event, and every one sent before it by the same worker, survives a kill.
    pub async fn send_durable(&self, event: Event) -> Result<(), RunOver> {
        let (durable, acknowledged) = oneshot::channel();
        let envelope = Envelope {
            event,
            durable: Some(durable),
        };
        self.sender.send(envelope).await.map_err(|_| RunOver)?;
        acknowledged.await.map_err(|_| RunOver)
    }
}
