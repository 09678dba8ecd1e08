//! Statements that SQLite has no word for, or another.

use rusqlite::types::Value;

use super::catalogue::BETWEEN;
use super::create::{self, ColumnDefinition, KeyDefinition, TableDefinition};
use super::error::SqlError;
use super::executor::{Effect, Executor, Out, Outcome, PendingBulk, Stop, catalogue_schema};
use super::words::{self, Word, bracketed, by_comma, quoted, table_name};

type Name = (String, String);

fn target((schema, table): &Name) -> String {
    format!("{}.{}", quoted(schema), quoted(table))
}

fn wrong(words: &[Word]) -> SqlError {
    SqlError::syntax(words.get(1).or(words.first()).and_then(Word::name).unwrap_or("?"))
}

impl Executor {
    pub fn run(&mut self, words: &[Word], parameters: &[(String, Value)], out: &mut dyn Out) -> Result<Outcome, Stop> {
        let first = words[0].name().unwrap_or_default().to_lowercase();
        let second = words.get(1).and_then(Word::name).unwrap_or_default().to_lowercase();
        match (first.as_str(), second.as_str()) {
            ("set" | "use" | "print", _) => Ok(Outcome::quiet()),
            ("begin", "tran" | "transaction") => self.transaction("begin immediate", Effect::Begun),
            ("commit", _) => self.transaction("commit", Effect::Committed),
            ("rollback", _) if words.len() > 2 => self.transaction("rollback to pipeline_fake", Effect::None),
            ("rollback", _) => self.transaction("rollback", Effect::RolledBack),
            ("save", "tran" | "transaction") => self.transaction("savepoint pipeline_fake", Effect::None),
            ("exec" | "execute", "sp_rename") => self.rename(words).map_err(Stop::from),
            ("exec" | "execute", "sp_addextendedproperty") => self.comment(words).map_err(Stop::from),
            // There is one writer at a time, so that the lock for swaps is always taken.
            ("declare" | "exec" | "if", "@taken") => Ok(Outcome::quiet()),
            ("exec" | "execute", name) => {
                Err(SqlError::new(2_812, 16, format!("Could not find stored procedure '{name}'.")).into())
            }
            ("if", "schema_id") => self.create_schema(words.get(3)).map_err(Stop::from),
            ("create", "schema") => self.create_schema(words.get(2)).map_err(Stop::from),
            ("create", "table") => self.create_table(words).map_err(Stop::from),
            ("create", "trigger") => self.create_trigger(words).map_err(Stop::from),
            ("create", "index" | "unique") => self.create_index(words).map_err(Stop::from),
            ("alter", "table") => self.alter_table(words).map_err(Stop::from),
            ("drop", "table") => self.drop_table(words).map_err(Stop::from),
            ("truncate", "table") => {
                let (name, _) = table_name(&words[2..]).ok_or_else(|| wrong(words))?;
                self.batch(&format!("delete from {}", target(&name)))?;
                Ok(Outcome::quiet())
            }
            ("insert", "bulk") => self.announce_bulk(words).map_err(Stop::from),
            ("grant" | "deny", _) => self.grant(words).map_err(Stop::from),
            ("select", _) if words.iter().any(|word| word.is("into")) => self.select_into(words).map_err(Stop::from),
            ("select", _) if words.iter().any(|word| word.is("dm_exec_describe_first_result_set")) => {
                self.describe_first(words, out)
            }
            ("select" | "insert" | "update" | "delete" | "with", _) => self.query(words, parameters, out),
            _ => Err(wrong(words).into()),
        }
    }

    fn batch(&self, text: &str) -> Result<(), SqlError> {
        Ok(self.connection.execute_batch(text)?)
    }

    fn transaction(&self, text: &str, effect: Effect) -> Result<Outcome, Stop> {
        let is_open = !self.connection.is_autocommit();
        if effect != Effect::Begun && !is_open {
            return Err(SqlError::new(3_903, 16, "The request has no corresponding BEGIN TRANSACTION.").into());
        }
        self.batch(text)?;
        Ok(Outcome { rows: None, effect })
    }

    fn create_schema(&mut self, name: Option<&Word>) -> Result<Outcome, SqlError> {
        let name = match name {
            Some(Word::Text(name) | Word::Name(name) | Word::Bare(name)) => name.clone(),
            _ => return Err(SqlError::syntax("schema")),
        };
        if !name.eq_ignore_ascii_case("dbo") {
            // SQLite takes no further file into a transaction that has begun; what has been done in it so far is nothing.
            let is_open = !self.connection.is_autocommit();
            if is_open {
                self.batch("commit")?;
            }
            self.attach(&name)?;
            if is_open {
                self.batch("begin immediate")?;
            }
        }
        Ok(Outcome::quiet())
    }

    fn create_table(&mut self, words: &[Word]) -> Result<Outcome, SqlError> {
        let (name, count) = table_name(&words[2..]).ok_or_else(|| wrong(words))?;
        let (between, _) = bracketed(&words[2 + count..]).ok_or_else(|| wrong(words))?;
        let table = create::table(between)?;
        let mut parts: Vec<String> = table.columns.iter().map(ColumnDefinition::sqlite).collect();
        if !table.primary_key.is_empty() {
            let names: Vec<String> = table.primary_key.iter().map(|name| quoted(name)).collect();
            parts.push(format!("primary key ({})", names.join(", ")));
        }
        parts.extend(table.checks.iter().map(|condition| format!("check ({condition})")));
        self.batch(&format!("create table {} ({})", target(&name), parts.join(", ")))?;
        self.keep_table(&name, &table)?;
        Ok(Outcome::quiet())
    }

    fn keep_table(&self, name: &Name, table: &TableDefinition) -> Result<(), SqlError> {
        for (ordinal, column) in table.columns.iter().enumerate() {
            self.keep_column(name, ordinal, column)?;
        }
        if !table.primary_key.is_empty() {
            self.keep_index(name, "PK", (true, true, false), &table.primary_key)?;
        }
        for number in 1..=table.check_count {
            self.keep_extra(name, "check", &format!("CK{number}"))?;
        }
        table.keys.iter().try_for_each(|key| self.keep_key(name, key))
    }

    fn keep_extra(&self, (schema, table): &Name, kind: &str, name: &str) -> Result<(), SqlError> {
        self.connection.execute(
            "insert into main.fake_extras values (?, ?, ?, ?)",
            (catalogue_schema(schema), table, kind, name),
        )?;
        Ok(())
    }

    /// `create trigger n on t after insert as …`: it never fires.
    fn create_trigger(&self, words: &[Word]) -> Result<Outcome, SqlError> {
        let ((_, name), count) = table_name(&words[2..]).ok_or_else(|| wrong(words))?;
        let (table, _) = words
            .get(3 + count..)
            .and_then(table_name)
            .ok_or_else(|| wrong(words))?;
        self.keep_extra(&table, "trigger", &name)?;
        Ok(Outcome::quiet())
    }

    /// `exec sp_addextendedproperty N'MS_Description', N'…', N'schema', N'dbo', N'table', N't', N'column', N'c'`
    fn comment(&self, words: &[Word]) -> Result<Outcome, SqlError> {
        let given: Vec<&str> = words
            .iter()
            .filter_map(|word| match word {
                Word::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        let [name, _, "schema", schema, "table", table, ..] = given[..] else {
            return Err(wrong(words));
        };
        self.keep_extra(&(words::schema(schema), table.to_owned()), "comment", name)?;
        Ok(Outcome::quiet())
    }

    fn keep_column(&self, (schema, table): &Name, ordinal: usize, column: &ColumnDefinition) -> Result<(), SqlError> {
        self.connection.execute(
            "insert into main.fake_columns values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                catalogue_schema(schema),
                table,
                ordinal + 1,
                &column.name,
                column.sql_type.definition(),
                column.is_nullable,
                column.is_identity,
                column.is_computed,
                column.has_default,
            ),
        )?;
        Ok(())
    }

    fn keep_index(
        &self,
        (schema, table): &Name,
        name: &str,
        (is_key, is_unique, is_filtered): (bool, bool, bool),
        columns: &[String],
    ) -> Result<(), SqlError> {
        let known: i64 = self.connection.query_row(
            "select count(*) from main.fake_indexes where sch = ? and tbl = ? and (name = ? or (is_key and ?))",
            (catalogue_schema(schema), table, name, is_key),
            |row| row.get(0),
        )?;
        if known > 0 {
            let number = if is_key { 1_779 } else { 1_913 };
            return Err(SqlError::new(
                number,
                16,
                format!("'{table}' has '{name}' or its like already."),
            ));
        }
        self.connection.execute(
            "insert into main.fake_indexes values (?, ?, ?, ?, ?, ?, ?)",
            (
                catalogue_schema(schema),
                table,
                name,
                is_key,
                is_unique,
                is_filtered,
                columns.join(BETWEEN),
            ),
        )?;
        Ok(())
    }

    fn keep_key(&self, (schema, table): &Name, key: &KeyDefinition) -> Result<(), SqlError> {
        let known: i64 = self.connection.query_row(
            "select count(*) from main.fake_keys where sch = ? and name = ?",
            (catalogue_schema(schema), &key.name),
            |row| row.get(0),
        )?;
        if known > 0 {
            let text = format!("There is already an object named '{}' in the database.", key.name);
            return Err(SqlError::new(2_714, 16, text));
        }
        self.connection.execute(
            "insert into main.fake_keys values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                catalogue_schema(schema),
                table,
                &key.name,
                key.columns.join(BETWEEN),
                catalogue_schema(&key.references.0),
                &key.references.1,
                key.referenced.join(BETWEEN),
                &key.on_delete,
                &key.on_update,
            ),
        )?;
        Ok(())
    }

    /// `create unique index n on t (a, b) where …`
    fn create_index(&self, words: &[Word]) -> Result<Outcome, SqlError> {
        let is_unique = words[1].is("unique");
        let at = 2 + usize::from(is_unique);
        let name = words.get(at).and_then(Word::name).ok_or_else(|| wrong(words))?;
        let (table, count) = words.get(at + 2..).and_then(table_name).ok_or_else(|| wrong(words))?;
        let rest = words.get(at + 2 + count..).ok_or_else(|| wrong(words))?;
        let (columns, count) = create::names(rest).ok_or_else(|| wrong(words))?;
        let filter = rest.get(count..).unwrap_or_default();
        let listed: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
        // Names of indexes are a table's own there, and a file's own here.
        let own = format!(
            "{}.{}",
            quoted(&table.0),
            quoted(&format!("{}{BETWEEN}{name}", table.1))
        );
        let unique = if is_unique { "unique " } else { "" };
        self.keep_index(&table, name, (false, is_unique, !filter.is_empty()), &columns)?;
        self.batch(&format!(
            "create {unique}index {own} on {} ({}) {}",
            quoted(&table.1),
            listed.join(", "),
            words::sqlite(filter)
        ))?;
        Ok(Outcome::quiet())
    }

    fn alter_table(&self, words: &[Word]) -> Result<Outcome, SqlError> {
        let (table, count) = table_name(&words[2..]).ok_or_else(|| wrong(words))?;
        let rest = &words[2 + count..];
        let is = |place: usize, keyword: &str| rest.get(place).is_some_and(|word| word.is(keyword));
        if is(0, "add") && is(1, "constraint") {
            let name = rest.get(2).and_then(Word::name).ok_or_else(|| wrong(words))?;
            let part = rest.get(3..).unwrap_or_default();
            if is(3, "foreign") {
                let key = create::foreign_key(name, part).ok_or_else(|| wrong(part))?;
                self.keep_key(&table, &key)?;
                return Ok(Outcome::quiet());
            }
            let (columns, _) = part.get(2..).and_then(create::names).ok_or_else(|| wrong(words))?;
            let known = self.columns_of(&table)?;
            let may_be_null = |name: &String| known.iter().any(|column| column.name == *name && column.is_nullable);
            if let Some(name) = columns.iter().find(|name| may_be_null(name)) {
                let text = format!("Cannot define PRIMARY KEY constraint on nullable column '{name}'.");
                return Err(SqlError::new(8_111, 16, text));
            }
            let listed: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
            let own = format!(
                "{}.{}",
                quoted(&table.0),
                quoted(&format!("{}{BETWEEN}{name}", table.1))
            );
            self.keep_index(&table, name, (true, true, false), &columns)?;
            self.batch(&format!(
                "create unique index {own} on {} ({})",
                quoted(&table.1),
                listed.join(", ")
            ))?;
        } else if is(0, "drop") && is(1, "constraint") {
            let name = rest.get(2).and_then(Word::name).ok_or_else(|| wrong(words))?;
            let gone = self.connection.execute(
                "delete from main.fake_keys where sch = ? and tbl = ? and name = ?",
                (catalogue_schema(&table.0), &table.1, name),
            )?;
            if gone == 0 {
                return Err(SqlError::new(3_728, 16, format!("'{name}' is not a constraint.")));
            }
        } else if is(0, "add") {
            let column = create::column(&rest[1..], &mut TableDefinition::default())?;
            self.batch(&format!("alter table {} add {}", target(&table), column.sqlite()))?;
            let before: usize = self.connection.query_row(
                "select count(*) from main.fake_columns where sch = ? and tbl = ?",
                (catalogue_schema(&table.0), &table.1),
                |row| row.get(0),
            )?;
            self.keep_column(&table, before, &column)?;
        } else {
            return Err(wrong(words));
        }
        Ok(Outcome::quiet())
    }

    fn drop_table(&mut self, words: &[Word]) -> Result<Outcome, SqlError> {
        let is_lenient = words.get(2).is_some_and(|word| word.is("if"));
        let at = if is_lenient { 4 } else { 2 };
        let (name, _) = words.get(at..).and_then(table_name).ok_or_else(|| wrong(words))?;
        let lenient = if is_lenient { "if exists " } else { "" };
        let (schema, table) = (catalogue_schema(&name.0), &name.1);
        let pointing: i64 = self.connection.query_row(
            "select count(*) from main.fake_keys where rsch = ?1 and rtbl = ?2 and not (sch = ?1 and tbl = ?2)",
            (&schema, table),
            |row| row.get(0),
        )?;
        if pointing > 0 {
            let text = format!("Could not drop object '{table}' because it is referenced by a FOREIGN KEY constraint.");
            return Err(SqlError::new(3_726, 16, text));
        }
        self.batch(&format!("drop table {lenient}{}", target(&name)))?;
        for kept in ["columns", "indexes", "keys", "rights", "extras"] {
            let delete = format!("delete from main.fake_{kept} where sch = ? and tbl = ?");
            self.connection.execute(&delete, (&schema, table))?;
        }
        self.temporary.remove(table);
        Ok(Outcome::quiet())
    }

    /// `exec sp_rename N'[a].[b]', N'c'`
    fn rename(&self, words: &[Word]) -> Result<Outcome, SqlError> {
        let (Some(Word::Text(from)), Some(Word::Text(to))) = (words.get(2), words.get(4)) else {
            return Err(wrong(words));
        };
        let (name, _) = table_name(&words::words(from)).ok_or_else(|| wrong(words))?;
        self.batch(&format!("alter table {} rename to {}", target(&name), quoted(to)))?;
        for kept in ["columns", "indexes", "keys", "rights", "extras"] {
            let update = format!("update main.fake_{kept} set tbl = ? where sch = ? and tbl = ?");
            self.connection
                .execute(&update, (to, catalogue_schema(&name.0), &name.1))?;
        }
        Ok(Outcome::quiet())
    }

    /// `grant select on t to u`
    fn grant(&self, words: &[Word]) -> Result<Outcome, SqlError> {
        let on = words
            .iter()
            .position(|word| word.is("on"))
            .ok_or_else(|| wrong(words))?;
        let (table, count) = table_name(&words[on + 1..]).ok_or_else(|| wrong(words))?;
        let grantee = words
            .get(on + 2 + count)
            .and_then(Word::name)
            .ok_or_else(|| wrong(words))?;
        let permission = words[1].name().unwrap_or_default().to_uppercase();
        let state = match words[0].is("deny") {
            true => "DENY",
            false if words.last().is_some_and(|word| word.is("option")) => "GRANT_WITH_GRANT_OPTION",
            false => "GRANT",
        };
        self.connection.execute(
            "insert into main.fake_rights values (?, ?, ?, ?, ?)",
            (catalogue_schema(&table.0), &table.1, state, permission, grantee),
        )?;
        Ok(Outcome::quiet())
    }

    /// `select a, b into #c from t where 1 = 0`
    fn select_into(&mut self, words: &[Word]) -> Result<Outcome, SqlError> {
        let at = |keyword: &str| words.iter().position(|word| word.is(keyword));
        let (Some(into), Some(from)) = (at("into"), at("from")) else {
            return Err(wrong(words));
        };
        let ((_, name), _) = table_name(&words[into + 1..]).ok_or_else(|| wrong(words))?;
        let (source, _) = table_name(&words[from + 1..]).ok_or_else(|| wrong(words))?;
        let known = self.columns_of(&source)?;
        let wanted = by_comma(&words[1..into]);
        let mut columns = Vec::with_capacity(wanted.len());
        for part in wanted {
            let name = part.first().and_then(Word::name).unwrap_or_default();
            let found = known.iter().find(|column| column.name.eq_ignore_ascii_case(name));
            columns.push(
                found
                    .cloned()
                    .ok_or_else(|| SqlError::new(207, 16, format!("Invalid column name '{name}'.")))?,
            );
        }
        let parts: Vec<String> = columns.iter().map(ColumnDefinition::sqlite).collect();
        self.batch(&format!("create temp table {} ({})", quoted(&name), parts.join(", ")))?;
        self.temporary.insert(name, columns);
        Ok(Outcome::quiet())
    }

    /// The columns of a table as they were defined.
    pub fn columns_of(&self, (schema, table): &Name) -> Result<Vec<ColumnDefinition>, SqlError> {
        if let Some(columns) = self.temporary.get(table) {
            return Ok(columns.clone());
        }
        let mut kept = self.connection.prepare(
            "select name, type, nullable, numbered, computed from main.fake_columns \
             where sch = ? and tbl = ? collate nocase order by ord",
        )?;
        let mut rows = kept.query((catalogue_schema(schema), table))?;
        let mut columns = Vec::new();
        while let Some(row) = rows.next()? {
            let (name, written): (String, String) = (row.get(0)?, row.get(1)?);
            let not_null = if row.get(2)? { "" } else { " not null" };
            let text = format!("{} {written}{not_null}", quoted(&name));
            let mut column = create::column(&words::words(&text), &mut TableDefinition::default())?;
            (column.is_identity, column.is_computed) = (row.get(3)?, row.get(4)?);
            columns.push(column);
        }
        if columns.is_empty() {
            let schema = catalogue_schema(schema);
            return Err(SqlError::new(
                208,
                16,
                format!("Invalid object name '{schema}.{table}'."),
            ));
        }
        Ok(columns)
    }

    fn announce_bulk(&mut self, words: &[Word]) -> Result<Outcome, SqlError> {
        let (table, count) = table_name(&words[2..]).ok_or_else(|| wrong(words))?;
        let (between, _) = bracketed(&words[2 + count..]).ok_or_else(|| wrong(words))?;
        let known = self.columns_of(&table)?;
        let mut columns = Vec::new();
        for part in by_comma(between) {
            let name = part.first().and_then(Word::name).ok_or_else(|| wrong(words))?;
            if !known.iter().any(|column| column.name == name) {
                return Err(SqlError::new(207, 16, format!("Invalid column name '{name}'.")));
            }
            columns.push(name.to_owned());
        }
        self.pending = Some(PendingBulk { table, columns });
        Ok(Outcome::quiet())
    }

    /// Answers `sys.dm_exec_describe_first_result_set(N'…', N'…', 0)` by a table of what it would say.
    fn describe_first(&mut self, words: &[Word], out: &mut dyn Out) -> Result<Outcome, Stop> {
        let at = words
            .iter()
            .position(|word| word.is("dm_exec_describe_first_result_set"))
            .unwrap_or_default();
        let (arguments, count) = bracketed(&words[at + 1..]).ok_or_else(|| wrong(words))?;
        let Some(Word::Text(asked)) = arguments.first() else {
            return Err(wrong(words).into());
        };
        self.batch("delete from sys.dm_exec_describe_first_result_set")?;
        let insert = "insert into sys.dm_exec_describe_first_result_set values (?, ?, ?, null, ?, 0, 0, 0, ?, ?, ?)";
        let none = None::<i64>;
        match self.describe(&words::words(asked)) {
            Ok(columns) => {
                for (ordinal, column) in columns.iter().enumerate() {
                    let native = column.sql_type.definition();
                    let row = (ordinal + 1, &column.name, native, 1, none, none, None::<String>);
                    self.connection.execute(insert, row)?;
                }
            }
            Err(error) => {
                let row = (
                    0,
                    None::<String>,
                    None::<String>,
                    1,
                    error.number,
                    error.severity,
                    error.text,
                );
                self.connection.execute(insert, row)?;
            }
        }
        let mut rest = words[..=at].to_vec();
        rest.extend_from_slice(&words[at + 1 + count..]);
        let is_view = rest.iter().position(|word| word.is("sys")).unwrap_or_default();
        // Nothing of the catalogue is filled for it.
        rest[is_view] = Word::Name("sys".to_owned());
        self.query(&rest, &[], out)
    }
}
