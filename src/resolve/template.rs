use std::borrow::Cow;
use std::sync::Arc;

use handlebars::PathSeg;
use handlebars::template::{HelperTemplate, Parameter, TemplateElement};

use crate::model::{Failure, Value};

use super::helpers::{self, Helper};
use super::scope::Scope;

/// A place in a template where a value is taken from: `{{prefix.field}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub prefix: String,
    pub field: String,
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

/// How a template is rendered. Its grammar is that of Handlebars; its pieces are rendered here, because millions of units each render several
/// templates.
#[derive(Debug)]
enum Form {
    /// Exactly one `{{prefix.field}}`.
    Value,
    Text(Vec<Piece>),
}

#[derive(Debug)]
enum Piece {
    Literal(String),
    /// Index into the references.
    Reference(usize),
    Call(Call),
}

/// A helper with what it is given.
#[derive(Debug)]
struct Call {
    helper: &'static Helper,
    arguments: Vec<Argument>,
}

#[derive(Debug)]
enum Argument {
    Null,
    Literal(String),
    /// Index into the references.
    Reference(usize),
    Call(Call),
}

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
        let mut pieces = Vec::new();
        for element in &compiled.elements {
            pieces.push(match element {
                TemplateElement::RawString(literal) => Piece::Literal(literal.clone()),
                TemplateElement::Comment(_) => continue,
                TemplateElement::Expression(expression) | TemplateElement::HtmlExpression(expression) => {
                    if is_call(expression) {
                        Piece::Call(call(expression, &mut references)?)
                    } else {
                        Piece::Reference(add(reference(&expression.name)?, &mut references))
                    }
                }
                _ => {
                    return Err(TemplateProblem::new(
                        format!("`{text}` holds a block, a partial or a decorator"),
                        "a template takes values and helpers only: `{{item.Column}}`, `{{lower item.Column}}`",
                    ));
                }
            });
        }
        let form = match pieces[..] {
            [Piece::Reference(_)] => Form::Value,
            _ => Form::Text(pieces),
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
            (Form::Text(pieces), _) => self.render_pieces(pieces, scope).map(Value::Text),
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

    fn render_pieces(&self, pieces: &[Piece], scope: &Scope<'_>) -> Result<String, Failure> {
        let mut out = String::with_capacity(self.inner.text.len() + 32);
        for piece in pieces {
            match piece {
                Piece::Literal(literal) => out.push_str(literal),
                Piece::Reference(index) => match self.text_of(*index, scope)? {
                    Some(text) => out.push_str(&text),
                    None => return Err(self.null(self.inner.references.get(*index))),
                },
                Piece::Call(call) => out.push_str(&self.answer(call, scope)?),
            }
        }
        Ok(out)
    }

    fn answer(&self, call: &Call, scope: &Scope<'_>) -> Result<String, Failure> {
        let Call { helper, arguments } = call;
        let mut texts: Vec<Cow<'_, str>> = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let text = match argument {
                Argument::Null => None,
                Argument::Literal(literal) => Some(Cow::Borrowed(literal.as_str())),
                Argument::Reference(index) => self.text_of(*index, scope)?,
                Argument::Call(call) => Some(Cow::Owned(self.answer(call, scope)?)),
            };
            texts.push(match text {
                Some(text) => text,
                None if helper.takes_null() => Cow::Borrowed(""),
                None => {
                    let place = self.place(argument);
                    let message = format!("`{}` was given NULL{place}; put `default` around it", helper.name);
                    return Err(self.failure("template.null", &message));
                }
            });
        }
        let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
        (helper.call)(&texts)
            .map_err(|message| self.failure("template.helper", &format!("`{}`: {message}", helper.name)))
    }

    /// A value as text, printed alike wherever it stands; `None` for NULL.
    fn text_of<'a>(&self, reference: usize, scope: &Scope<'a>) -> Result<Option<Cow<'a, str>>, Failure> {
        let reference = (self.inner.references.get(reference))
            .ok_or_else(|| self.failure("template.helper", "it takes a value that it does not name"))?;
        Ok(match self.look_up(reference, scope)? {
            Value::Null => None,
            Value::Text(text) => Some(Cow::Borrowed(text)),
            value => Some(Cow::Owned(value.to_string())),
        })
    }

    fn place(&self, argument: &Argument) -> String {
        match argument {
            Argument::Reference(index) => (self.inner.references.get(*index))
                .map_or_else(String::new, |Reference { prefix, field }| {
                    format!(" (`{prefix}.{field}`)")
                }),
            _ => String::new(),
        }
    }

    fn look_up<'a>(&self, reference: &Reference, scope: &Scope<'a>) -> Result<&'a Value, Failure> {
        let Some(row) = scope.row(&reference.prefix) else {
            let prefix = &reference.prefix;
            return Err(self.failure("template.unknown_field", &format!("there is no `{prefix}` here")));
        };
        row.get(&reference.field).ok_or_else(|| {
            let Reference { prefix, field } = reference;
            let columns = row.columns.join("`, `");
            let message = format!("there is no `{field}` in this {prefix}; its columns are `{columns}`");
            self.failure("template.unknown_field", &message)
        })
    }

    fn null(&self, reference: Option<&Reference>) -> Failure {
        let place = reference.map_or_else(String::new, |Reference { prefix, field }| {
            format!("`{prefix}.{field}` is NULL; give it a value with `{{{{default {prefix}.{field} \"…\"}}}}`")
        });
        self.failure("template.null", &place)
    }

    fn failure(&self, code: &'static str, message: &str) -> Failure {
        Failure::data(code, format!("template `{}`: {message}", self.inner.text))
    }
}

/// Where a reference stands among all of a template.
fn add(reference: Reference, references: &mut Vec<Reference>) -> usize {
    references.push(reference);
    references.len() - 1
}

fn is_call(expression: &HelperTemplate) -> bool {
    let named = expression.name.as_name().is_some_and(helpers::exists);
    named || !expression.params.is_empty() || !expression.hash.is_empty()
}

/// Checks a helper's name and number of arguments, and collects the references in them.
fn call(expression: &HelperTemplate, references: &mut Vec<Reference>) -> Result<Call, TemplateProblem> {
    let name = expression.name.as_name().unwrap_or_default();
    let helper =
        helpers::find(name, expression.params.len()).map_err(|(message, help)| TemplateProblem::new(message, help))?;
    if let Some(key) = expression.hash.keys().min() {
        return Err(TemplateProblem::new(
            format!("`{name}` takes no `{key}=…`"),
            "give its arguments in order, without names",
        ));
    }
    let arguments = expression.params.iter().map(|parameter| match parameter {
        Parameter::Literal(serde_json::Value::Null) => Ok(Argument::Null),
        Parameter::Literal(serde_json::Value::String(text)) => Ok(Argument::Literal(text.clone())),
        Parameter::Literal(other) => Ok(Argument::Literal(other.to_string())),
        Parameter::Subexpression(inner) => match inner.element.as_ref() {
            TemplateElement::Expression(inner) => call(inner, references).map(Argument::Call),
            _ => Err(TemplateProblem::new(
                "this is not a call of a helper",
                "write `(helper value)`",
            )),
        },
        parameter => reference(parameter).map(|reference| Argument::Reference(add(reference, references))),
    });
    let arguments: Result<Vec<Argument>, TemplateProblem> = arguments.collect();
    Ok(Call {
        helper,
        arguments: arguments?,
    })
}

fn reference(parameter: &Parameter) -> Result<Reference, TemplateProblem> {
    if let Parameter::Path(handlebars::Path::Relative((segments, _))) = parameter
        && let [PathSeg::Named(prefix), PathSeg::Named(field)] = &segments[..]
    {
        return Ok(Reference {
            prefix: prefix.clone(),
            field: field.clone(),
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
