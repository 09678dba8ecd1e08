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
mod tables_edges;
mod tables_edges_mssql;
mod tables_extras;
mod tables_files;
mod tables_kinds;
mod tables_suite;
mod tables_unread;
mod tds;

use kinds::Kind;
use queue_kinds::QueueKind;
use servers::{Mariadb, Postgres, TdsServer};
use tables_kinds::TablesKind;

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

macro_rules! tables_suite {
    ($($kind:ident => $variant:expr;)*) => {$(
        mod $kind {
            use super::*;

            #[test]
            fn the_catalogue_tells_all_that_a_copy_needs() {
                $variant.run(tables_suite::catalogue);
            }

            #[test]
            fn the_catalogue_tells_what_no_copy_carries() {
                $variant.run(tables_extras::extras);
            }

            #[test]
            fn ranges_together_give_every_row_once() {
                $variant.run(tables_suite::batches_and_ranges);
            }

            #[test]
            fn wide_rows_make_small_batches_and_a_reader_may_leave() {
                $variant.run(tables_suite::wide_and_dropped);
            }

            #[test]
            fn parameters_are_bound() {
                $variant.run(tables_suite::parameters);
            }

            #[test]
            fn queries_give_lists() {
                $variant.run(tables_suite::listed);
            }

            #[test]
            fn rows_arrive_all_or_none() {
                $variant.run(tables_suite::writing);
            }

            #[test]
            fn statements_run_and_say_what_is_wrong() {
                $variant.run(tables_suite::statements);
            }

            #[test]
            fn rows_that_cannot_be_carried_are_set_aside() {
                $variant.run(tables_unread::set_aside);
            }
        }
    )*};
}

tables_suite! {
    tables_sqlite => TablesKind::Sqlite;
    tables_postgres => TablesKind::Postgres;
    tables_mysql => TablesKind::MySql;
    tables_mssql => TablesKind::SqlServer;
}

#[test]
fn tables_servers_refuse_bad_credentials_without_showing_them() {
    kinds::runtime().block_on(async {
        tables_suite::refused(TablesKind::Postgres).await;
        tables_suite::refused(TablesKind::MySql).await;
        tables_suite::refused(TablesKind::SqlServer).await;
    });
}

#[test]
fn tables_a_server_that_dies_is_a_lost_connection() {
    kinds::runtime().block_on(async {
        let start = || {
            let server = Postgres::start();
            let port = server.port;
            (server, port)
        };
        tables_suite::killed(TablesKind::Postgres, start, |server| server.create_database("doomed")).await;
        let start = || {
            let server = Mariadb::start();
            let port = server.port;
            (server, port)
        };
        tables_suite::killed(TablesKind::MySql, start, |server| server.create_database("doomed")).await;
    });
}

#[test]
fn tables_a_sql_server_that_dies_is_a_lost_connection() {
    kinds::runtime().block_on(async {
        let start = || {
            let server = TdsServer::start();
            let port = server.port;
            (server, port)
        };
        tables_suite::killed(TablesKind::SqlServer, start, |server| server.create_database("doomed")).await;
    });
}

#[test]
fn tables_blocks_under_a_snapshot_are_one_moment() {
    TablesKind::Postgres.run(tables_suite::blocks_under_a_snapshot);
}

#[test]
fn tables_tell_a_lost_snapshot_from_bad_rows() {
    TablesKind::Postgres.run(tables_suite::a_lost_snapshot);
}

#[test]
fn tables_snapshots_share_sessions() {
    TablesKind::Postgres.run(tables_suite::snapshots_share_sessions);
}

#[test]
fn tables_rows_of_one_postgres_go_to_another_as_they_are() {
    TablesKind::Postgres.run(tables_suite::as_they_are);
}

#[test]
fn tables_rows_that_are_refused_as_they_are_leave_nothing() {
    TablesKind::Postgres.run(tables_suite::refused_as_they_are);
}

#[test]
fn tables_rows_of_sqlite_are_the_same_everywhere() {
    kinds::runtime().block_on(tables_suite::round_trips(TablesKind::Sqlite));
}

#[test]
fn tables_rows_of_postgres_are_the_same_everywhere() {
    kinds::runtime().block_on(tables_suite::round_trips(TablesKind::Postgres));
}

#[test]
fn tables_rows_of_mysql_are_the_same_everywhere() {
    kinds::runtime().block_on(tables_suite::round_trips(TablesKind::MySql));
}

#[test]
fn tables_rows_of_mssql_are_the_same_everywhere() {
    kinds::runtime().block_on(tables_suite::round_trips(TablesKind::SqlServer));
}

#[test]
fn tables_rows_arrive_where_a_server_takes_no_files() {
    let server = Mariadb::start_with(&["--local-infile=0"]);
    server.create_database("plain");
    kinds::runtime().block_on(async {
        let subject = TablesKind::MySql
            .subject_at(server.port, "plain", Mariadb::PASSWORD)
            .await;
        tables_suite::writing(subject).await;
    });
}

#[test]
fn tables_edges_of_sqlite_types_arrive() {
    kinds::runtime().block_on(tables_edges::edges(TablesKind::Sqlite));
}

#[test]
fn tables_edges_of_postgres_types_arrive() {
    kinds::runtime().block_on(tables_edges::edges(TablesKind::Postgres));
}

#[test]
fn tables_edges_of_mysql_types_arrive() {
    kinds::runtime().block_on(tables_edges::edges(TablesKind::MySql));
}

#[test]
fn tables_edges_of_mssql_types_arrive() {
    kinds::runtime().block_on(tables_edges_mssql::out_of());
}

#[test]
fn tables_edges_of_mssql_types_arrive_where_no_null_may() {
    kinds::runtime().block_on(tables_edges_mssql::without_nulls());
}

#[test]
fn tables_times_beyond_a_day_have_one_digest() {
    kinds::runtime().block_on(tables_edges::long_times());
}

#[test]
fn tables_edges_of_other_types_arrive_in_mssql() {
    kinds::runtime().block_on(tables_edges_mssql::into());
}

#[test]
fn tables_values_that_sql_server_or_its_readers_have_not_are_refused() {
    kinds::runtime().block_on(tables_edges_mssql::refused());
}

#[test]
fn tables_values_that_a_database_has_not_are_refused() {
    kinds::runtime().block_on(tables_edges::refused());
}

#[test]
fn files_are_whole_tables_or_say_that_they_are_not() {
    Kind::Fs.run(tables_files::whole_or_open);
}

#[test]
fn files_in_s3_are_whole_tables_or_say_that_they_are_not() {
    Kind::S3.run(tables_files::whole_or_open);
}

#[test]
fn files_that_are_wrong_are_told_with_their_place() {
    Kind::Fs.run(tables_files::bad_files);
    Kind::S3.run(tables_files::bad_files);
}

#[test]
fn files_that_change_are_not_read_as_one() {
    Kind::Fs.run(tables_files::changed);
    Kind::S3.run(tables_files::changed);
}

#[test]
fn files_of_large_tables_are_read_once() {
    tables_files::large_groups();
}

#[test]
fn files_keep_the_edges_of_sqlite_types() {
    tables_files::edges(TablesKind::Sqlite);
}

#[test]
fn files_keep_the_edges_of_postgres_types() {
    tables_files::edges(TablesKind::Postgres);
}

#[test]
fn files_keep_the_edges_of_mssql_types() {
    tables_files::edges(TablesKind::SqlServer);
}

#[test]
fn files_keep_the_edges_of_mysql_types() {
    tables_files::edges(TablesKind::MySql);
}

#[test]
fn files_refuse_what_a_column_cannot_hold() {
    tables_files::refused();
}
