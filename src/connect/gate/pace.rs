use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use crate::connect::ByteStream;
use crate::model::Failure;

/// After a pause so much time's worth may go at once; at least one piece always may.
const BURST: Duration = Duration::from_millis(100);

/// What one piece may cost at most, for figures so small that a clock could not hold the time.
const COST_MAX: Duration = Duration::from_secs(365 * 86_400);

/// Bytes that are paid for ahead of a read, where a tenth of a second lets so many through.
const GRAIN_MAX: u64 = 64 << 10;

/// So many pieces or bytes in a second, in the order in which they are asked for. Waiting can be given up at any moment and then takes
/// nothing.
#[derive(Debug)]
pub struct Pace {
    per_second: f64,
    /// When the next piece may go. Whoever waits holds the lock, which is what keeps the order.
    free_at: Mutex<Instant>,
}

impl Pace {
    pub fn new(per_second: f64) -> Self {
        let free_at = Mutex::new(Instant::now());
        Self { per_second, free_at }
    }

    /// Waits until the pieces before these have had their time.
    pub async fn take(&self, amount: u64) {
        if amount == 0 {
            return;
        }
        let mut free_at = self.free_at.lock().await;
        let now = Instant::now();
        let start = (*free_at).max(now.checked_sub(BURST).unwrap_or(now));
        if start > now {
            sleep_until(start).await;
        }
        let cost = Duration::try_from_secs_f64(amount as f64 / self.per_second).unwrap_or(COST_MAX);
        *free_at = start.checked_add(cost.min(COST_MAX)).unwrap_or(start);
    }
}

/// All paces that one kind of work keeps, the narrowest scope first, so that what waits for its own turn takes none of what all share.
#[derive(Clone, Debug, Default)]
pub struct Paces(Vec<Arc<Pace>>);

impl Paces {
    /// One pace, or none where there is no bound.
    pub fn of(per_second: Option<f64>) -> Self {
        Self(
            per_second
                .map(|per_second| Arc::new(Pace::new(per_second)))
                .into_iter()
                .collect(),
        )
    }

    /// These, and behind them the wider `others`.
    #[must_use]
    pub fn within(mut self, others: &Self) -> Self {
        self.0.extend(others.0.iter().cloned());
        self
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub async fn take(&self, amount: u64) {
        for pace in &self.0 {
            pace.take(amount).await;
        }
    }

    /// Bytes that are little enough to be paid for in advance.
    fn grain(&self) -> u64 {
        let slowest = self.0.iter().map(|pace| pace.per_second).fold(f64::INFINITY, f64::min);
        ((slowest * BURST.as_secs_f64()) as u64).clamp(1, GRAIN_MAX)
    }
}

/// The stream of an object of `size` bytes, no faster than its paces. Some bytes are paid for before each read, the rest of a piece before
/// it is handed on.
pub fn paced(stream: ByteStream, size: u64, paces: Paces) -> ByteStream {
    if paces.is_empty() {
        return stream;
    }
    let flow = Flow {
        stream,
        grain: paces.grain(),
        paces,
        paid: 0,
        left: size,
    };
    futures::stream::unfold(flow, |mut flow| async move {
        let next = flow.next().await?;
        Some((next, flow))
    })
    .boxed()
}

/// Parts of `part_size` that begin between two places of an object; its first part is the call itself.
pub fn further_parts(before: u64, after: u64, part_size: u64) -> u64 {
    let begun = |bytes: u64| bytes.saturating_sub(1) / part_size.max(1);
    begun(after).saturating_sub(begun(before))
}

struct Flow {
    stream: ByteStream,
    paces: Paces,
    grain: u64,
    /// Bytes paid for and not yet read.
    paid: u64,
    /// Bytes to come.
    left: u64,
}

impl Flow {
    async fn next(&mut self) -> Option<Result<Bytes, Failure>> {
        self.pay(self.grain.min(self.left)).await;
        let next = self.stream.next().await?;
        if let Ok(bytes) = &next {
            let length = bytes.len() as u64;
            self.pay(length).await;
            self.paid -= length;
            self.left = self.left.saturating_sub(length);
        }
        Some(next)
    }

    /// Sees to it that so many bytes are paid for.
    async fn pay(&mut self, bytes: u64) {
        let missing = bytes.saturating_sub(self.paid);
        self.paces.take(missing).await;
        self.paid += missing;
    }
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    #[test]
    fn each_part_but_the_first_is_counted_where_it_begins() {
        assert_eq!(further_parts(0, 8, 8), 0);
        assert_eq!(further_parts(0, 9, 8), 1);
        assert_eq!(further_parts(8, 9, 8), 1);
        assert_eq!(further_parts(9, 16, 8), 0);
        assert_eq!(further_parts(0, 80, 8), 9);
        assert_eq!(further_parts(0, 0, 8), 0);
    }

    #[tokio::test]
    async fn no_more_goes_than_the_burst_and_the_rate() {
        let pace = Pace::new(200.0);
        let begun = Instant::now();
        for _ in 0..61 {
            pace.take(1).await;
        }
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(190), "{took:?}");
        assert!(took < Duration::from_secs(2), "{took:?}");
    }

    #[tokio::test]
    async fn a_slow_pace_lets_the_first_go_and_can_be_given_up() {
        let pace = Pace::new(1.0 / 3_600.0);
        pace.take(1).await;
        for _ in 0..3 {
            let waited = tokio::time::timeout(Duration::from_millis(5), pace.take(1)).await;
            assert!(waited.is_err(), "the second has to wait for an hour");
        }
    }

    #[tokio::test]
    async fn waiters_are_served_in_their_order() {
        let pace = Arc::new(Pace::new(100.0));
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let mut waiting = Vec::new();
        for number in 0..15 {
            let (pace, order) = (Arc::clone(&pace), Arc::clone(&order));
            waiting.push(tokio::spawn(async move {
                pace.take(3).await;
                order.lock().unwrap().push(number);
            }));
            tokio::task::yield_now().await;
        }
        for waiter in waiting {
            waiter.await.unwrap();
        }
        assert!(order.lock().unwrap().is_sorted());
    }

    #[tokio::test]
    async fn a_stream_keeps_its_bandwidth_and_loses_nothing() {
        let piece = Bytes::from(vec![7; 30_000]);
        let stream = futures::stream::iter(vec![Ok(piece.clone()), Ok(piece.clone()), Ok(piece)]).boxed();
        let begun = Instant::now();
        let paced = paced(stream, 90_000, Paces::of(Some(300_000.0)));
        let read: Vec<Bytes> = paced.try_collect().await.unwrap();
        assert_eq!(read.iter().map(Bytes::len).sum::<usize>(), 90_000);
        assert!(begun.elapsed() >= Duration::from_millis(95), "{:?}", begun.elapsed());
    }
}
