use super::Lease;
use super::catalogue;
use super::fields::text_of;
use crate::connect::tables::ddl::Ddl;
use crate::connect::tables::keys::keys_around;
use crate::connect::tables::select::literal;
use crate::model::{Engine, Failure, TableName, Value};

/// Swaps of one database wait for each other: what hangs on one table may be changed by the swap of another between the look at the
/// catalogue and the statements that follow from it. The lock ends with its transaction.
///
/// The procedure tells by a negative number, and by no error, that the lock is not taken.
const ONE_AT_A_TIME: &str = "declare @taken int; exec @taken = sp_getapplock @Resource = N'pipeline.swap', @LockMode = N'Exclusive', \
    @LockOwner = N'Transaction', @LockTimeout = 600000; \
    if @taken < 0 throw 51222, N'another replacement of a table has held its lock for ten minutes; run again', 1";

/// Puts a table into the place of another in one transaction. Grants on it are kept, views name it and stay; foreign keys into it are taken
/// away, for the caller to give back. Triggers go with the table that goes.
pub(super) async fn swap(lease: &mut Lease, staging: &TableName, target: &TableName) -> Result<(), Failure> {
    let ddl = Ddl::new(Engine::SqlServer);
    lease.run("begin transaction").await?;
    lease.run(ONE_AT_A_TIME).await?;
    let tables = catalogue::tables(lease).await?;
    let keys = keys_around(Engine::SqlServer, &tables, target).into_iter();
    let mut statements: Vec<String> = keys.filter(|key| !key.is_own).map(|key| key.take).collect();
    let rights = rights(lease, &ddl.table(target)).await?;
    statements.extend([ddl.drop_table(target), ddl.rename(staging, target)]);
    statements.extend(rights);
    statements.push("commit transaction".to_owned());
    for statement in statements {
        let ran = lease.run(&statement).await;
        ran.map_err(|failure| failure.context(format_args!("`{statement}`")))?;
    }
    Ok(())
}

/// Statements that give the grants and denials on a table to the one that takes its name.
async fn rights(lease: &mut Lease, table: &str) -> Result<Vec<String>, Failure> {
    let name = literal(Engine::SqlServer, &Value::from(table));
    let asked = format!(
        "select p.state_desc, p.permission_name, g.name, c.name from sys.database_permissions as p \
         join sys.database_principals as g on g.principal_id = p.grantee_principal_id \
         left join sys.columns as c on c.object_id = p.major_id and c.column_id = p.minor_id \
         where p.class = 1 and p.major_id = object_id({name})"
    );
    let rows = lease.rows(&asked, Vec::new()).await?;
    Ok(rows
        .iter()
        .filter_map(|row| {
            let text = |place: usize| row.get(place).and_then(text_of);
            let (state, permission, grantee) = (text(0)?, text(1)?.to_lowercase(), text(2)?);
            let (verb, suffix) = match state.trim() {
                "GRANT" => ("grant", ""),
                "GRANT_WITH_GRANT_OPTION" => ("grant", " with grant option"),
                "DENY" => ("deny", ""),
                _ => return None,
            };
            let column = text(3).map_or_else(String::new, |column| format!(" ({})", Engine::SqlServer.quote(&column)));
            let grantee = Engine::SqlServer.quote(&grantee);
            Some(format!("{verb} {permission} on {table}{column} to {grantee}{suffix}"))
        })
        .collect())
}
