use serde::Serializer;

use crate::model::{Failure, Value};

use super::{Scope, Template};

/// One entry of `then`; it compiles to a stage of its name.
#[derive(Clone, Debug)]
pub struct Step {
    pub name: String,
    pub kind: StepKind,
}

#[derive(Clone, Debug)]
pub enum StepKind {
    Notify(Notify),
}

/// Sends one message for each file.
#[derive(Clone, Debug)]
pub struct Notify {
    /// Takes messages.
    pub connection: String,
    pub when: NotifyWhen,
    pub body: MessageBody,
}

/// Which files get a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NotifyWhen {
    /// Those whose object this job wrote.
    #[default]
    Written,
    /// Those as well whose object was there already.
    Present,
}

impl NotifyWhen {
    /// As it stands in a spec.
    pub fn name(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Present => "present",
        }
    }
}

/// What a message says. Its templates' scope: `item`, `file`, `target`.
#[derive(Clone, Debug)]
pub enum MessageBody {
    /// A JSON object, its fields in the order of the spec.
    Fields(Vec<(String, FieldValue)>),
    Text(Template),
}

/// The value of a field of a message.
#[derive(Clone, Debug)]
pub enum FieldValue {
    Template(Template),
    /// What is no text in the spec has no template, and keeps its type.
    Literal(Value),
}

impl MessageBody {
    /// The body for one file, which is the same each time for the same rows.
    ///
    /// # Errors
    /// Class `data`, codes of [`Template::render`]; of a text that is NULL as well. A field that is exactly one NULL is `null`.
    pub fn render(&self, scope: &Scope<'_>) -> Result<String, Failure> {
        let fields = match self {
            Self::Text(template) => return template.render_text(scope),
            Self::Fields(fields) => fields,
        };
        let rendered: Result<Vec<(&String, Value)>, Failure> = fields
            .iter()
            .map(|(name, value)| Ok((name, value.render(scope)?)))
            .collect();
        let mut json = Vec::new();
        serde_json::Serializer::new(&mut json)
            .collect_map(rendered?)
            .map_err(|error| unwritable(&error))?;
        String::from_utf8(json).map_err(|error| unwritable(&error))
    }

    /// The body as the spec has it: what decides which messages are the same ones.
    pub fn text(&self) -> String {
        match self {
            Self::Text(template) => template.text().to_owned(),
            Self::Fields(fields) => {
                let fields = fields.iter().map(|(name, value)| format!("{name:?}: {}", value.text()));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl FieldValue {
    fn render(&self, scope: &Scope<'_>) -> Result<Value, Failure> {
        match self {
            Self::Template(template) => template.render(scope),
            Self::Literal(value) => Ok(value.clone()),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Template(template) => format!("{:?}", template.text()),
            Self::Literal(Value::Null) => "null".to_owned(),
            Self::Literal(value) => value.to_string(),
        }
    }
}

fn unwritable(error: &dyn std::error::Error) -> Failure {
    Failure::data(
        "message.unwritable",
        format!("the message cannot be written as JSON: {error}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Row;
    use crate::resolve::target_row;

    fn template(text: &str) -> FieldValue {
        FieldValue::Template(Template::parse(text).unwrap())
    }

    #[test]
    fn fields_keep_their_order_and_types() {
        let columns = ["Id", "Size", "Tag"].map(str::to_owned);
        let row = Row::new(
            columns.into(),
            vec![Value::from("a \"b\"\n"), Value::Integer(7), Value::Null],
        );
        let target = target_row("x/ü.bin");
        let scope = Scope {
            item: Some(&row),
            target: Some(&target),
            ..Scope::default()
        };
        let body = MessageBody::Fields(vec![
            ("z".to_owned(), template("{{item.Id}}")),
            ("size".to_owned(), template("{{item.Size}}")),
            ("size_text".to_owned(), template("{{item.Size}} bytes")),
            ("tag".to_owned(), template("{{item.Tag}}")),
            ("version".to_owned(), FieldValue::Literal(Value::Integer(2))),
            ("blob".to_owned(), template("{{target.name}}")),
        ]);
        assert_eq!(
            body.render(&scope).unwrap(),
            r#"{"z":"a \"b\"\n","size":7,"size_text":"7 bytes","tag":null,"version":2,"blob":"x/ü.bin"}"#
        );
        let text = MessageBody::Text(Template::parse("{{target.name}};{{item.Size}}").unwrap());
        assert_eq!(text.render(&scope).unwrap(), "x/ü.bin;7");
        let null = MessageBody::Text(Template::parse("{{item.Tag}}").unwrap());
        assert_eq!(null.render(&scope).unwrap_err().code, "template.null");
    }
}
