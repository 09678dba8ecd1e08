use super::connection::{
    AzblobSpec, AzureQueueSpec, CsvSqliteSpec, FsSpec, JsonlQueueSpec, MemorySpec, NullSpec, S3Spec, SampleSpec,
};
use super::{PerSlotSpec, RetrySpec};

/// What a connection of every kind may say, read from whichever kind it is.
#[derive(Clone, Copy, Debug)]
pub struct CommonSpec<'a> {
    pub timeout: Option<&'a String>,
    pub limit: Option<u32>,
    pub rate: Option<&'a String>,
    pub bandwidth: Option<&'a String>,
    pub per_slot: Option<&'a PerSlotSpec>,
    pub retry: Option<&'a RetrySpec>,
}

/// The keys stand in each kind, because the schema shows an editor one flat map.
macro_rules! common {
    ($($kind:ty),+ $(,)?) => {
        $(impl $kind {
            pub fn common(&self) -> CommonSpec<'_> {
                CommonSpec {
                    timeout: self.timeout.as_ref(),
                    limit: self.limit,
                    rate: self.rate.as_ref(),
                    bandwidth: self.bandwidth.as_ref(),
                    per_slot: self.per_slot.as_ref(),
                    retry: self.retry.as_ref(),
                }
            }
        })+
    };
}

common!(
    FsSpec,
    MemorySpec,
    AzblobSpec,
    S3Spec,
    SampleSpec,
    NullSpec,
    CsvSqliteSpec,
    AzureQueueSpec,
    JsonlQueueSpec,
);
