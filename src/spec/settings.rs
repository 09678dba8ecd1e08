use super::document::Entry;
use super::{Document, Node, NodeValue, Problem, SourceFile, Span, Syntax, parse};

/// Puts values of the command line (`concurrency.items.limit=30`) into a document, as if its file said them.
///
/// They are written behind the file's text, so that what is wrong with one is shown at the flag: everything from [`SourceFile::flags_from`] on
/// is no line of the file.
pub fn set(document: &mut Document, settings: &[String]) -> Vec<Problem> {
    let mut problems = Vec::new();
    if settings.is_empty() {
        return problems;
    }
    let mut text = document.file.text.to_string();
    text.push('\n');
    let flags_from = text.len();
    for setting in settings {
        text.push_str("--set ");
        let begins = text.len();
        text.push_str(setting);
        let flag = begins..text.len();
        text.push('\n');
        let Some((path, value)) = setting.split_once('=') else {
            let problem = Problem::new(format!("`--set {setting}` names no value")).at(flag);
            problems.push(problem.help("write it as in `--set concurrency.items.limit=30`"));
            continue;
        };
        let value = Node::new(scalar(value), begins + path.len() + 1..flag.end);
        if let Err(problem) = put(&mut document.root, path, begins, value) {
            problems.push(problem);
        }
    }
    document.file = SourceFile {
        text: text.into(),
        flags_from: Some(flags_from),
        ..document.file.clone()
    };
    problems
}

/// Replaces the value at a path, and makes the maps on the way that are not there. Whether there may be such keys is the schema's to say.
fn put(root: &mut Node, path: &str, begins: usize, value: Node) -> Result<(), Problem> {
    let mut node = root;
    let mut behind = begins;
    for key in path.split('.') {
        let span = behind..behind + key.len();
        if key.is_empty() {
            let place = begins..begins + path.len();
            return Err(Problem::new(format!("`{path}` is not a path in the spec"))
                .at(place)
                .help("write it as in `concurrency.items.limit`"));
        }
        node = child(
            node,
            key,
            span,
            &path[..behind.saturating_sub(begins + 1).min(path.len())],
        )?;
        behind += key.len() + 1;
    }
    *node = value;
    Ok(())
}

/// The value under a key; `above` is the path to the node itself.
fn child<'a>(node: &'a mut Node, key: &str, span: Span, above: &str) -> Result<&'a mut Node, Problem> {
    if matches!(node.value, NodeValue::Null) {
        node.value = NodeValue::Map(Vec::new());
    }
    match &mut node.value {
        NodeValue::Map(entries) => {
            let place = entries.iter().position(|entry| entry.key == key).unwrap_or_else(|| {
                entries.push(Entry {
                    key: key.to_owned(),
                    key_span: span.clone(),
                    value: Node::new(NodeValue::Null, span),
                });
                entries.len() - 1
            });
            Ok(&mut entries[place].value)
        }
        NodeValue::List(nodes) => {
            let count = nodes.len();
            let index = key.parse().ok().filter(|index| *index < count);
            match index.and_then(|index: usize| nodes.get_mut(index)) {
                Some(node) => Ok(node),
                None => Err(Problem::new(format!("`{above}` has no entry `{key}`"))
                    .at(span)
                    .help(format!("it is a list of {count}, counted from 0"))),
            }
        }
        _ => Err(Problem::new(format!("`{above}` is a single value and has no `{key}`"))
            .at(span)
            .help(format!("set `{above}` itself"))),
    }
}

/// As YAML reads a single value: numbers, `true`, `false`, a text in quotes. Anything else is the text as it stands.
fn scalar(text: &str) -> NodeValue {
    let read = parse(&SourceFile::new("--set", text, Syntax::Yaml)).map(|document| document.root.value);
    match read {
        Ok(value @ (NodeValue::Boolean(_) | NodeValue::Integer(_) | NodeValue::Number(_))) => value,
        Ok(NodeValue::Text(inner)) if text.starts_with(['"', '\'']) => NodeValue::Text(inner),
        _ => NodeValue::Text(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        let text = "job: copy\nlist: [{ a: 1 }]\nretry: { max_attempts: 2 }\n";
        parse(&SourceFile::new("x.yaml", text, Syntax::Yaml)).unwrap()
    }

    fn set_one(setting: &str) -> (Document, Vec<Problem>) {
        let mut document = document();
        let problems = set(&mut document, &[setting.to_owned()]);
        (document, problems)
    }

    #[test]
    fn values_are_put_where_their_path_says() {
        for (setting, pointer, value) in [
            ("retry.max_attempts=5", "/retry/max_attempts", NodeValue::Integer(5)),
            (
                "limits.memory=64MiB",
                "/limits/memory",
                NodeValue::Text("64MiB".to_owned()),
            ),
            ("list.0.a=true", "/list/0/a", NodeValue::Boolean(true)),
            ("job='7'", "/job", NodeValue::Text("7".to_owned())),
            ("job=a=b: c", "/job", NodeValue::Text("a=b: c".to_owned())),
            ("job=", "/job", NodeValue::Text(String::new())),
        ] {
            let (document, problems) = set_one(setting);
            assert_eq!(problems, [], "{setting}");
            let node = document.get(pointer).unwrap();
            assert_eq!(node.value, value, "{setting}");
            let written = &document.file.text[node.span.clone()];
            assert_eq!(written, setting.split_once('=').unwrap().1, "{setting}");
        }
    }

    #[test]
    fn what_has_no_place_is_a_problem_at_the_flag() {
        for setting in ["retry", "a..b=1", "=1", "job.name=x", "list.1.a=2", "list.x=2"] {
            let (document, problems) = set_one(setting);
            let [problem] = &problems[..] else {
                panic!("{setting}: {problems:?}")
            };
            let place = problem.span.clone().unwrap();
            assert!(place.start >= document.file.flags_from.unwrap(), "{setting}");
            assert!(document.file.text.get(place).is_some(), "{setting}");
        }
    }
}
