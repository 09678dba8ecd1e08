use super::findings::remedy;
use super::template::Reference;
use crate::spec::Problem;

/// Columns of a listing (`glob`).
pub(super) const LISTING_COLUMNS: [&str; 5] = ["path", "name", "size", "modified", "etag"];

/// What is known, before anything runs, of one prefix where a template stands.
#[derive(Clone, Debug)]
pub(super) enum Prefix {
    /// It has no value there; why.
    Absent(&'static str),
    /// It has columns that only the run will know.
    Unknown,
    /// It has exactly these columns.
    Columns(Vec<String>),
}

impl Prefix {
    /// `target` everywhere but in steps.
    pub const NO_TARGET: Self = Self::Absent("a target is known only to the steps under `then`");
}

/// What templates at one place may name.
#[derive(Clone, Debug)]
pub(super) struct KnownScope {
    pub item: Prefix,
    pub file: Prefix,
    pub target: Prefix,
}

impl KnownScope {
    /// Why a reference cannot have a value, if it cannot.
    pub fn check(&self, reference: &Reference) -> Option<Problem> {
        let Reference { prefix, field, .. } = reference;
        let known = match prefix.as_str() {
            "item" => &self.item,
            "file" => &self.file,
            "target" => &self.target,
            "table" | "column" | "chunk" => {
                let problem = Problem::new(format!("this version does not have `{prefix}` in templates"));
                return Some(problem.help("name a value of `item` or `file`"));
            }
            _ => {
                let problem = Problem::new(format!("`{prefix}.{field}`: there is no `{prefix}` in templates"));
                return Some(problem.help(remedy(prefix, "prefixes", self.names())));
            }
        };
        match known {
            Prefix::Unknown => None,
            Prefix::Absent(reason) => Some(
                Problem::new(format!("`{prefix}.{field}` has no value here: {reason}"))
                    .label(format!("no `{prefix}` here"))
                    .help(match (&self.item, &self.file) {
                        (Prefix::Absent(_), Prefix::Absent(_)) => "write it without `{{…}}`",
                        (Prefix::Absent(_), _) => "name a value of `file`, or add `source.items`",
                        _ => "name a value of `item`",
                    }),
            ),
            Prefix::Columns(columns) => (!columns.contains(field)).then(|| {
                Problem::new(format!(
                    "`{prefix}.{field}`: the rows of `{prefix}` have no column `{field}`"
                ))
                .help(remedy(field, "columns", columns.iter().map(String::as_str)))
            }),
        }
    }

    /// The prefixes to choose from: `target` is one only where it has a value.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        let target = matches!(self.target, Prefix::Columns(_)).then_some("target");
        ["item", "file"].into_iter().chain(target)
    }
}
