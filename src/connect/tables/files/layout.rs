//! Which table a file belongs to, and where a table's files are put.
//!
//! | path | table |
//! |---|---|
//! | `sales/orders.parquet` | `sales.orders`: a file by itself |
//! | `sales/orders/00001.parquet`, `…/part-0001.parquet`, `…/data_0.parquet` | `sales.orders`: a part of a folder |

use crate::model::{Failure, FileFormat, TableName};

/// An empty object that says that a folder of numbered parts is complete; Spark and its kin look for it too.
pub const COMPLETE: &str = "_SUCCESS";

/// The table that a file belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    pub table: TableName,
    pub format: FileFormat,
    /// The folder with a slash at its end, for a part; `None` for a file by itself.
    pub folder: Option<String>,
    /// Its name is a number, as those are that this program writes.
    pub is_numbered: bool,
}

/// Where a file belongs; `None` when it holds no rows: by its ending, or as hidden files and those of bookkeeping do (`.x`, `_x`).
pub fn home(path: &str) -> Option<Home> {
    let format = FileFormat::of(path)?;
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if name.starts_with(['_', '.']) {
        return None;
    }
    let (stem, _) = name.rsplit_once('.')?;
    let is_numbered = is_digits(stem);
    let is_part = is_numbered
        || stem.starts_with("part-")
        || stem.starts_with("part_")
        || stem.strip_prefix("data_").is_some_and(is_digits);
    if is_part && !folder.is_empty() {
        let (schema, table) = folder.rsplit_once('/').unwrap_or(("", folder));
        return Some(Home {
            table: TableName::new(schema, table),
            format,
            folder: Some(format!("{folder}/")),
            is_numbered,
        });
    }
    Some(Home {
        table: TableName::new(folder, stem),
        format,
        folder: None,
        is_numbered,
    })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The folder of a table that this program writes, with a slash at its end.
///
/// # Errors
/// `files.table_name`: the name cannot be that of a folder.
pub fn folder(table: &TableName) -> Result<String, Failure> {
    let TableName { schema, name } = table;
    if name.is_empty() || name.contains('/') {
        return Err(Failure::data(
            "files.table_name",
            format!("the name `{name}` cannot be that of a folder; give the table another with `naming.table`"),
        ));
    }
    let schema = schema.trim_end_matches('/');
    Ok(if schema.is_empty() {
        format!("{name}/")
    } else {
        format!("{schema}/{name}/")
    })
}

/// The path of a part, whose numbers begin at 1.
pub fn part(folder: &str, number: u64, format: FileFormat) -> String {
    format!("{folder}{number:05}.{}", format.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(path: &str) -> Option<(String, bool)> {
        home(path).map(|home| (home.table.to_string(), home.folder.is_some()))
    }

    #[test]
    fn a_file_is_a_table_or_a_part_of_its_folder() {
        let of = |name: &str, is_part| Some((name.to_owned(), is_part));
        assert_eq!(table("orders.parquet"), of("orders", false));
        assert_eq!(table("sales/orders.CSV"), of("sales.orders", false));
        assert_eq!(table("a/b/orders.ndjson"), of("a/b.orders", false));
        assert_eq!(table("sales/orders/00001.parquet"), of("sales.orders", true));
        assert_eq!(table("orders/part-00000-c000.snappy.parquet"), of("orders", true));
        assert_eq!(table("orders/data_0.parquet"), of("orders", true));
        assert_eq!(table("orders/data_x.parquet"), of("orders.data_x", false));
        assert_eq!(table("2024.csv"), of("2024", false));
        for other in [
            "orders/_SUCCESS",
            "orders/_meta.parquet",
            ".x.csv",
            "a.txt",
            ".csv",
            "a/.csv",
            "",
            "parquet",
        ] {
            assert_eq!(table(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_written_is_found_again() {
        for name in [
            TableName::new("", "orders"),
            TableName::new("a/b", "größe"),
            TableName::new("s", "x.y"),
        ] {
            let folder = folder(&name).unwrap();
            let home = home(&part(&folder, 123_456, FileFormat::Csv)).unwrap();
            assert_eq!((home.table, home.folder), (name, Some(folder)));
        }
        assert_eq!(
            folder(&TableName::new("s", "a/b")).unwrap_err().code,
            "files.table_name"
        );
    }
}
