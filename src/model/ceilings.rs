use super::Speed;

/// How much a run may ask of one connection; what is absent is bounded by the concurrency tree alone.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ceilings {
    /// Calls in flight in the whole run.
    pub limit: Option<usize>,
    /// Calls in flight in each item slot.
    pub per_slot: Option<usize>,
    /// Calls begun, and bytes read from it or written to it, in the whole run.
    pub speed: Speed,
}
