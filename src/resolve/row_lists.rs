use crate::model::{ColumnType, Dialect};
use crate::spec::{ColumnTypeSpec, Problem, QuerySpec};

use super::findings::remedy;
use super::job::{RowsForm, RowsSource};
use super::resolver::Resolver;
use super::rows::{FormView, RowsView, list_rows};
use super::scope::KnownScope;
use super::template::Template;
use super::usage::Use;

/// Lists of rows, as `source.items` and `source.files` have them.
impl Resolver<'_, '_> {
    pub(super) fn rows(&mut self, view: RowsView<'_>, scope: &KnownScope) -> Option<RowsSource> {
        let at = |key: &str| format!("{}/{key}", view.pointer);
        if matches!(view.form, FormView::Missing) {
            return None;
        }
        self.check_keys(&view);
        let needed = match view.form {
            FormView::List(_) | FormView::Missing => None,
            FormView::Csv(_) | FormView::Jsonl(_) => Some(Use::ReadLists),
            FormView::Glob(_) => Some(Use::List),
            FormView::Query(_) => Some(Use::Query),
        };
        let connection = match (needed, view.connection) {
            (Some(usage), Some(name)) => Some(self.connection(&at("connection"), name, usage)),
            (Some(_), None) => {
                let problem = Problem::new(format!("`connection` is missing beside `{}`", view.form.name()));
                let problem = problem.label("`connection` is missing here");
                self.findings.add(
                    view.pointer,
                    problem.help(remedy("", "connections of this profile", self.names())),
                );
                return None;
            }
            (None, _) => None,
        };
        let form = match view.form {
            FormView::Csv(path) => self
                .template(&at("csv"), path, scope)
                .map(|path| RowsForm::Csv { path }),
            FormView::Jsonl(path) => self
                .template(&at("jsonl"), path, scope)
                .map(|path| RowsForm::Jsonl { path }),
            FormView::List(rows) => Some(RowsForm::List { rows: list_rows(rows) }),
            FormView::Glob(pattern) => self.glob(&at("glob"), pattern, scope),
            FormView::Missing => None,
            FormView::Query(query) => {
                let dialect = connection
                    .iter()
                    .flatten()
                    .find_map(|name| self.connections[name].kind.dialect());
                let parameters: Vec<Option<(String, Template)>> = view
                    .params
                    .iter()
                    .map(|(name, text)| {
                        Some((
                            name.clone(),
                            self.template(&at(&format!("params/{name}")), text, scope)?,
                        ))
                    })
                    .collect();
                let text = self.query_text(&at("query"), query, dialect);
                let parameters: Option<Vec<_>> = parameters.into_iter().collect();
                text.zip(parameters)
                    .map(|(text, parameters)| RowsForm::Query { text, parameters })
            }
        };
        let types = view
            .types
            .iter()
            .map(|(name, kind)| (name.clone(), column_type(*kind)))
            .collect();
        Some(RowsSource {
            connection: match connection {
                None => None,
                Some(name) => Some(name?),
            },
            form: form?,
            types,
        })
    }

    /// Keys that say nothing in this form of list.
    fn check_keys(&mut self, view: &RowsView<'_>) {
        let form = view.form.name();
        let mut idle = Vec::new();
        if !view.params.is_empty() && !matches!(view.form, FormView::Query(_)) {
            idle.push(("params", "parameters belong to a `query`"));
        }
        if !view.types.is_empty() && !matches!(view.form, FormView::Csv(_) | FormView::Jsonl(_)) {
            idle.push(("types", "types are given to the columns of `csv` and `jsonl`"));
        }
        if view.connection.is_some() && matches!(view.form, FormView::List(_)) {
            idle.push(("connection", "the rows stand here"));
        }
        for (key, reason) in idle {
            let problem = Problem::new(format!("`{key}` has no use with `{form}`: {reason}"));
            self.findings
                .add(&format!("{}/{key}", view.pointer), problem.help("take it out"));
        }
    }

    fn glob(&mut self, pointer: &str, pattern: &str, scope: &KnownScope) -> Option<RowsForm> {
        let template = self.template(pointer, pattern, scope)?;
        // A pattern with templates in it is known only when they are rendered.
        if template.references().is_empty()
            && let Err(error) = globset::Glob::new(pattern)
        {
            let problem = Problem::new(format!("`{pattern}` is not a pattern: {}", error.kind()));
            self.findings.add(
                pointer,
                problem.help("use `*` within a folder, `**` across folders, as in `in/**/*.bin`"),
            );
            return None;
        }
        Some(RowsForm::Glob { pattern: template })
    }

    pub(super) fn query_text(&mut self, pointer: &str, query: &QuerySpec, dialect: Option<Dialect>) -> Option<String> {
        let (key, text) = match dialect? {
            Dialect::Sql => ("sql", &query.sql),
            Dialect::Kql => ("kql", &query.kql),
        };
        if text.is_none() {
            let problem = Problem::new(format!(
                "the query has no `{key}`, which this connection speaks in profile `{}`",
                self.profile
            ));
            self.findings.add(
                pointer,
                problem.help(format!("add `{key}: …`; the connection's kind picks the text")),
            );
        }
        text.clone()
    }
}

fn column_type(kind: ColumnTypeSpec) -> ColumnType {
    match kind {
        ColumnTypeSpec::Text => ColumnType::Text,
        ColumnTypeSpec::Integer => ColumnType::Integer,
        ColumnTypeSpec::Number => ColumnType::Number,
        ColumnTypeSpec::Boolean => ColumnType::Boolean,
    }
}
