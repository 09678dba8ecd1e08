use crate::model::{Failure, Row, Value};

/// The values a template may name: rows by prefix (`item`, `file`, …).
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'a> {
    pub item: Option<&'a Row>,
    pub file: Option<&'a Row>,
}

/// A `{{…}}` template, parsed and checked once and rendered per item or unit.
#[derive(Clone, Debug)]
pub struct Template {
    text: String,
}

impl Template {
    /// The template as it stands in the spec.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Renders to a value: a template that is exactly one `{{path}}` keeps its type, NULL included.
    pub fn render(&self, _scope: &Scope<'_>) -> Result<Value, Failure> {
        Err(Failure::permanent(
            "template.unrendered",
            "templates are not rendered yet",
        ))
    }

    /// Renders to text. NULL is a failure (code `template.null`): a name must not silently lose a part.
    pub fn render_text(&self, scope: &Scope<'_>) -> Result<String, Failure> {
        self.render(scope).map(|value| value.to_string())
    }
}
