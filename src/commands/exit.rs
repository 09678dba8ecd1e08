/// How a command ended, for scripts. The one table of exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing of what was asked is left to do.
    Done,
    Uncategorised,
    /// The command line or the spec is not valid.
    Invalid,
    /// `plan --detailed-exitcode`: there is work to do.
    WorkToDo,
    /// Failures are left, and each may pass when it is tried again.
    FailuresRetryable,
    /// Failures are left that a repetition cannot cure.
    FailuresPermanent,
    /// It could not go on.
    Fatal,
    /// Stopped early by a limit, work left.
    Stopped,
    /// `verify` found differences.
    Differences,
    /// The spec changed since the state was begun.
    Stale,
    /// The state is locked or damaged.
    State,
    /// The accounts do not balance: a defect of the runner.
    Imbalance,
    /// Stopped by SIGINT, state clean.
    Interrupted,
    /// Stopped by SIGTERM, state clean.
    Terminated,
}

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Uncategorised => 1,
            Self::Invalid | Self::WorkToDo => 2,
            Self::FailuresRetryable => 5,
            Self::FailuresPermanent => 6,
            Self::Fatal => 7,
            Self::Stopped => 8,
            Self::Differences => 11,
            Self::Stale => 12,
            Self::State => 13,
            Self::Imbalance => 14,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}
