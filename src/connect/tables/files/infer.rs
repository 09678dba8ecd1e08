//! The columns of JSON lines, which nothing but their values tells.

use std::collections::HashMap;

use futures::TryStreamExt;

use crate::connect::ByteStream;
use crate::format::read_jsonl;
use crate::model::{Failure, FileType, Value};

/// Rows that are looked at.
pub const ROWS_SEEN: usize = 1_000;

/// The columns that the first rows have, in the order in which they come up, with the type that holds all of their values.
///
/// | values | type |
/// |---|---|
/// | `true`, `false` | `boolean` |
/// | whole numbers of 64 bits | `int64` |
/// | numbers | `float64` |
/// | anything else, NULL alone, or a mixture | `text` |
pub async fn columns(bytes: ByteStream) -> Result<Vec<(String, String)>, Failure> {
    let mut rows = read_jsonl(bytes, &Default::default());
    let mut order: Vec<String> = Vec::new();
    let mut kinds: HashMap<String, Option<FileType>> = HashMap::new();
    let mut seen = 0;
    while seen < ROWS_SEEN
        && let Some(row) = rows.try_next().await?
    {
        seen += 1;
        for (name, value) in row.columns.iter().zip(&row.values) {
            let kind = kinds.entry(name.clone()).or_insert_with(|| {
                order.push(name.clone());
                None
            });
            *kind = widened(*kind, value);
        }
    }
    let kind = |name: &String| kinds.get(name).copied().flatten().unwrap_or(FileType::Text);
    Ok(order
        .into_iter()
        .map(|name| {
            let kind = kind(&name).to_string();
            (name, kind)
        })
        .collect())
}

fn widened(known: Option<FileType>, value: &Value) -> Option<FileType> {
    let kind = match value {
        Value::Null => return known,
        Value::Boolean(_) => FileType::Boolean,
        Value::Integer(_) => FileType::Int64,
        Value::Number(_) => FileType::Float64,
        Value::Text(_) => FileType::Text,
    };
    Some(match (known, kind) {
        (None, kind) => kind,
        (Some(known), kind) if known == kind => kind,
        (Some(FileType::Int64), FileType::Float64) | (Some(FileType::Float64), FileType::Int64) => FileType::Float64,
        _ => FileType::Text,
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures::StreamExt;

    use super::*;

    #[tokio::test]
    async fn a_column_has_the_type_that_holds_all_its_values() {
        let text = b"{\"i\":1,\"f\":1,\"b\":true,\"n\":null}\n{\"i\":2,\"f\":1.5,\"b\":false,\"m\":1}\n{\"m\":\"x\",\"late\":{}}\n";
        let bytes = futures::stream::iter([Ok(Bytes::from_static(text))]).boxed();
        let columns = columns(bytes).await.unwrap();
        let shown: Vec<String> = columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
        assert_eq!(
            shown,
            ["i int64", "f float64", "b boolean", "n text", "m text", "late text"]
        );
    }
}
