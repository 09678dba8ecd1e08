//! Rows with a value that cannot be carried: the end of a stream, or set aside from it.

use pipeline::connect::{ReadRequest, RowsFrom, UnreadRows, cell_text};
use pipeline::model::{Carry, RowRange, Value};

use super::tables_edges::make_edge;
use super::tables_kinds::{TablesKind, TablesSubject};

pub async fn set_aside(subject: TablesSubject) {
    // PostgreSQL itself brings values into the form that is asked for; what has none are moments that no 64 bits from 1970 on hold.
    let (native, literals, carry) = match subject.kind {
        TablesKind::Sqlite => ("integer", ["1", "'x'", "3"], None),
        TablesKind::Postgres => ("timestamp", ["'2024-01-01'", "'294276-12-31'", "'infinity'"], None),
        TablesKind::MySql | TablesKind::SqlServer => ("integer", ["1", "70000", "3"], Some(Carry::Int16)),
    };
    make_edge(&subject, "odd", native, &literals).await;
    let mut columns = subject.mapping("odd", &subject).await.columns;
    if let Some(carry) = carry {
        columns[1].carry = carry;
    }
    let table = RowsFrom::Table(subject.name("odd"));
    let query = RowsFrom::Query {
        text: format!("select id, v from {} where id < :below", subject.engine().quote("odd")),
        parameters: vec![("below".to_owned(), Value::Integer(9))],
    };
    for from in [table, query] {
        let request = |unread| ReadRequest {
            from: from.clone(),
            columns: columns.clone(),
            range: RowRange::Whole,
            snapshot: None,
            unread,
        };
        let failure = subject.read(request(None)).await.unwrap_err();
        assert_eq!(failure.code, "rows.value", "{failure}");
        let aside = UnreadRows::default();
        let rows = subject.read(request(Some(aside.clone()))).await.unwrap();
        let keys: Vec<&str> = rows.iter().filter_map(|row| row[0].as_deref()).collect();
        assert_eq!(keys, ["0", "2"], "{rows:?}");
        assert!(rows.iter().all(|row| row[1].is_some()), "{rows:?}");
        let [unread] = &aside.take()[..] else {
            panic!("one row is set aside")
        };
        let cell = |place: usize| cell_text(columns[place].carry, unread.row.column(place), 0);
        assert_eq!((cell(0).as_deref(), cell(1)), (Some("1"), None));
        assert_eq!((&unread.columns[..], &*unread.failure.code), (&[1][..], "rows.value"));
        assert!(unread.failure.message.contains("`v`"), "{}", unread.failure);
    }
}
