use std::collections::HashMap;

use tokio_postgres::{Client, Error};

use super::error::failure;
use super::read;
use crate::model::{Column, Extras, Failure, ForeignKey, Index, Key, Table, TableName, Value};

/// The tables `c` in schemas `n` that are not the server's own: ordinary ones and the roots of partitioned ones.
const TABLES: &str = "pg_class c join pg_namespace n on n.oid = c.relnamespace \
    where c.relkind in ('r', 'p') and not c.relispartition and n.nspname not in ('pg_catalog', 'information_schema') \
    and n.nspname not like 'pg\\_toast%' and n.nspname not like 'pg\\_temp%'";

/// All tables of the database but the server's own.
pub(super) async fn tables(client: &Client) -> Result<Vec<Table>, Error> {
    // What has come in since the rows were counted is in the statistics of activity, which a crash of the server empties.
    let text = format!(
        "select c.oid, n.nspname, c.relname, case when c.reltuples > 0 then greatest(c.reltuples::bigint, pg_stat_get_live_tuples(c.oid)) \
           else c.reltuples::bigint end, c.relkind = 'p' \
         from {TABLES} order by n.nspname, c.relname"
    );
    let found = client.query_typed(&text, &[]).await?;
    let mut tables = Vec::with_capacity(found.len());
    let mut places = HashMap::with_capacity(found.len());
    for row in found {
        let estimate: i64 = row.get(3);
        places.insert(row.get::<_, u32>(0), tables.len());
        tables.push(Table {
            name: TableName::new(row.get::<_, String>(1), row.get::<_, String>(2)),
            // -1 means that nobody has counted yet.
            rows_estimate: u64::try_from(estimate).ok(),
            extras: Extras {
                is_partitioned: row.get(4),
                ..Extras::default()
            },
            ..Table::default()
        });
    }
    read_columns(client, &places, &mut tables).await?;
    read_indexes(client, &places, &mut tables).await?;
    read_foreign_keys(client, &places, &mut tables).await?;
    read_extras(client, &places, &mut tables).await?;
    Ok(tables)
}

type Places = HashMap<u32, usize>;

async fn read_columns(client: &Client, places: &Places, tables: &mut [Table]) -> Result<(), Error> {
    let text = format!(
        "select a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, \
         a.attidentity <> '' or coalesce(pg_get_expr(d.adbin, d.adrelid) like 'nextval(%', false), a.attgenerated <> '', \
         d.adbin is not null or t.typdefault is not null, a.attidentity = 'a', \
         case when a.attcollation <> t.typcollation then (select collname from pg_collation c where c.oid = a.attcollation) end \
         from pg_attribute a join pg_type t on t.oid = a.atttypid \
         left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum \
         where a.attrelid in (select c.oid from {TABLES}) and a.attnum > 0 and not a.attisdropped order by a.attrelid, a.attnum"
    );
    let rows = client.query_typed(&text, &[]).await?;
    for row in rows {
        let Some(table) = places.get(&row.get(0)).and_then(|place| tables.get_mut(*place)) else {
            continue;
        };
        let column = Column {
            name: row.get(1),
            native: row.get(2),
            is_nullable: !row.get::<_, bool>(3),
            is_identity: row.get(4),
            is_computed: row.get(5),
        };
        let place = format!("column `{}`", column.name);
        if row.get(7) {
            let told = format!("{place} is always numbered by the server");
            table.extras.simplified.push(told);
        }
        if let Some(collation) = row.get::<_, Option<String>>(8) {
            table
                .extras
                .simplified
                .push(format!("{place} is collated by `{collation}`"));
        }
        // What numbers or computes a column stands in the catalogue as its default.
        if row.get(6) && !column.is_identity && !column.is_computed {
            table.extras.defaults.push(column.name.clone());
        }
        table.columns.push(column);
    }
    Ok(())
}

async fn read_indexes(client: &Client, places: &Places, tables: &mut [Table]) -> Result<(), Error> {
    let text = format!(
        "select i.indrelid, x.relname, i.indisprimary, i.indisunique, \
         array(select a.attname::text from unnest(i.indkey::int2[]) with ordinality k(number, place) \
               join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number \
               where k.place <= i.indnkeyatts order by k.place), \
         case when i.indexprs is not null then 'it is over an expression' when i.indpred is not null then 'it holds a part of the rows only' \
              when m.amname <> 'btree' then 'it is of the kind ' || m.amname end, \
         case when i.indisunique and not i.indisprimary and to_jsonb(i)->>'indnullsnotdistinct' = 'true' then 'holds NULL once' \
              when i.indnatts > i.indnkeyatts then 'holds columns beside its key' when i.indoption::text ~ '[^0 ]' then 'has an order of its own' end \
         from pg_index i join pg_class x on x.oid = i.indexrelid join pg_am m on m.oid = x.relam \
         where i.indrelid in (select c.oid from {TABLES}) and i.indisvalid order by i.indrelid, x.relname"
    );
    let rows = client.query_typed(&text, &[]).await?;
    for row in rows {
        let Some(table) = places.get(&row.get(0)).and_then(|place| tables.get_mut(*place)) else {
            continue;
        };
        let columns: Vec<String> = row.get(4);
        if let (None, Some(told)) = (row.get::<_, Option<String>>(5), row.get::<_, Option<String>>(6)) {
            let told = format!("index `{}` {told}", row.get::<_, String>(1));
            table.extras.simplified.push(told);
        }
        if row.get(2) {
            table.primary_key = Some(Key { columns });
        } else {
            table.indexes.push(Index {
                name: row.get(1),
                columns,
                is_unique: row.get(3),
                peculiarity: row.get(5),
            });
        }
    }
    Ok(())
}

async fn read_foreign_keys(client: &Client, places: &Places, tables: &mut [Table]) -> Result<(), Error> {
    let names = |numbers: &str, table: &str| {
        format!(
            "array(select a.attname::text from unnest({numbers}) with ordinality k(number, place) \
             join pg_attribute a on a.attrelid = {table} and a.attnum = k.number order by k.place)"
        )
    };
    let text = format!(
        "select f.conrelid, f.conname, {}, f.confrelid, {}, f.confdeltype::text, f.confupdtype::text \
         from pg_constraint f where f.contype = 'f' and f.conparentid = 0 order by f.conrelid, f.conname",
        names("f.conkey", "f.conrelid"),
        names("f.confkey", "f.confrelid")
    );
    for row in client.query_typed(&text, &[]).await? {
        let references = places
            .get(&row.get(3))
            .and_then(|place| tables.get(*place))
            .map(|table| table.name.clone());
        let table = places.get(&row.get(0)).and_then(|place| tables.get_mut(*place));
        let (Some(references), Some(table)) = (references, table) else {
            continue;
        };
        table.foreign_keys.push(ForeignKey {
            name: row.get(1),
            columns: row.get(2),
            references,
            referenced_columns: row.get(4),
            on_delete: action(row.get(5)),
            on_update: action(row.get(6)),
        });
    }
    Ok(())
}

/// What else hangs on tables, by one question about all of them. What hangs on anything else names none of them.
async fn read_extras(client: &Client, places: &Places, tables: &mut [Table]) -> Result<(), Error> {
    let text = "select conrelid, 'check', conname::text from pg_constraint where contype = 'c' \
         union all select tgrelid, 'trigger', tgname::text from pg_trigger where not tgisinternal \
         union all select objoid, 'comment', '' from pg_description where classoid = 'pg_class'::regclass \
         union all select conrelid, 'simplified', format('key `%s` is deferrable', conname) from pg_constraint where condeferrable \
         union all select distinct inhparent, 'simplified', 'rows of tables that inherit from it come with its own' \
           from pg_inherits join pg_class p on p.oid = inhparent where p.relkind = 'r' order by 1, 2, 3";
    let rows = client.query_typed(text, &[]).await?;
    for row in rows {
        let Some(table) = places.get(&row.get(0)).and_then(|place| tables.get_mut(*place)) else {
            continue;
        };
        match row.get(1) {
            "check" => table.extras.checks += 1,
            "simplified" => table.extras.simplified.push(row.get(2)),
            "trigger" => table.extras.triggers.push(row.get(2)),
            _ => table.extras.comments += 1,
        }
    }
    Ok(())
}

fn action(letter: &str) -> String {
    match letter {
        "r" => "RESTRICT",
        "c" => "CASCADE",
        "n" => "SET NULL",
        "d" => "SET DEFAULT",
        _ => "NO ACTION",
    }
    .to_owned()
}

/// The columns of a query, as the server describes them before it runs.
pub(super) async fn describe(
    client: &Client,
    text: &str,
    parameters: &[(String, Value)],
) -> Result<Vec<Column>, Failure> {
    let (text, _) = read::numbered(text, parameters)?;
    let statement = client.prepare(&text).await.map_err(|error| failure(&error))?;
    let mut columns = Vec::with_capacity(statement.columns().len());
    for column in statement.columns() {
        let native: String = client
            .query_one(
                "select format_type($1, $2)",
                &[&column.type_().oid(), &column.type_modifier()],
            )
            .await
            .map_err(|error| failure(&error))?
            .get(0);
        columns.push(Column {
            name: column.name().to_owned(),
            native,
            is_nullable: true,
            is_identity: false,
            is_computed: false,
        });
    }
    Ok(columns)
}
