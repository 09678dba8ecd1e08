use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row};

use crate::connect::tables::ddl::Ddl;
use crate::model::{Engine, TableName};

/// What hangs on a table and would go with it, as the statements around the one that drops it.
pub(super) struct Dependents {
    /// Views, those that others are made of last.
    pub take: Vec<String>,
    /// What the table that takes its place has to have, then the views, then row level security: a materialized view is to be filled with all rows
    /// that it had.
    pub give_back: Vec<String>,
}

struct View {
    name: String,
    take: String,
    give_back: String,
}

/// The views over a table, those that others are made of first. Options are written as texts, which each of them takes.
const VIEWS: &str = "with recursive dependent(id, depth) as ( \
      select rule.ev_class, 1 from pg_depend link join pg_rewrite rule on rule.oid = link.objid \
      where link.classid = 'pg_rewrite'::regclass and link.refclassid = 'pg_class'::regclass \
        and link.refobjid = $1::text::regclass and rule.ev_class <> link.refobjid \
      union \
      select rule.ev_class, dependent.depth + 1 from dependent \
      join pg_depend link on link.refobjid = dependent.id and link.refclassid = 'pg_class'::regclass \
      join pg_rewrite rule on rule.oid = link.objid and link.classid = 'pg_rewrite'::regclass \
      where rule.ev_class <> dependent.id), \
    named as (select pg_class.*, depth, case relkind when 'm' then 'materialized view' else 'view' end as kind from \
      (select id, max(depth) as depth from dependent group by id) deepest join pg_class on pg_class.oid = id) \
    select oid::regclass::text, format('drop %s %s', kind, oid::regclass), format('create %s %s%s as %s%s', kind, oid::regclass, \
      (select ' with (' || string_agg(format('%I = %L', option_name, option_value), ', ') || ')' from pg_options_to_table(reloptions)), \
      rtrim(pg_get_viewdef(oid), ';'), case when relispopulated then '' else ' with no data' end) \
    from named order by depth, oid";

/// Statements that give a table or view the owner, the grants and the indexes that another has now, under its name. Grants on a column that
/// the successor does not have go with the column.
const RIGHTS: &str = "select format('alter table %s owner to %I', $1::text, pg_get_userbyid(relowner)) from pg_class where oid = $1::text::regclass \
    union all \
    select format('grant %s%s on %s to %s%s', privilege_type, place, $1::text, \
      case when grantee = 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end, \
      case when is_grantable then ' with grant option' else '' end) \
    from (select granted.*, relowner, '' as place from pg_class, aclexplode(relacl) granted where oid = $1::text::regclass \
      union all \
      select granted.*, relowner, format(' (%I)', attname) from pg_class join pg_attribute own on attrelid = oid, aclexplode(attacl) granted \
      where oid = $1::text::regclass and exists (select from pg_attribute other \
        where other.attrelid = $2::text::regclass and other.attname = own.attname and not other.attisdropped)) as given \
    where grantee <> relowner";

/// Statements that give the indexes of a materialized view back; those of a table belong to what is loaded.
const VIEW_INDEXES: &str = "select pg_get_indexdef(indexrelid) from pg_index join pg_class on oid = indrelid \
    where indrelid = $1::text::regclass and relkind = 'm' order by indexrelid";

/// Statements that give a table the row level security that it has now.
const ROW_SECURITY: &str = "select format('create policy %I on %s as %s for %s to %s%s%s', polname, $1::text, \
      case when polpermissive then 'permissive' else 'restrictive' end, \
      case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end, \
      (select string_agg(case role when 0 then 'public' else quote_ident(pg_get_userbyid(role)) end, ', ') from unnest(polroles) role), \
      ' using (' || pg_get_expr(polqual, polrelid) || ')', ' with check (' || pg_get_expr(polwithcheck, polrelid) || ')') \
    from pg_policy where polrelid = $1::text::regclass \
    union all select format('alter table %s enable row level security', $1::text) from pg_class where oid = $1::text::regclass and relrowsecurity \
    union all select format('alter table %s force row level security', $1::text) from pg_class where oid = $1::text::regclass and relforcerowsecurity";

impl Dependents {
    /// What hangs on `target`, as `successor` can take it over.
    pub(super) async fn read(client: &Client, target: &TableName, successor: &TableName) -> Result<Self, Error> {
        let ddl = Ddl::new(Engine::Postgres);
        let (name, successor) = (ddl.table(target), ddl.table(successor));
        let rows = client.query_typed(VIEWS, &[(&name, Type::TEXT)]).await?;
        let view = |row: &Row| View {
            name: row.get(0),
            take: row.get(1),
            give_back: row.get(2),
        };
        let views: Vec<View> = rows.iter().map(view).collect();
        let mut give_back = texts(client, RIGHTS, &[&name, &successor]).await?;
        let mut take = Vec::with_capacity(views.len());
        for view in views {
            give_back.push(view.give_back);
            give_back.extend(texts(client, VIEW_INDEXES, &[&view.name]).await?);
            give_back.extend(texts(client, RIGHTS, &[&view.name, &view.name]).await?);
            take.insert(0, view.take);
        }
        give_back.extend(texts(client, ROW_SECURITY, &[&name]).await?);
        Ok(Self { take, give_back })
    }
}

async fn texts(client: &Client, query: &str, names: &[&String]) -> Result<Vec<String>, Error> {
    let mut parameters = Vec::with_capacity(names.len());
    for name in names {
        parameters.push((*name as &(dyn ToSql + Sync), Type::TEXT));
    }
    let rows = client.query_typed(query, &parameters).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
