use std::collections::BTreeMap;

use super::{Document, Node, NodeValue, Problem};

/// Looks up a variable of the environment.
pub type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// What `${…}` stands for.
pub struct Interpolation<'a> {
    /// Values of `${name}`. A name that is known to be missing, and reported elsewhere, maps to `None`.
    pub variables: &'a BTreeMap<String, Option<NodeValue>>,
    pub environment: &'a Environment<'a>,
}

/// What happens to the references in one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    Replace,
    /// The text stays as it is, and is meant to: a secret's reference.
    Keep,
    /// The text stays as it is because nothing here needs its value, which may be of any type.
    Defer,
}

/// One `${…}` of a text, or the text between two of them.
#[derive(Debug, PartialEq)]
enum Piece<'a> {
    Literal(&'a str),
    Variable(&'a str),
    Environment {
        name: &'a str,
        default: Option<&'a str>,
    },
    /// `$${`, which stands for `${`.
    Escape,
    /// Neither of the known forms; the text between the braces.
    Unknown(&'a str),
    Unclosed,
}

/// Replaces `${name}`, `${env:NAME}` and `${env:NAME:-default}` in the values of a document, never in its keys. A value that is
/// exactly one `${name}` takes the variable's type. `treatment` tells what to do with the value at a JSON pointer.
pub fn interpolate(
    document: &mut Document,
    with: &Interpolation<'_>,
    treatment: &dyn Fn(&str) -> Treatment,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    document.root.visit_scalars_mut("", &mut |pointer, node| {
        let Some(text) = node.as_text().filter(|text| text.contains("${")) else {
            return;
        };
        match treatment(pointer) {
            Treatment::Keep => {}
            Treatment::Defer => node.unresolved = true,
            Treatment::Replace => match replace(text, node, with, &mut problems) {
                Some(value) => node.value = value,
                None => node.unresolved = true,
            },
        }
    });
    problems
}

/// The variables that a text refers to.
pub fn references(text: &str) -> Vec<&str> {
    pieces(text)
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Variable(name) => Some(name),
            _ => None,
        })
        .collect()
}

/// `None` when something in it could not be replaced.
fn replace(text: &str, node: &Node, with: &Interpolation<'_>, problems: &mut Vec<Problem>) -> Option<NodeValue> {
    let pieces = pieces(text);
    if let [Piece::Variable(name)] = pieces[..] {
        return variable(name, node, with, problems).cloned();
    }
    let mut out = Some(String::with_capacity(text.len()));
    for piece in pieces {
        let piece_text = match piece {
            Piece::Literal(literal) => Some(literal.to_owned()),
            Piece::Escape => Some("${".to_owned()),
            Piece::Variable(name) => variable(name, node, with, problems).map(display),
            Piece::Environment { name, default } => {
                let found = (with.environment)(name).filter(|value| !value.is_empty() || default.is_none());
                let value = found.or_else(|| default.map(str::to_owned));
                if value.is_none() {
                    problems.push(missing_environment(name).at(node.span.clone()));
                }
                value
            }
            Piece::Unknown(inner) => {
                problems.push(
                    Problem::new(format!("`${{{inner}}}` is neither a variable nor a reference"))
                        .at(node.span.clone())
                        .help("write `${name}` for a variable of `vars`, `${env:NAME}` for the environment, `$${` for a literal `${`"),
                );
                None
            }
            Piece::Unclosed => {
                problems.push(
                    Problem::new("a `${` is not closed")
                        .at(node.span.clone())
                        .help("close it with `}`, or write `$${` for a literal `${`"),
                );
                None
            }
        };
        out = out.zip(piece_text).map(|(out, piece)| out + &piece);
    }
    out.map(NodeValue::Text)
}

/// The problem of a variable of the environment that is not set.
pub fn missing_environment(name: &str) -> Problem {
    Problem::new(format!("the environment variable `{name}` is not set"))
        .label("needed here")
        .help(format!(
            "set it (`export {name}=…`), or choose another profile with `--profile`"
        ))
}

fn variable<'a>(
    name: &str,
    node: &Node,
    with: &'a Interpolation<'_>,
    problems: &mut Vec<Problem>,
) -> Option<&'a NodeValue> {
    if let Some(known) = with.variables.get(name) {
        return known.as_ref();
    }
    let help = match super::closest(name, with.variables.keys().map(String::as_str)) {
        Some(close) => format!("did you mean `${{{close}}}`?"),
        None => format!(
            "declare it: `vars: {{ {name}: {{ required: true }} }}`, or write `${{env:{name}}}` for the environment"
        ),
    };
    problems.push(
        Problem::new(format!("there is no variable `{name}`"))
            .at(node.span.clone())
            .help(help),
    );
    None
}

fn display(value: &NodeValue) -> String {
    match value {
        NodeValue::Boolean(value) => value.to_string(),
        NodeValue::Integer(value) => value.to_string(),
        NodeValue::Number(value) => value.to_string(),
        NodeValue::Text(text) => text.clone(),
        NodeValue::Null | NodeValue::List(_) | NodeValue::Map(_) => String::new(),
    }
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let escaped = rest[..start].ends_with('$');
        let literal = &rest[..start - usize::from(escaped)];
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        rest = &rest[start + 2..];
        if escaped {
            pieces.push(Piece::Escape);
            continue;
        }
        let Some(end) = rest.find('}') else {
            pieces.push(Piece::Unclosed);
            return pieces;
        };
        pieces.push(reference(&rest[..end]));
        rest = &rest[end + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    pieces
}

fn reference(inner: &str) -> Piece<'_> {
    match inner.strip_prefix("env:") {
        Some(environment) => {
            let (name, default) = match environment.split_once(":-") {
                Some((name, default)) => (name, Some(default)),
                None => (environment, None),
            };
            if is_name(name) {
                Piece::Environment { name, default }
            } else {
                Piece::Unknown(inner)
            }
        }
        None if is_name(inner) => Piece::Variable(inner),
        None => Piece::Unknown(inner),
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|character| character.is_alphanumeric() || matches!(character, '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{SourceFile, Syntax, parse};

    fn interpolated(text: &str) -> (Document, Vec<Problem>) {
        let mut document = parse(&SourceFile::new("spec", text, Syntax::Yaml)).unwrap();
        let variables = BTreeMap::from([
            ("n".to_owned(), Some(NodeValue::Integer(3))),
            ("name".to_owned(), Some(NodeValue::Text("x".to_owned()))),
            ("missing".to_owned(), None),
        ]);
        let with = Interpolation {
            variables: &variables,
            environment: &|name| (name == "HOME").then(|| "/root".to_owned()),
        };
        let problems = interpolate(&mut document, &with, &|_| Treatment::Replace);
        (document, problems)
    }

    #[test]
    fn values_are_replaced_and_keys_are_not() {
        let (document, problems) = interpolated(
            "a: ${n}\nb: n=${n}\nc: $${n} $${env:X}\nd: ['${env:HOME}/x', '${env:NONE:-y z}', '${env:NONE:-}']\n'${name}': $5\n",
        );
        assert_eq!(problems, []);
        let json = document.root.to_json();
        let expected = serde_json::json!({
            "a": 3, "b": "n=3", "c": "${n} ${env:X}", "d": ["/root/x", "y z", ""], "${name}": "$5"
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn what_cannot_be_replaced_is_a_problem_once_and_marked() {
        let (document, problems) = interpolated("a: ${nme}\nb: ${env:NONE}\nc: ${missing}\nd: '${file:x}'\ne: '${n'\n");
        let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "there is no variable `nme`",
                "the environment variable `NONE` is not set",
                "`${file:x}` is neither a variable nor a reference",
                "a `${` is not closed",
            ]
        );
        assert_eq!(problems[0].help.as_deref(), Some("did you mean `${name}`?"));
        assert!(document.root.entries().iter().all(|entry| entry.value.unresolved));
    }
}
