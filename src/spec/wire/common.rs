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

/// Every kind of connection.
pub trait Common {
    fn common(&self) -> CommonSpec<'_>;
}

/// Shapes of connections, each with the keys that every kind has. (Flattening a struct with those keys into the others would let
/// unknown keys through.)
macro_rules! local_connection_spec {
    ($($(#[$about:meta])* pub struct $name:ident { $($(#[$field_about:meta])* pub $field:ident: $type:ty,)* })*) => {$(
        $crate::spec::wire::common::shape! {
            $(#[$about])* pub struct $name { $($(#[$field_about])* pub $field: $type,)* }
            timeout: |_| None
        }
    )*};
}

/// The same for those that are asked over a network, whose calls can be given up.
macro_rules! connection_spec {
    ($($(#[$about:meta])* pub struct $name:ident { $($(#[$field_about:meta])* pub $field:ident: $type:ty,)* })*) => {$(
        $crate::spec::wire::common::shape! {
            $(#[$about])* pub struct $name {
                $($(#[$field_about])* pub $field: $type,)*
                /// The longest that one call may take. Default `60s`.
                #[schemars(regex(pattern = $crate::spec::wire::DURATION_PATTERN))]
                pub timeout: Option<String>,
            }
            timeout: |spec| spec.timeout.as_ref()
        }
    )*};
}

macro_rules! shape {
    (
        $(#[$about:meta])* pub struct $name:ident { $($(#[$field_about:meta])* pub $field:ident: $type:ty,)* }
        timeout: $timeout:expr
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_about])* pub $field: $type,)*
            /// Calls in flight to this connection in the whole run. No bound of its own when left out.
            #[schemars(range(min = 1, max = 10_000))]
            pub limit: Option<u32>,
            /// Calls begun in a second, a minute or an hour: `500/s`, `30/m`. No bound of its own when left out.
            #[schemars(regex(pattern = $crate::spec::wire::RATE_PATTERN))]
            pub rate: Option<String>,
            /// Bytes in a second, read from it or written to it: `50MiB/s`. No bound of its own when left out.
            #[schemars(regex(pattern = $crate::spec::wire::BANDWIDTH_PATTERN))]
            pub bandwidth: Option<String>,
            /// What each item slot may ask of it.
            pub per_slot: Option<$crate::spec::wire::PerSlotSpec>,
            /// Replaces the job's policy for what this connection does.
            pub retry: Option<$crate::spec::wire::RetrySpec>,
        }

        impl $crate::spec::wire::Common for $name {
            fn common(&self) -> $crate::spec::wire::CommonSpec<'_> {
                let timeout: fn(&Self) -> Option<&String> = $timeout;
                $crate::spec::wire::CommonSpec {
                    timeout: timeout(self),
                    limit: self.limit,
                    rate: self.rate.as_ref(),
                    bandwidth: self.bandwidth.as_ref(),
                    per_slot: self.per_slot.as_ref(),
                    retry: self.retry.as_ref(),
                }
            }
        }
    };
}
pub(super) use {connection_spec, local_connection_spec, shape};
