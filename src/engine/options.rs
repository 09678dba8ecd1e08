/// What a run is asked to do beyond its spec.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// Leave units and items that failed in earlier runs as they are.
    pub leave_failed: bool,
}
