use std::sync::{Arc, LazyLock};

use handlebars::template::{HelperTemplate, Parameter, TemplateElement};
use handlebars::{Context, Handlebars, PathSeg, RenderContext, Renderable, StringOutput};
use serde_json::Map;

use crate::model::{Failure, Value};

use super::helpers;
use super::scope::Scope;

/// A place in a template where a value is taken from: `{{prefix.field}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub prefix: String,
    pub field: String,
    /// Whether the value goes into the text as it is; otherwise a helper takes it.
    direct: bool,
}

/// Why a text is not a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateProblem {
    pub message: String,
    pub help: String,
}

impl TemplateProblem {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: help.into(),
        }
    }
}

/// A `{{…}}` template, parsed and checked once and rendered per item or unit.
#[derive(Clone, Debug)]
pub struct Template {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    text: String,
    references: Vec<Reference>,
    form: Form,
}

/// How a template is rendered; the cheaper forms exist because millions of units each render several templates.
#[derive(Debug)]
enum Form {
    /// Exactly one `{{prefix.field}}`.
    Value,
    /// Literals and references only.
    Plain(Vec<Piece>),
    /// With helpers.
    Handlebars(handlebars::Template),
}

#[derive(Debug)]
enum Piece {
    Literal(String),
    /// Index into the references.
    Reference(usize),
}

/// Strict, without HTML escaping, and with our helpers only.
static HANDLEBARS: LazyLock<Handlebars<'static>> = LazyLock::new(|| {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.register_escape_fn(handlebars::no_escape);
    helpers::register(&mut registry);
    registry
});

impl Template {
    /// Parses a template and checks its syntax, its helpers and their arguments. Whether its references can exist is the caller's
    /// to check, by [`Template::references`].
    pub fn parse(text: &str) -> Result<Self, TemplateProblem> {
        // The parser's own words are those of its grammar, and help nobody.
        let compiled = handlebars::Template::compile(text).map_err(|_| {
            TemplateProblem::new(
                format!("`{text}` is not a template"),
                "write `{{item.Column}}` or `{{helper item.Column}}`, with every `{{` closed by `}}`",
            )
        })?;
        let mut references = Vec::new();
        let mut pieces = Some(Vec::new());
        for element in &compiled.elements {
            match element {
                TemplateElement::RawString(literal) => push(&mut pieces, Piece::Literal(literal.clone())),
                TemplateElement::Comment(_) => {}
                TemplateElement::Expression(expression) | TemplateElement::HtmlExpression(expression) => {
                    if is_call(expression) {
                        check_call(expression, &mut references)?;
                        pieces = None;
                    } else {
                        references.push(reference(&expression.name, true)?);
                        push(&mut pieces, Piece::Reference(references.len() - 1));
                    }
                }
                _ => {
                    return Err(TemplateProblem::new(
                        format!("`{text}` holds a block, a partial or a decorator"),
                        "a template takes values and helpers only: `{{item.Column}}`, `{{lower item.Column}}`",
                    ));
                }
            }
        }
        let form = match pieces {
            Some(pieces) if matches!(pieces[..], [Piece::Reference(_)]) => Form::Value,
            Some(pieces) => Form::Plain(pieces),
            None => Form::Handlebars(compiled),
        };
        Ok(Self {
            inner: Arc::new(Inner {
                text: text.to_owned(),
                references,
                form,
            }),
        })
    }

    /// The template as it stands in the spec.
    pub fn text(&self) -> &str {
        &self.inner.text
    }

    /// The values it takes, in the order of the text.
    pub fn references(&self) -> &[Reference] {
        &self.inner.references
    }

    /// Renders to a value: a template that is exactly one `{{path}}` keeps its type, NULL included.
    ///
    /// # Errors
    /// Class `data`: `template.unknown_field`, `template.null` (NULL within a text), `template.helper` (a helper refused its value).
    pub fn render(&self, scope: &Scope<'_>) -> Result<Value, Failure> {
        match (&self.inner.form, &self.inner.references[..]) {
            (Form::Value, [reference]) => self.look_up(reference, scope).cloned(),
            (Form::Plain(pieces), _) => self.render_plain(pieces, scope).map(Value::Text),
            (Form::Handlebars(compiled), _) => self.render_handlebars(compiled, scope).map(Value::Text),
            (Form::Value, _) => Err(self.failure("template.helper", "it has no single value")),
        }
    }

    /// Renders to text. NULL is a failure (code `template.null`): a name must not silently lose a part.
    pub fn render_text(&self, scope: &Scope<'_>) -> Result<String, Failure> {
        match self.render(scope)? {
            Value::Text(text) => Ok(text),
            Value::Null => Err(self.null(self.inner.references.first())),
            value => Ok(value.to_string()),
        }
    }

    fn render_plain(&self, pieces: &[Piece], scope: &Scope<'_>) -> Result<String, Failure> {
        use std::fmt::Write;

        let mut out = String::with_capacity(self.inner.text.len() + 32);
        for piece in pieces {
            match piece {
                Piece::Literal(literal) => out.push_str(literal),
                Piece::Reference(index) => {
                    let reference = self.inner.references.get(*index);
                    let value = reference.map(|reference| self.look_up(reference, scope)).transpose()?;
                    match value {
                        None | Some(Value::Null) => return Err(self.null(reference)),
                        Some(Value::Text(text)) => out.push_str(text),
                        // Writing to a `String` cannot fail.
                        Some(value) => drop(write!(out, "{value}")),
                    }
                }
            }
        }
        Ok(out)
    }

    /// Values go in as text, so that both ways of rendering print them alike; only NULL stays what it is.
    fn render_handlebars(&self, compiled: &handlebars::Template, scope: &Scope<'_>) -> Result<String, Failure> {
        let mut data = Map::new();
        for reference in &self.inner.references {
            let value = match self.look_up(reference, scope)? {
                Value::Null if reference.direct => return Err(self.null(Some(reference))),
                Value::Null => serde_json::Value::Null,
                value => serde_json::Value::String(value.to_string()),
            };
            let fields = data
                .entry(reference.prefix.clone())
                .or_insert_with(|| serde_json::Value::Object(Map::new()));
            if let Some(fields) = fields.as_object_mut() {
                fields.insert(reference.field.clone(), value);
            }
        }
        let broken = |error: handlebars::RenderError| helpers::failure_of(&error, &self.inner.text);
        let context = Context::wraps(data).map_err(broken)?;
        let mut output = StringOutput::new();
        compiled
            .render(&HANDLEBARS, &context, &mut RenderContext::new(None), &mut output)
            .map_err(broken)?;
        output
            .into_string()
            .map_err(|_| self.failure("template.helper", "its text is not UTF-8"))
    }

    fn look_up<'a>(&self, reference: &Reference, scope: &Scope<'a>) -> Result<&'a Value, Failure> {
        let Some(row) = scope.row(&reference.prefix) else {
            let prefix = &reference.prefix;
            return Err(self.failure("template.unknown_field", &format!("there is no `{prefix}` here")));
        };
        row.get(&reference.field).ok_or_else(|| {
            let Reference { prefix, field, .. } = reference;
            let columns = row.columns.join("`, `");
            let message = format!("there is no `{field}` in this {prefix}; its columns are `{columns}`");
            self.failure("template.unknown_field", &message)
        })
    }

    fn null(&self, reference: Option<&Reference>) -> Failure {
        let place = reference.map_or_else(String::new, |Reference { prefix, field, .. }| {
            format!("`{prefix}.{field}` is NULL; give it a value with `{{{{default {prefix}.{field} \"…\"}}}}`")
        });
        self.failure("template.null", &place)
    }

    fn failure(&self, code: &'static str, message: &str) -> Failure {
        Failure::data(code, format!("template `{}`: {message}", self.inner.text))
    }
}

fn push(pieces: &mut Option<Vec<Piece>>, piece: Piece) {
    if let Some(pieces) = pieces {
        pieces.push(piece);
    }
}

fn is_call(expression: &HelperTemplate) -> bool {
    let named = expression.name.as_name().is_some_and(helpers::exists);
    named || !expression.params.is_empty() || !expression.hash.is_empty()
}

/// Checks a helper's name and number of arguments, and collects the references in them.
fn check_call(call: &HelperTemplate, references: &mut Vec<Reference>) -> Result<(), TemplateProblem> {
    let name = call.name.as_name().unwrap_or_default();
    helpers::check(name, call.params.len()).map_err(|(message, help)| TemplateProblem::new(message, help))?;
    if let Some(key) = call.hash.keys().min() {
        return Err(TemplateProblem::new(
            format!("`{name}` takes no `{key}=…`"),
            "give its arguments in order, without names",
        ));
    }
    for parameter in &call.params {
        match parameter {
            Parameter::Literal(_) => {}
            Parameter::Subexpression(inner) => match inner.element.as_ref() {
                TemplateElement::Expression(call) => check_call(call, references)?,
                _ => {
                    return Err(TemplateProblem::new(
                        "this is not a call of a helper",
                        "write `(helper value)`",
                    ));
                }
            },
            parameter => references.push(reference(parameter, false)?),
        }
    }
    Ok(())
}

fn reference(parameter: &Parameter, direct: bool) -> Result<Reference, TemplateProblem> {
    if let Parameter::Path(handlebars::Path::Relative((segments, _))) = parameter
        && let [PathSeg::Named(prefix), PathSeg::Named(field)] = &segments[..]
    {
        return Ok(Reference {
            prefix: prefix.clone(),
            field: field.clone(),
            direct,
        });
    }
    let name = match parameter {
        Parameter::Path(handlebars::Path::Relative((_, raw)) | handlebars::Path::Local((_, _, raw))) => raw.clone(),
        Parameter::Name(name) => name.clone(),
        _ => "this".to_owned(),
    };
    Err(TemplateProblem::new(
        format!("`{name}` is not a value of a template"),
        "name a value by its prefix and its column, as in `{{item.Column}}` or `{{file.Column}}`; a column with other signs in its name \
         stands in brackets: `{{item.[Work Item]}}`",
    ))
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
