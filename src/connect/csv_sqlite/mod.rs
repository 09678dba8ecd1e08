//! CSV files queried as tables of in-memory SQLite databases.
//!
//! Each query text gets a database of its own, made when the text is first met: it holds the tables that the text names, every
//! column as TEXT, and an index on every column that the text compares, so that one query per item over millions of rows never
//! scans. Nothing is written to it after that, which is why any number of readers can share it without waiting for each other.

mod load;
pub(super) mod query;
mod words;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use tokio::sync::OnceCell;

use self::load::Tables;
use super::{Database, RowStream};
use crate::model::{CsvTable, Failure, Value};

/// Query texts whose tables are kept. A job has a handful; beyond that the oldest knowledge is dropped as a whole.
const TEXTS_MAX: usize = 16;

/// CSV files as tables.
pub(super) struct CsvSqlite {
    files: Arc<[CsvTable]>,
    loaded: Mutex<HashMap<String, Arc<OnceCell<Arc<Tables>>>>>,
}

impl CsvSqlite {
    pub(super) fn new(files: Vec<CsvTable>) -> Self {
        Self {
            files: files.into(),
            loaded: Mutex::new(HashMap::new()),
        }
    }

    fn cell(&self, text: &str) -> Arc<OnceCell<Arc<Tables>>> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if loaded.len() >= TEXTS_MAX && !loaded.contains_key(text) {
            loaded.clear();
        }
        Arc::clone(loaded.entry(text.to_owned()).or_default())
    }

    async fn rows(&self, text: &str, parameters: &[(String, Value)]) -> Result<RowStream, Failure> {
        query::check_kind(text)?;
        let cell = self.cell(text);
        let tables = cell
            .get_or_try_init(|| {
                let (files, text) = (Arc::clone(&self.files), text.to_owned());
                blocking(move || Tables::load(&files, &text).map(Arc::new))
            })
            .await?;
        let (lending, taking) = (Arc::clone(tables), Arc::clone(tables));
        let lend = move || lending.connection();
        let take_back = move |connection| taking.put_back(connection);
        query::run(lend, take_back, text.to_owned(), parameters.to_vec()).await
    }
}

impl Database for CsvSqlite {
    fn query<'a>(
        &'a self,
        text: &'a str,
        parameters: &'a [(String, Value)],
    ) -> BoxFuture<'a, Result<RowStream, Failure>> {
        Box::pin(self.rows(text, parameters))
    }

    /// Opens each file and reads its header.
    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            let files = Arc::clone(&self.files);
            blocking(move || files.iter().try_for_each(|file| load::header(file).map(drop))).await
        })
    }
}

/// Runs SQLite on a thread that may wait.
async fn blocking<T, F>(work: F) -> Result<T, Failure>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Failure> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(Failure::permanent(
            "query.interrupted",
            "a query did not run to its end",
        ))
    })
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;
    use crate::model::{FailureClass, Row};

    struct Fixture {
        _folder: tempfile::TempDir,
        database: CsvSqlite,
    }

    fn fixture(files: &[(&str, &str)]) -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let tables = files
            .iter()
            .map(|(name, text)| {
                let path = folder.path().join(format!("{name}.csv"));
                std::fs::write(&path, text).unwrap();
                CsvTable {
                    name: (*name).to_owned(),
                    path,
                }
            })
            .collect();
        Fixture {
            _folder: folder,
            database: CsvSqlite::new(tables),
        }
    }

    const FILES: (&str, &str) = (
        "files",
        "\u{feff}Uri,WorkItemId,FileName\r\na,1,\"one, or\ntwo\"\r\nb,2,x\r\nc,2,\r\n",
    );

    async fn rows(database: &CsvSqlite, text: &str, parameters: &[(&str, Value)]) -> Result<Vec<Row>, Failure> {
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        database.query(text, &parameters).await?.try_collect().await
    }

    #[tokio::test]
    async fn rows_are_found_by_a_bound_parameter() {
        let fixture = fixture(&[FILES]);
        let text = "select Uri, FileName from files where WorkItemId = :id order by Uri";
        for id in [Value::from("2"), Value::Integer(2)] {
            let rows = rows(&fixture.database, text, &[("id", id)]).await.unwrap();
            assert_eq!(rows.len(), 2);
            assert_eq!(rows[0].get("Uri"), Some(&Value::from("b")));
            assert_eq!(rows[1].get("FileName"), Some(&Value::from("")));
        }
        let one = rows(&fixture.database, text, &[("id", Value::from("1"))])
            .await
            .unwrap();
        assert_eq!(one[0].get("FileName"), Some(&Value::from("one, or\ntwo")));
        let hostile = rows(&fixture.database, text, &[("id", Value::from("1' or '1'='1"))]).await;
        assert!(hostile.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_compared_column_is_searched_and_not_scanned() {
        let fixture = fixture(&[FILES]);
        let text = "explain query plan select Uri from files f where f.WorkItemId=:id";
        let tables = Tables::load(&fixture.database.files, text).unwrap();
        let connection = tables.connection().unwrap();
        let plan: String = connection.query_row(text, ["1"], |row| row.get(3)).unwrap();
        assert!(plan.starts_with("SEARCH"), "{plan}");
    }

    #[tokio::test]
    async fn a_slow_reader_does_not_hold_up_another_query() {
        let lines: String = (0..5_000).map(|number| format!("{number}\n")).collect();
        let fixture = fixture(&[("items", &format!("Id\n{lines}"))]);
        let text = "select Id from items";
        let mut slow = fixture.database.query(text, &[]).await.unwrap();
        slow.try_next().await.unwrap();
        assert_eq!(rows(&fixture.database, text, &[]).await.unwrap().len(), 5_000);
        assert_eq!(slow.try_collect::<Vec<_>>().await.unwrap().len(), 4_999);
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_query_is_said() {
        let fixture = fixture(&[FILES]);
        type Case<'a> = (&'a str, &'a [(&'a str, Value)], FailureClass, &'a str);
        let cases: [Case<'_>; 8] = [
            (
                "select * from files where Uri = :id",
                &[],
                FailureClass::Data,
                "query.parameter_missing",
            ),
            (
                "select * from files",
                &[("id", Value::Null)],
                FailureClass::Data,
                "query.parameter_unused",
            ),
            (
                "select * from files where Uri = ?",
                &[],
                FailureClass::Data,
                "query.parameter_unnamed",
            ),
            ("select * frm files", &[], FailureClass::Permanent, "query.invalid"),
            ("select Nope from files", &[], FailureClass::Permanent, "query.invalid"),
            ("delete from files", &[], FailureClass::Permanent, "query.writes"),
            ("attach 'x' as y", &[], FailureClass::Permanent, "query.writes"),
            (
                "select Uri, Uri from files",
                &[],
                FailureClass::Data,
                "query.duplicate_column",
            ),
        ];
        for (text, parameters, class, code) in cases {
            let failure = rows(&fixture.database, text, parameters).await.unwrap_err();
            assert_eq!((failure.class, &*failure.code), (class, code), "{text}: {failure}");
        }
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_file_is_said_with_its_line() {
        let cases = [
            ("a,b\n1,2\n3\n", "csv.field_count", "line 3"),
            ("a,A\n1,2\n", "csv.duplicate_column", "`A`"),
            ("a,\n1,2\n", "csv.empty_column", "column 2"),
            ("", "csv.empty", "no header"),
            ("a,b\n1,\"open\n2,x\n", "csv.unclosed_quote", "line 2"),
            ("a,\"b\n1,2\n", "csv.unclosed_quote", "line 1"),
        ];
        for (text, code, told) in cases {
            let fixture = fixture(&[("t", text)]);
            let failure = rows(&fixture.database, "select * from t", &[]).await.unwrap_err();
            assert_eq!(failure.code, code);
            assert!(
                failure.message.contains(told) && failure.message.contains("t.csv"),
                "{failure}"
            );
        }
        let fixture = fixture(&[]);
        let failure = rows(&fixture.database, "select * from t", &[]).await.unwrap_err();
        assert!(failure.message.contains("no such table"), "{failure}");
    }
}
