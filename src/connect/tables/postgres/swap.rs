use tokio_postgres::{Error, Row, SimpleQueryMessage};

use super::Lease;
use super::dependents::Dependents;
use super::error::{DEPENDED_ON, failure};
use crate::connect::tables::KeyAround;
use crate::connect::tables::ddl::Ddl;
use crate::connect::tables::select::literal;
use crate::model::{Engine, Failure, TableName, Value};

/// The foreign keys of a table and into it. One that the swap of another table takes away at this moment is still listed, and has no definition any
/// more: that swap has noted it.
pub(super) async fn keys_around(lease: &Lease, target: &TableName) -> Result<Vec<KeyAround>, Error> {
    let name = Ddl::new(Engine::Postgres).table(target);
    let rows = lease
        .query_often(
            "select is_own, format('alter table %s drop constraint %I', holder, conname), \
               format('alter table %s add constraint %I %s', holder, conname, definition) \
             from (select conrelid = to_regclass($1::text) as is_own, conrelid::regclass::text as holder, conname, \
                 pg_get_constraintdef(oid) as definition \
               from pg_constraint \
               where contype = 'f' and to_regclass($1::text) in (conrelid, confrelid) and conparentid = 0 offset 0) found \
             where definition is not null order by conname",
            &[&name],
        )
        .await?;
    let key = |row: &Row| KeyAround {
        is_own: row.get(0),
        take: row.get(1),
        give_back: row.get(2),
    };
    Ok(rows.iter().map(key).collect())
}

/// Swaps of one database wait for each other by this advisory lock: what hangs on one table, a key or a view over both, may be changed by the
/// swap of another between the look at the catalogue and the statements that follow from it.
const ONE_AT_A_TIME: &str = "select pg_advisory_xact_lock(hashtext('pipeline.swap'))";

/// Puts a table into the place of another in one transaction. Views over it, its owner, its grants and its row level security are kept; foreign
/// keys into it are taken away, for the caller to give back.
pub(super) async fn swap(lease: &Lease, staging: &TableName, target: &TableName) -> Result<(), Failure> {
    let ddl = Ddl::new(Engine::Postgres);
    let (name, gathered) = (ddl.table(target), ddl.table(staging));
    let quoted = literal(Engine::Postgres, &Value::from(name.as_str()));
    // A server goes on with the statements of a client that is gone. Where those wait for the target, a further run would make the table of the gathered
    // rows anew meanwhile, and they would put that one, half full, into the target's place: held from the beginning, it is the one that is meant.
    let hold = format!("lock table {gathered} in access exclusive mode");
    let begin = format!("begin; {ONE_AT_A_TIME}; {hold}; select to_regclass({quoted}) is not null");
    let answers = lease.client().simple_query(&begin).await;
    let answers = answers.map_err(|error| failure(&error))?;
    let exists = answers.iter().rev().find_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    }) == Some("t");
    let mut statements = Vec::new();
    if exists {
        let dependents = Dependents::read(lease.client(), target, staging).await;
        let dependents = dependents.map_err(|error| failure(&error))?;
        let keys = keys_around(lease, target).await;
        let keys = keys.map_err(|error| failure(&error))?.into_iter();
        statements.extend(keys.filter(|key| !key.is_own).map(|key| key.take));
        statements.extend(dependents.take);
        statements.extend([ddl.drop_table(target), ddl.rename(staging, target)]);
        statements.extend(dependents.give_back);
    } else {
        statements.push(ddl.rename(staging, target));
    }
    let swapped = lease.finish_transaction(&statements).await;
    swapped.map_err(|mut failure| {
        if failure.code == DEPENDED_ON {
            failure.message.push_str(
                "; what depends on the table and is no view is not made anew: drop it, or load with `mode: truncate`, which leaves the table in its place",
            );
        }
        failure
    })
}
