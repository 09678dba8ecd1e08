use std::collections::VecDeque;

use bytes::Bytes;
use futures::{Stream, StreamExt};

use super::RowStream;
use crate::model::{Failure, Row};

/// Turns pieces of text, cut anywhere, into rows.
pub(super) trait Decoder: Send + 'static {
    /// Takes the next piece, and adds the rows that it completes.
    fn push(&mut self, bytes: &[u8], rows: &mut VecDeque<Row>) -> Result<(), Failure>;

    /// Takes the end of the text, and adds the row that it completes, if any.
    fn finish(&mut self, rows: &mut VecDeque<Row>) -> Result<(), Failure>;
}

/// Bytes handed to a decoder at once: what bounds the rows that wait for the consumer.
const PIECE_BYTES_MAX: usize = 64 << 10;

struct State<S, D> {
    bytes: S,
    /// What is left of the piece that came last.
    piece: Bytes,
    decoder: D,
    rows: VecDeque<Row>,
    /// Met behind the rows that still wait.
    failure: Option<Failure>,
    ended: bool,
}

pub(super) fn decode<S, D>(bytes: S, decoder: D) -> RowStream
where
    S: Stream<Item = Result<Bytes, Failure>> + Send + 'static,
    D: Decoder,
{
    let state = State {
        bytes: Box::pin(bytes),
        piece: Bytes::new(),
        decoder,
        rows: VecDeque::new(),
        failure: None,
        ended: false,
    };
    futures::stream::unfold(state, |mut state| async move {
        loop {
            if let Some(row) = state.rows.pop_front() {
                return Some((Ok(row), state));
            }
            if let Some(failure) = state.failure.take() {
                return Some((Err(failure), state));
            }
            if state.ended {
                return None;
            }
            state.advance().await;
        }
    })
    .boxed()
}

impl<S, D> State<S, D>
where
    S: Stream<Item = Result<Bytes, Failure>> + Unpin,
    D: Decoder,
{
    async fn advance(&mut self) {
        let outcome = if self.piece.is_empty() {
            match self.bytes.next().await {
                Some(Ok(piece)) => {
                    self.piece = piece;
                    Ok(())
                }
                Some(Err(failure)) => Err(failure),
                None => {
                    self.ended = true;
                    self.decoder.finish(&mut self.rows)
                }
            }
        } else {
            let piece = self.piece.split_to(self.piece.len().min(PIECE_BYTES_MAX));
            self.decoder.push(&piece, &mut self.rows)
        };
        if let Err(failure) = outcome {
            self.failure = Some(failure);
            self.ended = true;
        }
    }
}
