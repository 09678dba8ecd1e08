use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::TryStreamExt;
use pipeline::connect::{
    Connections, Ddl, Mapper, ReadRequest, RowsFrom, RowsRequest, TableMapping, TableStore, cell_text, map_table,
    type_table,
};
use pipeline::model::{
    Ceilings, ColumnMapping, ConnectionConfig, ConnectionKind, DatabaseAddress, Engine, Failure, RowRange,
    SecretReference, Table, TableName, Value,
};

use super::kinds::{next_name, runtime};
use super::servers::{Mariadb, Postgres, TdsServer};

/// A kind of database, and how to get an empty one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TablesKind {
    Sqlite,
    Postgres,
    MySql,
    /// By the test server that speaks its protocol.
    SqlServer,
}

/// A database to test, with what a test needs to know about it.
pub struct TablesSubject {
    pub kind: TablesKind,
    pub database: Arc<dyn TableStore>,
    pub connections: Connections,
    /// The schema that its tables are in.
    pub schema: String,
    _folder: tempfile::TempDir,
}

pub type Texts = Vec<Vec<Option<String>>>;

pub fn postgres() -> &'static Postgres {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    SERVER.get_or_init(Postgres::start)
}

pub fn mariadb() -> &'static Mariadb {
    static SERVER: OnceLock<Mariadb> = OnceLock::new();
    SERVER.get_or_init(Mariadb::start)
}

pub fn tds() -> &'static TdsServer {
    static SERVER: OnceLock<TdsServer> = OnceLock::new();
    SERVER.get_or_init(TdsServer::start)
}

const TIMEOUT: Duration = Duration::from_secs(30);

impl TablesKind {
    pub fn engine(self) -> Engine {
        match self {
            Self::Sqlite => Engine::Sqlite,
            Self::Postgres => Engine::Postgres,
            Self::MySql => Engine::MySql,
            Self::SqlServer => Engine::SqlServer,
        }
    }

    /// Runs a behaviour on an empty database of this kind.
    pub fn run<F: Future<Output = ()>>(self, behaviour: impl FnOnce(TablesSubject) -> F) {
        runtime().block_on(async { behaviour(self.subject().await).await });
    }

    pub async fn subject(self) -> TablesSubject {
        let name = next_name().replace('-', "_");
        let port = match self {
            Self::Sqlite => 0,
            Self::Postgres => {
                postgres().create_database(&name);
                postgres().port
            }
            Self::MySql => {
                mariadb().create_database(&name);
                mariadb().port
            }
            Self::SqlServer => {
                tds().create_database(&name);
                tds().port
            }
        };
        self.subject_at(port, &name, Postgres::PASSWORD).await
    }

    /// A database that may not be there, on a server of the caller's, with a password that may be wrong.
    pub async fn subject_at(self, port: u16, name: &str, password: &str) -> TablesSubject {
        self.open(port, name, password, false, TIMEOUT).await
    }

    /// A database of a server that has no encryption, by a connection that insists on it.
    pub async fn encrypted_at(self, port: u16, name: &str) -> TablesSubject {
        self.open(port, name, Postgres::PASSWORD, true, TIMEOUT).await
    }

    /// A database of a server, by a connection without patience.
    pub async fn hurried_at(self, port: u16, name: &str) -> TablesSubject {
        let moment = Duration::from_millis(300);
        self.open(port, name, Postgres::PASSWORD, false, moment).await
    }

    async fn open(self, port: u16, name: &str, password: &str, is_encrypted: bool, timeout: Duration) -> TablesSubject {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let secret = folder.path().join("password");
        std::fs::write(&secret, password).expect("the folder is writable");
        let address = DatabaseAddress {
            host: "127.0.0.1".to_owned(),
            port,
            database: name.to_owned(),
            user: Postgres::USER.to_owned(),
            password: Some(SecretReference::File(secret)),
            is_encrypted,
        };
        let kind = match self {
            Self::Sqlite => ConnectionKind::Sqlite {
                script: None,
                path: folder.path().join("data.sqlite"),
            },
            Self::Postgres => ConnectionKind::Postgres(address),
            Self::MySql => ConnectionKind::MySql(address),
            Self::SqlServer => ConnectionKind::SqlServer(address),
        };
        let config = ConnectionConfig {
            name: "subject".to_owned(),
            kind,
            timeout,
            ceilings: Ceilings::default(),
            retry: None,
        };
        let connections = Connections::new(BTreeMap::from([("subject".to_owned(), config)]));
        TablesSubject {
            kind: self,
            database: connections.tables("subject").await.expect("the database opens"),
            connections,
            schema: match self {
                Self::Sqlite => String::new(),
                Self::Postgres => "public".to_owned(),
                Self::MySql => name.to_owned(),
                Self::SqlServer => "dbo".to_owned(),
            },
            _folder: folder,
        }
    }
}

impl TablesSubject {
    pub fn engine(&self) -> Engine {
        self.kind.engine()
    }

    pub fn name(&self, table: &str) -> TableName {
        TableName::new(self.schema.clone(), table)
    }

    pub async fn execute(&self, statements: &[&str]) {
        let statements: Vec<String> = statements.iter().map(|text| (*text).to_owned()).collect();
        self.database.execute(&statements).await.unwrap();
    }

    /// A table as the catalogue has it.
    pub async fn table(&self, name: &str) -> Table {
        let tables = self.database.tables().await.unwrap();
        let found = tables.iter().find(|table| table.name.name == name);
        found.unwrap_or_else(|| panic!("no `{name}` in {tables:?}")).clone()
    }

    /// What a table becomes in another database.
    pub async fn mapping(&self, table: &str, sink: &Self) -> TableMapping {
        let table = self.table(table).await;
        let names = HashMap::from([(table.name.clone(), sink.name(&table.name.name))]);
        let mapper = Mapper {
            types: type_table(self.engine(), sink.engine()),
            source: self.engine(),
            sink: sink.engine(),
            overrides: &BTreeMap::new(),
            names: &names,
            column: &|_, column| Ok(column.to_owned()),
        };
        map_table(&table, &mapper).unwrap()
    }

    /// All rows, each value as text.
    pub async fn read(&self, request: ReadRequest) -> Result<Texts, Failure> {
        let columns = request.columns.clone();
        let mut batches = self.database.read(request).await?;
        let mut rows = Vec::new();
        while let Some(batch) = batches.try_next().await? {
            assert_eq!(batch.num_columns(), columns.len());
            for row in 0..batch.num_rows() {
                let cells = columns.iter().zip(batch.columns());
                rows.push(
                    cells
                        .map(|(column, values)| cell_text(column.carry, values, row))
                        .collect(),
                );
            }
        }
        Ok(rows)
    }

    /// The rows of a query with mapped columns.
    pub async fn query(
        &self,
        text: &str,
        columns: Vec<ColumnMapping>,
        parameters: &[(&str, Value)],
    ) -> Result<Texts, Failure> {
        self.read(ReadRequest {
            from: query(text, parameters),
            columns,
            range: RowRange::Whole,
            snapshot: None,
            unread: None,
        })
        .await
    }

    /// The first value of the first row of a query, as text.
    pub async fn one(&self, text: &str) -> String {
        let described = self.database.describe(text, &[]).await.unwrap();
        let types = type_table(self.engine(), self.engine());
        let columns = described.iter().map(|column| {
            let mapped = types
                .map(&column.native)
                .unwrap_or_else(|| panic!("no rule for {column:?}"));
            plain_column(&column.name, &column.native, mapped.carry)
        });
        let rows = self.query(text, columns.collect(), &[]).await.unwrap();
        rows[0][0].clone().unwrap_or_else(|| "NULL".to_owned())
    }

    pub async fn count(&self, table: &str) -> u64 {
        let from = RowsFrom::Table(self.name(table));
        self.database.count(&from, &RowRange::Whole).await.unwrap()
    }

    /// Makes the sink's table of a mapping.
    pub async fn create(&self, mapping: &TableMapping) {
        let text = Ddl::new(self.engine()).create_table(mapping, &mapping.target);
        self.execute(&[&text]).await;
    }

    pub fn writing(&self, table: &str, columns: Vec<ColumnMapping>) -> RowsRequest {
        RowsRequest {
            table: self.name(table),
            columns,
            upsert_key: Vec::new(),
            part: 1,
        }
    }
}

pub fn query(text: &str, parameters: &[(&str, Value)]) -> RowsFrom {
    RowsFrom::Query {
        text: text.to_owned(),
        parameters: parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
    }
}

/// A column that keeps its name and type.
pub fn plain_column(name: &str, native: &str, carry: pipeline::model::Carry) -> ColumnMapping {
    ColumnMapping {
        source: name.to_owned(),
        source_native: native.to_owned(),
        carry,
        target: name.to_owned(),
        target_native: native.to_owned(),
        is_nullable: true,
        is_identity: false,
        losses: Vec::new(),
    }
}
