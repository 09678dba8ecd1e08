use std::time::Duration;

use arrow_array::RecordBatch;
use async_trait::async_trait;
use futures::future::BoxFuture;
use mssql_tds::connection::bulk_copy::{BulkCopy, BulkLoadRow, ColumnMapping};
use mssql_tds::connection::tds_client::TdsClient;
use mssql_tds::core::TdsResult;
use mssql_tds::datatypes::column_values::ColumnValues;
use mssql_tds::message::bulk_load::StreamingBulkLoadWriter;

use super::Lease;
use super::encode::{self, Lane};
use super::error::failure;
use super::fields::integer_of;
use crate::connect::tables::commit::committed;
use crate::connect::tables::ddl::Ddl;
use crate::connect::tables::select::literal;
use crate::connect::tables::{RowsRequest, TableWriter};
use crate::model::{Engine, Failure, FailureClass, Value};

/// The table in which rows wait that replace others by their key; it lives as long as its session.
const WAITING: &str = "#pipeline_rows";

/// Rows on their way into one table, in one transaction. Dropped, it closes its connection, and the server undoes everything.
pub(super) struct SqlServerWriter {
    lease: Lease,
    request: RowsRequest,
    /// Where rows go first: the table itself, or the one in which they wait.
    into: String,
    lanes: Vec<Lane>,
    rows: u64,
}

impl SqlServerWriter {
    pub(super) async fn begin(mut lease: Lease, request: RowsRequest) -> Result<Self, Failure> {
        let table = Ddl::new(Engine::SqlServer).table(&request.table);
        let mut into = table.clone();
        if !request.upsert_key.is_empty() {
            let names = Engine::SqlServer.quote_all(request.columns.iter().map(|column| &column.target));
            lease.run(&format!("drop table if exists {WAITING}")).await?;
            lease
                .run(&format!("select {names} into {WAITING} from {table} where 1 = 0"))
                .await?;
            WAITING.clone_into(&mut into);
        }
        let lanes = lanes(&mut lease, &into, &request).await?;
        lease.run("begin transaction").await?;
        Ok(Self {
            lease,
            request,
            into,
            lanes,
            rows: 0,
        })
    }

    async fn send(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let rows: Result<Vec<BulkRow>, Failure> = (0..batch.num_rows())
            .map(|row| encode::row(&self.request.columns, &self.lanes, batch, row).map(BulkRow))
            .collect();
        let mut copy = bulk_copy(self.lease.client()?, &self.into);
        for (place, lane) in self.lanes.iter().enumerate() {
            copy = copy.add_column_mapping(ColumnMapping::by_ordinal(place, lane.into.column_name.as_str()));
        }
        let copied = copy.write_to_server_zerocopy(rows?).await;
        copied.map_err(|error| failure(&error))?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    async fn send_apart(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        self.lease.run("save transaction pipeline").await?;
        let sent = self.send_whole(batch).await;
        if let Err(failure) = &sent
            && matches!(failure.class, FailureClass::Data | FailureClass::Conflict)
        {
            self.lease.run("rollback transaction pipeline").await?;
        }
        sent
    }

    /// A batch to its end: what its rows violate shows here, and not with those of others.
    async fn send_whole(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        self.send(batch).await?;
        if !self.request.upsert_key.is_empty() {
            self.upsert().await?;
            self.lease.run(&format!("delete from {WAITING}")).await?;
        }
        Ok(())
    }

    async fn commit(mut self, last: Option<String>) -> Result<u64, Failure> {
        if !self.request.upsert_key.is_empty() {
            self.upsert().await?;
        }
        if let Some(last) = last {
            self.lease.run(&last).await?;
        }
        committed(self.lease.run("commit transaction").await)?;
        if !self.request.upsert_key.is_empty() {
            self.lease.run(&format!("drop table if exists {WAITING}")).await?;
        }
        self.lease.give_back();
        Ok(self.rows)
    }

    async fn upsert(&mut self) -> Result<(), Failure> {
        let table = Ddl::new(Engine::SqlServer).table(&self.request.table);
        let (update, insert) = upsert_texts(&self.request);
        if let Some(update) = update {
            self.lease.run(&update).await?;
        }
        // Numbers that the database gives by itself are taken over as they are, which has to be allowed.
        let name = literal(Engine::SqlServer, &Value::from(table.as_str()));
        let asked = format!("select count(*) from sys.identity_columns where object_id = object_id({name})");
        let answer = self.lease.rows(&asked, Vec::new()).await?;
        let has_identity = answer.first().and_then(|row| row.first()).and_then(integer_of) == Some(1);
        if !has_identity || !self.request.columns.iter().any(|column| column.is_identity) {
            return self.lease.run(&insert).await;
        }
        self.lease.run(&format!("set identity_insert {table} on")).await?;
        self.lease.run(&insert).await?;
        self.lease.run(&format!("set identity_insert {table} off")).await
    }
}

/// Numbers and NULLs stay what they are, and what the table asks of its rows is asked of these.
fn bulk_copy<'a>(client: &'a mut TdsClient, into: &str) -> BulkCopy<'a> {
    BulkCopy::new(client, into)
        .timeout(Duration::ZERO)
        .keep_identity(true)
        .keep_nulls(true)
        .check_constraints(true)
}

/// The columns of the table that rows go into, in the table's own order, as the server describes them.
async fn lanes(lease: &mut Lease, into: &str, request: &RowsRequest) -> Result<Vec<Lane>, Failure> {
    let described = bulk_copy(lease.client()?, into).retrieve_destination_metadata().await;
    let described = described.map_err(|error| failure(&error))?;
    let find = |name: &str| described.iter().position(|known| known.column_name == name);
    let mut found = Vec::with_capacity(request.columns.len());
    for (place, column) in request.columns.iter().enumerate() {
        let Some(at) = find(&column.target) else {
            return Err(Failure::permanent(
                "database.statement",
                format!("SQL Server: `{}` has no column `{}`", request.table, column.target),
            ));
        };
        found.push((at, place));
    }
    found.sort_unstable();
    let lane = |(at, place): (usize, usize)| Lane {
        place,
        into: described[at].clone(),
    };
    Ok(found.into_iter().map(lane).collect())
}

/// What replaces the rows that are there, and what adds the others. The first is absent when rows have nothing but their key.
///
/// Not `merge`: two statements in one transaction say the same and have none of its known defects.
fn upsert_texts(request: &RowsRequest) -> (Option<String>, String) {
    let quote = |name: &String| Engine::SqlServer.quote(name);
    let table = Ddl::new(Engine::SqlServer).table(&request.table);
    let same_key = |there: &str| {
        let pairs = request
            .upsert_key
            .iter()
            .map(|name| format!("{there}.{0} = pipeline_new.{0}", quote(name)));
        pairs.collect::<Vec<_>>().join(" and ")
    };
    let others = request
        .columns
        .iter()
        .map(|column| &column.target)
        .filter(|name| !request.upsert_key.contains(name));
    let changes: Vec<String> = others
        .map(|name| format!("{0} = pipeline_new.{0}", quote(name)))
        .collect();
    let update = (!changes.is_empty()).then(|| {
        format!(
            "update {table} set {} from {WAITING} as pipeline_new where {}",
            changes.join(", "),
            same_key(&quote(&request.table.name))
        )
    });
    let names = Engine::SqlServer.quote_all(request.columns.iter().map(|column| &column.target));
    let insert = format!(
        "insert into {table} ({names}) select {names} from {WAITING} as pipeline_new \
         where not exists (select 1 from {table} as pipeline_old where {})",
        same_key("pipeline_old")
    );
    (update, insert)
}

struct BulkRow(Vec<ColumnValues>);

#[async_trait]
impl BulkLoadRow for BulkRow {
    async fn write_to_packet(
        &self,
        writer: &mut StreamingBulkLoadWriter<'_>,
        column_index: &mut usize,
    ) -> TdsResult<()> {
        for value in &self.0 {
            if let ColumnValues::SmallMoney(money) = value {
                // Where its column takes no NULL, the library leaves the length out that the type has on the wire.
                let [a, b, c, d] = money.int_val.to_le_bytes();
                writer.write_raw_bytes(&[4, a, b, c, d]).await?;
            } else {
                writer.write_column_value(*column_index, value).await?;
            }
            *column_index += 1;
        }
        Ok(())
    }
}

impl TableWriter for SqlServerWriter {
    fn write(&mut self, batch: RecordBatch) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move { self.send(&batch).await })
    }

    fn write_apart(&mut self, batch: RecordBatch) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move { self.send_apart(&batch).await })
    }

    fn finish(self: Box<Self>, last: Option<String>) -> BoxFuture<'static, Result<u64, Failure>> {
        Box::pin(self.commit(last))
    }
}
