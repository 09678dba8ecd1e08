//! One suite of behaviours for every store, run against real servers.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "tests end at the first thing that is not as it should be"
)]

#[expect(dead_code, reason = "queues are not stores")]
#[path = "../servers/mod.rs"]
mod servers;

mod kinds;
mod misbehaving;
mod suite;

use kinds::Kind;

macro_rules! suite {
    ($($kind:ident => $variant:expr;)*) => {$(
        mod $kind {
            use super::*;

            #[test]
            fn objects_come_back_as_they_went_in() {
                $variant.run(suite::round_trip);
            }

            #[test]
            fn large_objects_go_up_in_parts() {
                $variant.run(suite::large_objects);
            }

            #[test]
            fn a_body_of_the_wrong_length_leaves_nothing() {
                $variant.run(suite::wrong_length);
            }

            #[test]
            fn what_is_there_is_not_overwritten_unasked() {
                $variant.run(suite::preconditions);
            }

            #[test]
            fn a_hostile_name_arrives_exactly_or_is_refused() {
                $variant.run(suite::hostile_names);
            }

            #[test]
            fn listings_are_complete_and_in_order() {
                $variant.run(suite::listings);
            }

            #[test]
            fn what_is_missing_is_told_as_missing() {
                $variant.run(suite::missing_objects);
            }
        }
    )*};
}

suite! {
    memory => Kind::Memory;
    fs => Kind::Fs;
    azblob => Kind::Azblob;
    s3 => Kind::S3;
}

#[test]
fn azblob_refuses_bad_credentials_without_showing_them() {
    Kind::Azblob.run_with_bad_credentials(suite::bad_credentials);
}

#[test]
fn s3_refuses_bad_credentials_without_showing_them() {
    Kind::S3.run_with_bad_credentials(suite::bad_credentials);
}

#[test]
fn an_absent_container_is_no_absent_object() {
    Kind::Azblob.run_with_absent_container(suite::absent_container);
    Kind::S3.run_with_absent_container(suite::absent_container);
}
