use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use super::DEPTH_MAX;
use crate::spec::{Problem, Span};

/// What to do about a text that is not YAML.
pub(super) const SYNTAX_HELP: &str = "look for a wrong indentation, a missing `:` or an unclosed quote or bracket on this line or the one before; \
    texts that hold `: `, ` #`, `{` or `[` stand in quotes";

/// The shape of a YAML text, with a place for everything in it.
pub(super) struct Places {
    pub(super) root: Place,
}

pub(super) struct Place {
    pub(super) span: Span,
    pub(super) shape: Shape,
}

pub(super) enum Shape {
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Place>),
    /// Keys and values.
    Map(Vec<(Place, Place)>),
    /// Its values stand elsewhere: everything under it has this one place.
    Alias,
}

/// Why a text has no places.
pub(super) enum Unplaced {
    Syntax(Problem),
    TooDeep(Span),
}

/// A list or map that is not closed yet; of a map the children are keys and values in turn.
struct Open {
    start: usize,
    map: bool,
    children: Vec<Place>,
}

impl Places {
    pub(super) fn read(text: &str) -> Result<Self, Unplaced> {
        let offsets = Offsets::new(text);
        let mut open: Vec<Open> = Vec::new();
        let mut root = None;
        let mut parser = Parser::new_from_str(text);
        while let Some(next) = parser.next_event() {
            let (event, span) = next.map_err(|error| {
                Unplaced::Syntax(
                    Problem::new(format!("this is not YAML: {}", error.info()))
                        .at(character_at(text, offsets.of(error.marker())))
                        .help(SYNTAX_HELP),
                )
            })?;
            let start = offsets.of(&span.start);
            let end = offsets.of(&span.end).max(start);
            let finished = match event {
                Event::Scalar(value, style, ..) => Place {
                    span: start..end,
                    shape: Shape::Scalar {
                        text: value.into_owned(),
                        plain: style == ScalarStyle::Plain,
                    },
                },
                Event::Alias(_) => Place {
                    span: start..end,
                    shape: Shape::Alias,
                },
                Event::SequenceStart(..) | Event::MappingStart(..) => {
                    if open.len() >= DEPTH_MAX {
                        return Err(Unplaced::TooDeep(start..end));
                    }
                    open.push(Open {
                        start,
                        map: matches!(event, Event::MappingStart(..)),
                        children: Vec::new(),
                    });
                    continue;
                }
                Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                    Some(closed) => closed.close(text, end),
                    None => continue,
                },
                Event::Nothing
                | Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentStart(_)
                | Event::DocumentEnd => {
                    continue;
                }
            };
            match open.last_mut() {
                Some(parent) => parent.children.push(finished),
                None => root = root.or(Some(finished)),
            }
        }
        // An empty text is null.
        let root = root.unwrap_or(Place {
            span: 0..0,
            shape: Shape::Scalar {
                text: String::new(),
                plain: true,
            },
        });
        Ok(Self { root })
    }
}

impl Open {
    fn close(self, text: &str, end: usize) -> Place {
        let trimmed = text[self.start..end.max(self.start)].trim_end().len();
        let span = self.start..self.start + trimmed;
        let shape = if self.map {
            let mut children = self.children.into_iter();
            let mut pairs = Vec::new();
            while let (Some(key), Some(value)) = (children.next(), children.next()) {
                pairs.push((key, value));
            }
            Shape::Map(pairs)
        } else {
            Shape::List(self.children)
        };
        Place { span, shape }
    }
}

impl Place {
    /// What is better said here than by the parser of the values: keys that stand twice, and `{{` that was meant as a template.
    pub(super) fn check(&self, text: &str, problems: &mut Vec<Problem>) {
        match &self.shape {
            Shape::List(places) => places.iter().for_each(|place| place.check(text, problems)),
            Shape::Map(pairs) => {
                let is_accident = text.get(self.span.start..).is_some_and(|rest| rest.starts_with("{{"))
                    && matches!(
                        &pairs[..],
                        [(
                            Place {
                                shape: Shape::Map(_),
                                ..
                            },
                            _
                        )]
                    );
                if is_accident {
                    problems.push(braces_problem(self.span.clone()));
                    return;
                }
                for (index, (key, value)) in pairs.iter().enumerate() {
                    if let Shape::Scalar { text, .. } = &key.shape
                        && pairs[..index].iter().any(|(other, _)| other.is_key(text))
                    {
                        problems.push(
                            Problem::new(format!("the key `{text}` stands twice in one map"))
                                .at(key.span.clone())
                                .label("the second one")
                                .help("take one of the two out"),
                        );
                    }
                    value.check(text, problems);
                }
            }
            Shape::Scalar { .. } | Shape::Alias => {}
        }
    }

    fn is_key(&self, key: &str) -> bool {
        matches!(&self.shape, Shape::Scalar { text, .. } if text == key)
    }
}

pub(super) fn braces_problem(span: Span) -> Problem {
    Problem::new("`{{` outside of quotes begins a YAML map, not a template")
        .at(span)
        .label("not in quotes")
        .help("put it in quotes: `key: \"{{item.Column}}\"`")
}

/// The span of the one character at an offset; empty at the end of a line.
pub(super) fn character_at(text: &str, offset: usize) -> Span {
    let length = text[offset..]
        .chars()
        .next()
        .filter(|character| *character != '\n')
        .map_or(0, char::len_utf8);
    offset..offset + length
}

/// Byte offsets of characters: the parser counts characters, we count bytes.
struct Offsets {
    /// Absent for a text of ASCII, where both are the same.
    by_character: Option<Vec<usize>>,
    length: usize,
}

impl Offsets {
    fn new(text: &str) -> Self {
        Self {
            by_character: (!text.is_ascii()).then(|| text.char_indices().map(|(offset, _)| offset).collect()),
            length: text.len(),
        }
    }

    fn of(&self, marker: &Marker) -> usize {
        match &self.by_character {
            None => marker.index().min(self.length),
            Some(offsets) => offsets.get(marker.index()).copied().unwrap_or(self.length),
        }
    }
}
