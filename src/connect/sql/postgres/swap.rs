use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, Row, SimpleQueryMessage};

use super::Lease;
use super::error::failure;
use crate::connect::sql::KeyAround;
use crate::connect::sql::ddl::Ddl;
use crate::connect::sql::select::literal;
use crate::model::{Engine, Failure, TableName, Value};

/// What hangs on a table and would go with it.
struct Dependents {
    /// Views, those that others are made of first.
    views: Vec<View>,
    /// Statements that give its owner and its grants to the table that takes its place.
    rights: Vec<String>,
}

struct View {
    /// `view` or `materialized view`.
    kind: &'static str,
    name: String,
    definition: String,
    rights: Vec<String>,
}

/// The foreign keys of a table and into it. One that the swap of another table takes away at this moment is still listed, and has no definition any
/// more: that swap has noted it.
pub(super) async fn keys_around(client: &Client, target: &TableName) -> Result<Vec<KeyAround>, Error> {
    let name = Ddl::new(Engine::Postgres).table(target);
    let rows = client
        .query_typed(
            "select is_own, format('alter table %s drop constraint %I', holder, conname), \
               format('alter table %s add constraint %I %s', holder, conname, definition) \
             from (select conrelid = to_regclass($1::text) as is_own, conrelid::regclass::text as holder, conname, \
                 pg_get_constraintdef(oid) as definition \
               from pg_constraint \
               where contype = 'f' and to_regclass($1::text) in (conrelid, confrelid) and conparentid = 0 offset 0) found \
             where definition is not null order by conname",
            &[(&name, Type::TEXT)],
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

/// Puts a table into the place of another in one transaction. Views over it, its owner and its grants are kept; foreign keys into it are taken
/// away, for the caller to give back.
pub(super) async fn swap(lease: &Lease, staging: &TableName, target: &TableName) -> Result<(), Failure> {
    let ddl = Ddl::new(Engine::Postgres);
    let name = ddl.table(target);
    let quoted = literal(Engine::Postgres, &Value::from(name.as_str()));
    let begin = format!("begin; {ONE_AT_A_TIME}; select to_regclass({quoted}) is not null");
    let answers = lease.client().simple_query(&begin).await;
    let answers = answers.map_err(|error| failure(&error))?;
    let exists = answers.iter().rev().find_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    }) == Some("t");
    let mut statements = Vec::new();
    if exists {
        let dependents = dependents(lease.client(), &name)
            .await
            .map_err(|error| failure(&error))?;
        let keys = keys_around(lease.client(), target).await;
        let keys = keys.map_err(|error| failure(&error))?.into_iter();
        statements.extend(keys.filter(|key| !key.is_own).map(|key| key.take));
        let dropped = dependents.views.iter().rev();
        statements.extend(dropped.map(|view| format!("drop {} {}", view.kind, view.name)));
        statements.push(format!("drop table {name}"));
        statements.push(ddl.rename(staging, target));
        statements.extend(dependents.rights);
        for view in dependents.views {
            statements.push(format!("create {} {} as {}", view.kind, view.name, view.definition));
            statements.extend(view.rights);
        }
    } else {
        statements.push(ddl.rename(staging, target));
    }
    lease.finish_transaction(&statements).await
}

async fn dependents(client: &Client, name: &str) -> Result<Dependents, Error> {
    let rows = client
        .query_typed(
            "with recursive dependent(id, depth) as ( \
               select rule.ev_class, 1 from pg_depend link join pg_rewrite rule on rule.oid = link.objid \
               where link.classid = 'pg_rewrite'::regclass and link.refclassid = 'pg_class'::regclass \
                 and link.refobjid = $1::text::regclass and rule.ev_class <> link.refobjid \
               union \
               select rule.ev_class, dependent.depth + 1 from dependent \
               join pg_depend link on link.refobjid = dependent.id and link.refclassid = 'pg_class'::regclass \
               join pg_rewrite rule on rule.oid = link.objid and link.classid = 'pg_rewrite'::regclass \
               where rule.ev_class <> dependent.id) \
             select id::regclass::text, relkind::text, pg_get_viewdef(id) from \
               (select id, max(depth) as depth from dependent group by id) deepest join pg_class on pg_class.oid = id order by depth, id",
            &[(&name, Type::TEXT)],
        )
        .await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        let (view, kind): (String, String) = (row.get(0), row.get(1));
        views.push(View {
            kind: if kind == "m" { "materialized view" } else { "view" },
            rights: rights(client, &view).await?,
            name: view,
            definition: row.get::<_, String>(2).trim_end_matches(';').to_owned(),
        });
    }
    Ok(Dependents {
        views,
        rights: rights(client, name).await?,
    })
}

/// Statements that give a table or view the owner and the grants that it has now.
async fn rights(client: &Client, name: &str) -> Result<Vec<String>, Error> {
    let rows = client
        .query_typed(
            "select format('alter table %s owner to %I', $1::text, pg_get_userbyid(relowner)) from pg_class where oid = $1::text::regclass \
             union all \
             select format('grant %s on %s to %s%s', granted.privilege_type, $1::text, \
               case when granted.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(granted.grantee)) end, \
               case when granted.is_grantable then ' with grant option' else '' end) \
             from pg_class, aclexplode(relacl) granted where oid = $1::text::regclass and granted.grantee <> relowner",
            &[(&name, Type::TEXT)],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
