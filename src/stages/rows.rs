use futures::{StreamExt, TryStreamExt, stream};
use globset::{GlobBuilder, GlobMatcher};

use crate::connect::{Connections, ObjectInfo, RowStream};
use crate::format::{read_csv, read_jsonl};
use crate::model::{Columns, Failure, Row, Value};
use crate::resolve::{RowsForm, RowsSource, Scope};

/// Opens the rows of a source, whatever their form.
///
/// `scope` renders the templates in it: empty for item lists, the item for unit lists.
pub async fn open_rows(
    source: &RowsSource,
    scope: &Scope<'_>,
    connections: &Connections,
) -> Result<RowStream, Failure> {
    match &source.form {
        RowsForm::List { rows } => Ok(stream::iter(rows.clone().into_iter().map(Ok)).boxed()),
        RowsForm::Csv { path } => {
            let (_, bytes) = connections
                .store(connection(source)?)
                .await?
                .read(&path.render_text(scope)?, None)
                .await?;
            Ok(read_csv(bytes, &source.types))
        }
        RowsForm::Jsonl { path } => {
            let (_, bytes) = connections
                .store(connection(source)?)
                .await?
                .read(&path.render_text(scope)?, None)
                .await?;
            Ok(read_jsonl(bytes, &source.types))
        }
        RowsForm::Glob { pattern } => {
            let store = connections.store(connection(source)?).await?;
            let pattern = pattern.render_text(scope)?;
            let matcher = glob(&pattern)?;
            let columns = listing_columns();
            let objects = store.list(literal_prefix(&pattern), None).await?;
            Ok(objects
                .try_filter(move |object| std::future::ready(matcher.is_match(&object.name)))
                .map_ok(move |object| listing_row(&columns, object))
                .boxed())
        }
        RowsForm::Query { text, parameters } => {
            let database = connections.database(connection(source)?).await?;
            let mut bound = Vec::with_capacity(parameters.len());
            for (name, template) in parameters {
                bound.push((name.clone(), template.render(scope)?));
            }
            database.query(text, &bound).await
        }
    }
}

fn connection(source: &RowsSource) -> Result<&str, Failure> {
    source
        .connection
        .as_deref()
        .ok_or_else(|| Failure::permanent("spec.no_connection", "the rows name no `connection` to read them from"))
}

/// `*` stays within one folder, `**` does not; names are matched with case.
fn glob(pattern: &str) -> Result<GlobMatcher, Failure> {
    GlobBuilder::new(pattern)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| Failure::data("glob.invalid", format!("`{pattern}` is not a glob: {}", error.kind())))
}

/// The part of a pattern before its first special character: what a listing is asked to begin with.
fn literal_prefix(pattern: &str) -> &str {
    let end = pattern.find(['*', '?', '[', '{', '\\']).unwrap_or(pattern.len());
    &pattern[..end]
}

fn listing_columns() -> Columns {
    ["path", "name", "size", "modified", "etag"].map(str::to_owned).into()
}

fn listing_row(columns: &Columns, object: ObjectInfo) -> Row {
    let name = object.name.rsplit('/').next().unwrap_or_default().to_owned();
    let values = vec![
        Value::Text(object.name),
        Value::Text(name),
        Value::Integer(i64::try_from(object.size).unwrap_or(i64::MAX)),
        object
            .modified
            .map_or(Value::Null, |modified| Value::Text(modified.to_string())),
        object.etag.map_or(Value::Null, Value::Text),
    ];
    Row::new(columns.clone(), values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_begins_where_the_pattern_first_leaves_a_choice() {
        assert_eq!(literal_prefix("in/2024/*.bin"), "in/2024/");
        assert_eq!(literal_prefix("**/*.bin"), "");
        assert_eq!(literal_prefix("one.bin"), "one.bin");
    }

    #[test]
    fn a_single_star_stays_in_its_folder() {
        let shallow = glob("in/*.bin").unwrap();
        assert!(shallow.is_match("in/a.bin"));
        assert!(!shallow.is_match("in/deep/a.bin"));
        assert!(glob("in/**/*.bin").unwrap().is_match("in/deep/a.bin"));
        assert_eq!(glob("in/[").unwrap_err().code, "glob.invalid");
    }
}
