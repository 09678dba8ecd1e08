use std::sync::{Arc, LazyLock};

use handlebars::template::{HelperTemplate, Parameter, TemplateElement};
use handlebars::{Context, Handlebars, PathSeg, RenderContext, Renderable, StringOutput};
use serde_json::Map;

use crate::model::{Columns, Failure, Row, Value};

use super::helpers;

/// The values a template may name: rows by prefix.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'a> {
    pub item: Option<&'a Row>,
    pub file: Option<&'a Row>,
    /// What is known of a file's object at the sink, as [`target_row`] makes it; steps alone have it.
    pub target: Option<&'a Row>,
}

/// Columns of `target` in templates.
pub(super) const TARGET_COLUMNS: [&str; 1] = ["name"];

/// The values of `target` for one file: the name of its object at the sink.
pub fn target_row(name: &str) -> Row {
    static COLUMNS: LazyLock<Columns> = LazyLock::new(|| TARGET_COLUMNS.map(str::to_owned).into());
    Row::new(COLUMNS.clone(), vec![Value::from(name)])
}

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
        let row = match reference.prefix.as_str() {
            "item" => scope.item,
            "file" => scope.file,
            "target" => scope.target,
            _ => None,
        };
        let Some(row) = row else {
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(fields: &[(&str, Value)]) -> Row {
        let columns: Vec<String> = fields.iter().map(|(name, _)| (*name).to_owned()).collect();
        Row::new(columns.into(), fields.iter().map(|(_, value)| value.clone()).collect())
    }

    fn rendered(template: &str, item: &Row) -> Result<Value, Failure> {
        let scope = Scope {
            item: Some(item),
            file: None,
            target: None,
        };
        Template::parse(template).unwrap().render(&scope)
    }

    fn text(template: &str, value: &str) -> String {
        let item = row(&[("X", Value::from(value))]);
        rendered(template, &item).unwrap().to_string()
    }

    fn code(result: Result<Value, Failure>) -> String {
        result.unwrap_err().code.into_owned()
    }

    #[test]
    fn exactly_one_path_keeps_its_type() {
        let item = row(&[
            ("N", Value::Integer(7)),
            ("Null", Value::Null),
            ("B", Value::Boolean(true)),
        ]);
        assert_eq!(rendered("{{item.N}}", &item), Ok(Value::Integer(7)));
        assert_eq!(rendered("{{item.Null}}", &item), Ok(Value::Null));
        assert_eq!(rendered("{{ item.B }}", &item), Ok(Value::Boolean(true)));
        assert_eq!(rendered("{{item.N}}-{{item.B}}", &item), Ok(Value::from("7-true")));
        assert_eq!(rendered("no template", &item), Ok(Value::from("no template")));
    }

    #[test]
    fn null_in_a_text_and_unknown_fields_are_failures() {
        let item = row(&[("A", Value::Null), ("B", Value::from("b"))]);
        assert_eq!(code(rendered("x{{item.A}}", &item)), "template.null");
        assert_eq!(code(rendered("{{lower item.A}}", &item)), "template.null");
        assert_eq!(code(rendered("{{item.A}}{{lower item.B}}", &item)), "template.null");
        assert_eq!(code(rendered("{{file.A}}", &item)), "template.unknown_field");
        let failure = rendered("{{upper item.C}}", &item).unwrap_err();
        assert_eq!(failure.code, "template.unknown_field");
        assert!(failure.message.contains("`A`, `B`"), "{failure}");
        let scope = Scope {
            item: Some(&item),
            file: None,
            target: None,
        };
        let failure = Template::parse("{{item.A}}").unwrap().render_text(&scope).unwrap_err();
        assert_eq!(failure.code, "template.null");
        assert_eq!(rendered("{{default item.A item.B}}", &item), Ok(Value::from("b")));
    }

    #[test]
    fn helpers_change_values() {
        assert_eq!(text("{{lower item.X}}", "ÀB"), "àb");
        assert_eq!(text("{{upper item.X}}", "straße"), "STRASSE");
        assert_eq!(text("{{snake item.X}}", "WorkItemId"), "work_item_id");
        assert_eq!(text("{{snake item.X}}", "HTTPServer v2-x"), "http_server_v2_x");
        assert_eq!(text("{{basename item.X}}", "a/b\\c.tar.gz"), "c.tar.gz");
        assert_eq!(text("{{stem item.X}}.{{ext item.X}}", "a/c.tar.gz"), "c.tar.gz");
        assert_eq!(text("{{stem item.X}}|{{ext item.X}}", "a/.hidden"), ".hidden|");
        assert_eq!(text("{{default item.X \"none\"}}", ""), "none");
        assert_eq!(text("{{replace item.X \"/\" \"_\"}}", "a/b/c"), "a_b_c");
        assert_eq!(text("{{pad item.X 5}}", "42"), "00042");
        assert_eq!(text("{{pad item.X 4 \" \"}}", "é"), "   é");
        assert_eq!(text("{{date item.X \"%Y/%m\"}}", "2024-02-29T23:30:00Z"), "2024/02");
        assert_eq!(text("{{date item.X \"%Y-%m-%d\"}}", "0"), "1970-01-01");
        assert_eq!(text("{{date item.X \"%d\"}}", "2024-02-29 10:00:00"), "29");
        assert_eq!(text("{{hash item.X}}", "abc"), "ba7816bf8f01cfea");
        assert_eq!(text("{{hash item.X 4}}", "abc"), "ba78");
        assert_eq!(text("{{lower (basename item.X)}}", "a/B"), "b");
        assert_eq!(text("{{item.X}}", "<a & 'b'>"), "<a & 'b'>");
        assert_eq!(text("{{lower item.X}}&", "<A & 'B'>"), "<a & 'b'>&");
    }

    #[test]
    fn the_path_of_a_uri_is_decoded_and_whole() {
        let path = |uri| text("{{url_path item.X}}", uri);
        assert_eq!(
            path("https://a.blob.core.windows.net/c/d/report%20%C3%BC.pdf?sv=1&sig=x#f"),
            "c/d/report ü.pdf"
        );
        assert_eq!(path("s3://bucket/key%2Bone"), "key+one");
        assert_eq!(path("https://host"), "");
        assert_eq!(path("/a/100%25.txt"), "a/100%.txt");
        assert_eq!(path("a b/c#1.txt"), "a b/c#1.txt");
        let item = row(&[("X", Value::from("https://h/%ff"))]);
        assert_eq!(code(rendered("{{url_path item.X}}", &item)), "template.helper");
    }

    #[test]
    fn helpers_refuse_what_they_cannot_take() {
        let item = row(&[("X", Value::from("x"))]);
        for template in [
            "{{pad item.X 100000}}",
            "{{pad item.X 2 \"ab\"}}",
            "{{date item.X \"%Y\"}}",
            "{{hash item.X 65}}",
        ] {
            assert_eq!(code(rendered(template, &item)), "template.helper", "{template}");
        }
        let item = row(&[("X", Value::from("2024-01-01"))]);
        assert_eq!(code(rendered("{{date item.X \"%\"}}", &item)), "template.helper");
    }

    #[test]
    fn what_is_no_template_is_refused_when_parsed() {
        for wrong in [
            "{{item.X",
            "{{item}}",
            "{{lower}}",
            "{{lower item.X item.Y}}",
            "{{nope item.X}}",
            "{{item.X.Y}}",
            "{{this}}",
            "{{../item.X}}",
            "{{@root.item}}",
            "{{#if item.X}}a{{/if}}",
            "{{> partial}}",
            "{{each item.X}}",
            "{{lookup item \"X\"}}",
            "{{lower x=item.X}}",
            "{{lower (nope item.X)}}",
        ] {
            assert!(Template::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn references_are_found_wherever_they_stand() {
        let template = Template::parse("{{item.A}}{{lower (default file.B item.[C d])}}").unwrap();
        let found: Vec<String> = template
            .references()
            .iter()
            .map(|reference| format!("{}.{}", reference.prefix, reference.field))
            .collect();
        assert_eq!(found, ["item.A", "file.B", "item.C d"]);
    }

    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<bool>().prop_map(Value::Boolean),
            any::<i64>().prop_map(Value::Integer),
            any::<f64>()
                .prop_filter("finite", |number| number.is_finite())
                .prop_map(Value::Number),
            any::<String>().prop_map(Value::Text),
            Just(Value::Null),
        ]
    }

    proptest! {
        /// The short way of rendering and the engine's own give the same text, or the same failure.
        #[test]
        fn both_ways_of_rendering_agree(before in "[^{\\\\]*", between in "[^{\\\\]*", first in any_value(), second in any_value()) {
            let source = format!("{before}{{{{item.A}}}}{between}{{{{file.B}}}}");
            let template = Template::parse(&source).unwrap();
            let (item, file) = (row(&[("A", first)]), row(&[("B", second)]));
            let scope = Scope { item: Some(&item), file: Some(&file), target: None };
            let compiled = handlebars::Template::compile(&source).unwrap();
            prop_assert_eq!(template.render_handlebars(&compiled, &scope).map(Value::Text), template.render(&scope));
        }

        #[test]
        fn no_text_makes_parsing_or_rendering_panic(source in "\\PC{0,40}", braces in "(\\{\\{|\\}\\}|[a-z. \"()/#>@]){0,12}", value in any_value()) {
            let item = row(&[("x", value)]);
            for source in [source, braces] {
                if let Ok(template) = Template::parse(&source) {
                    let _ = template.render_text(&Scope { item: Some(&item), file: None, target: None });
                }
            }
        }

        #[test]
        fn no_value_makes_a_helper_panic(value in any_value(), other in any_value()) {
            let item = row(&[("x", value), ("y", other)]);
            for source in [
                "{{snake item.x}}", "{{stem item.x}}{{ext item.x}}", "{{url_path item.x}}", "{{pad item.x item.y item.x}}",
                "{{date item.x item.y}}", "{{hash item.x item.y}}", "{{replace item.x item.y item.x}}",
            ] {
                let _ = Template::parse(source).unwrap().render(&Scope { item: Some(&item), file: None, target: None });
            }
        }
    }
}
