//! One suite of behaviours for every store and one for every queue, run against real servers.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "tests end at the first thing that is not as it should be"
)]

#[path = "../servers/mod.rs"]
mod servers;

mod kinds;
mod misbehaving;
mod queue_kinds;
mod queue_suite;
mod sftp_hosts;
mod suite;

use kinds::Kind;
use queue_kinds::QueueKind;

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
    webdav => Kind::Webdav;
    sftp => Kind::Sftp;
}

#[test]
fn a_web_server_is_read_and_nothing_else() {
    Kind::Http.run(suite::read_only);
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
fn a_webdav_server_that_loses_a_part_of_a_name_is_found_out() {
    Kind::Webdav.run(suite::lost_names);
}

#[test]
fn web_servers_refuse_bad_credentials_without_showing_them() {
    Kind::Webdav.run_with_bad_credentials(suite::bad_credentials);
    Kind::Http.run_with_bad_credentials(suite::bad_reading_credentials);
}

#[test]
fn sftp_refuses_bad_credentials_without_showing_them() {
    Kind::Sftp.run_with_bad_credentials(suite::bad_credentials);
}

#[test]
fn an_absent_container_is_no_absent_object() {
    Kind::Azblob.run_with_absent_container(suite::absent_container);
    Kind::S3.run_with_absent_container(suite::absent_container);
    Kind::Webdav.run_with_absent_container(suite::absent_container);
}

macro_rules! queue_suite {
    ($($kind:ident => $variant:expr;)*) => {$(
        mod $kind {
            use super::*;

            #[test]
            fn messages_arrive_exactly() {
                $variant.run(queue_suite::exact_bodies);
            }

            #[test]
            fn many_at_once_arrive_each_once() {
                $variant.run(queue_suite::many_at_once);
            }

            #[test]
            fn what_the_queue_cannot_carry_is_refused() {
                $variant.run(queue_suite::refused_bodies);
            }

            #[test]
            fn a_probe_sends_nothing() {
                $variant.run(queue_suite::probe);
            }
        }
    )*};
}

queue_suite! {
    azqueue => QueueKind::AZURE;
    azqueue_text => QueueKind::AZURE_TEXT;
    jsonl_queue => QueueKind::Jsonl;
}
