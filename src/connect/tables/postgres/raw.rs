//! Rows from one PostgreSQL to another: the bytes of COPY's binary form go through as they are, cut only to count the rows.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use tokio_postgres::CopyOutStream;

use super::Lease;
use super::error::failure;
use super::read::{self, HEADER, TRAILER, broken, row_length};
use super::write::{FULL_BYTES, MESSAGE_BYTES};
use crate::connect::tables::select::{from_clause, where_clause};
use crate::connect::tables::{RawRows, RawStream, ReadRequest, RowsFrom};
use crate::model::{ColumnMapping, Engine, Failure};

/// Types whose binary form is the same in every PostgreSQL.
///
/// Left out are those that say less without their server: `money` has its digits from a setting and `xml` declares an encoding. Types
/// that a user has made have numbers of their own in every database, which arrays of them carry along.
const SAME_EVERYWHERE: &[&str] = &[
    "boolean",
    "smallint",
    "integer",
    "bigint",
    "real",
    "double precision",
    "numeric",
    "text",
    "character varying",
    "character",
    "bytea",
    "json",
    "jsonb",
    "uuid",
    "date",
    "time without time zone",
    "time with time zone",
    "timestamp without time zone",
    "timestamp with time zone",
    "interval",
    "inet",
    "cidr",
    "macaddr",
    "macaddr8",
    "bit",
    "bit varying",
];

/// Whether the rows can go as they are.
///
/// | from | every column's type | |
/// |---|---|---|
/// | a query with parameters | any | no: COPY takes none |
/// | a table, a query without | the same on both sides and among [`SAME_EVERYWHERE`], or an array of such | yes |
/// | a table, a query without | another | no |
pub(super) fn is_taken_as_it_is(request: &ReadRequest) -> bool {
    let has_parameters = matches!(&request.from, RowsFrom::Query { parameters, .. } if !parameters.is_empty());
    !has_parameters && !request.columns.is_empty() && request.columns.iter().all(is_kept)
}

fn is_kept(column: &ColumnMapping) -> bool {
    let native = column.source_native.as_str();
    native == column.target_native
        && SAME_EVERYWHERE.contains(&without_arguments(native.trim_end_matches("[]")).as_str())
}

/// `numeric(10,2)` → `numeric`; `time(3) with time zone` → `time with time zone`.
fn without_arguments(native: &str) -> String {
    match (native.find('('), native.find(')')) {
        (Some(begin), Some(end)) if begin < end => format!("{}{}", &native[..begin], &native[end + 1..]),
        _ => native.to_owned(),
    }
}

pub(super) async fn read(lease: Lease, request: &ReadRequest) -> Result<RawStream, Failure> {
    let (from, _) = read::text_and_values(&request.from)?;
    let is_within = read::enter(&lease, request.snapshot.as_deref()).await?;
    let text = format!(
        "copy (select {} from {}{}) to stdout (format binary)",
        Engine::Postgres.quote_all(request.columns.iter().map(|column| &column.source)),
        from_clause(Engine::Postgres, &from),
        where_clause(Engine::Postgres, &request.range)
    );
    let stream = lease.client().copy_out(&text).await.map_err(|error| failure(&error))?;
    Ok(pieces(lease, stream, is_within))
}

fn pieces(lease: Lease, stream: CopyOutStream, is_within: bool) -> RawStream {
    let copying = Some((lease, Box::pin(stream)));
    let beginning = (copying, Gathered::new(HEADER));
    futures::stream::try_unfold(beginning, move |(copying, mut gathered)| async move {
        let Some((lease, mut stream)) = copying else {
            return Ok(None);
        };
        // The server sends a message for each row: handed on one by one, they would cost more than their content.
        while let Some(message) = stream.try_next().await.map_err(|error| failure(&error))? {
            gathered.add(&message)?;
            if gathered.bytes.len() >= MESSAGE_BYTES {
                let (piece, rest) = gathered.take();
                return Ok(Some((piece, (Some((lease, stream)), rest))));
            }
        }
        if !gathered.has_ended {
            return Err(broken());
        }
        read::end(lease, is_within).await?;
        let (piece, rest) = gathered.take();
        Ok(Some((piece, (None, rest))))
    })
    .boxed()
}

/// Bytes on their way, and the rows found in them.
#[derive(Debug)]
struct Gathered {
    bytes: Vec<u8>,
    /// Where in `bytes` the next row begins; beyond their end while something before it is not there yet.
    at: usize,
    rows: u64,
    has_ended: bool,
}

impl Gathered {
    fn new(at: usize) -> Self {
        Self {
            bytes: Vec::new(),
            at,
            rows: 0,
            has_ended: false,
        }
    }

    /// # Errors
    /// `database.connection`: something stands behind the end.
    fn add(&mut self, message: &[u8]) -> Result<(), Failure> {
        if self.bytes.capacity() < FULL_BYTES {
            self.bytes.reserve(FULL_BYTES);
        }
        self.bytes.extend_from_slice(message);
        while let Some(data) = self.bytes.get(self.at..).filter(|data| !data.is_empty()) {
            if self.has_ended {
                return Err(broken());
            }
            let Some(length) = row_length(data)? else { break };
            self.at += length;
            self.has_ended = length == TRAILER && data.starts_with(&[0xff, 0xff]);
            self.rows += u64::from(!self.has_ended);
        }
        Ok(())
    }

    /// Whole rows to hand on, and the beginning of the next.
    fn take(mut self) -> (RawRows, Self) {
        let rest = self.bytes.split_off(self.at.min(self.bytes.len()));
        let next = Self {
            at: self.at - self.bytes.len(),
            bytes: rest,
            rows: 0,
            has_ended: self.has_ended,
        };
        let piece = RawRows {
            bytes: Bytes::from(self.bytes),
            rows: self.rows,
        };
        (piece, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Carry, RowRange, TableName, Value};

    fn column(source: &str, target: &str) -> ColumnMapping {
        ColumnMapping {
            source: "a".to_owned(),
            source_native: source.to_owned(),
            carry: Carry::Text,
            target: "b".to_owned(),
            target_native: target.to_owned(),
            is_nullable: true,
            is_identity: false,
            losses: Vec::new(),
        }
    }

    fn request(from: RowsFrom, columns: Vec<ColumnMapping>) -> ReadRequest {
        ReadRequest {
            from,
            columns,
            range: RowRange::Whole,
            snapshot: None,
            unread: None,
        }
    }

    #[test]
    fn only_types_that_every_server_writes_alike_go_as_they_are() {
        let goes = |source: &str, target: &str| {
            let table = RowsFrom::Table(TableName::new("public", "t"));
            is_taken_as_it_is(&request(
                table,
                vec![column("integer", "integer"), column(source, target)],
            ))
        };
        for native in [
            "numeric(10,2)",
            "character varying(20)",
            "time(3) with time zone",
            "timestamp(0) without time zone",
            "numeric(6,2)[]",
            "jsonb",
        ] {
            assert!(goes(native, native), "{native}");
        }
        assert!(!goes("integer", "bigint"));
        assert!(!goes("character varying(20)", "character varying(10)"));
        for native in ["money", "xml", "mood", "mood[]", "public.mood"] {
            assert!(!goes(native, native), "{native}");
        }
    }

    #[test]
    fn a_query_with_parameters_does_not_go_by_copy() {
        let from = |parameters| RowsFrom::Query {
            text: "select 1 as a".to_owned(),
            parameters,
        };
        let columns = || vec![column("integer", "integer")];
        assert!(is_taken_as_it_is(&request(from(Vec::new()), columns())));
        let parameters = vec![("n".to_owned(), Value::Integer(1))];
        assert!(!is_taken_as_it_is(&request(from(parameters), columns())));
    }

    /// A stream of rows of one column each.
    fn stream(rows: &[&[u8]]) -> Vec<u8> {
        let mut bytes = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
        for row in rows {
            bytes.extend([0, 1]);
            bytes.extend(u32::try_from(row.len()).unwrap().to_be_bytes());
            bytes.extend(*row);
        }
        bytes.extend([0xff, 0xff]);
        bytes
    }

    #[test]
    fn rows_are_counted_wherever_the_stream_is_cut() {
        let whole = stream(&[b"\xff\xff\xff", b"", b"abc"]);
        for cut in 1..whole.len() {
            let (mut handed_on, mut rows) = (Vec::new(), 0);
            let mut gathered = Gathered::new(HEADER);
            for part in [&whole[..cut], &whole[cut..]] {
                gathered.add(part).unwrap();
                let (piece, rest) = gathered.take();
                handed_on.extend_from_slice(&piece.bytes);
                rows += piece.rows;
                gathered = rest;
            }
            assert!(gathered.has_ended && gathered.bytes.is_empty(), "{cut}: {gathered:?}");
            assert_eq!((handed_on.as_slice(), rows), (whole.as_slice(), 3), "{cut}");
        }
    }

    #[test]
    fn what_stands_behind_the_end_is_refused() {
        let mut bytes = stream(&[b"a"]);
        bytes.push(0);
        assert_eq!(
            Gathered::new(HEADER).add(&bytes).unwrap_err().code,
            "database.connection"
        );
    }
}
