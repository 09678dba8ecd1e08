use futures::future::BoxFuture;
use futures::stream::BoxStream;

use crate::model::{Failure, Row, Value};

/// Rows as they arrive; the first error ends the stream.
pub type RowStream = BoxStream<'static, Result<Row, Failure>>;

/// A system that answers queries with rows.
pub trait Database: Send + Sync {
    /// Runs a query. Parameters are `:name` in its text and are bound, never pasted in; one that the text does not use is an error,
    /// and so is one that it uses and that is not given.
    fn query<'a>(
        &'a self,
        text: &'a str,
        parameters: &'a [(String, Value)],
    ) -> BoxFuture<'a, Result<RowStream, Failure>>;

    /// One cheap call that proves the connection, for `validate --connect`.
    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>>;
}
