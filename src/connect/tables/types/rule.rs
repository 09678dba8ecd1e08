use crate::model::Carry;

/// One line of a type table.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// A type of the source: `decimal({p},{s})`. A name in braces stands for any text without brackets.
    pub source: &'static str,
    pub carry: Carry,
    /// The type at the sink; names in braces are those of `source`, and `{type}` is the whole source type.
    pub sink: &'static str,
    /// What a value may lose, in words; empty when nothing does.
    pub loss: &'static str,
}

/// A rule without loss.
pub const fn exact(source: &'static str, carry: Carry, sink: &'static str) -> Rule {
    Rule {
        source,
        carry,
        sink,
        loss: "",
    }
}

/// A rule by which values may lose something.
pub const fn lossy(source: &'static str, carry: Carry, sink: &'static str, loss: &'static str) -> Rule {
    Rule {
        source,
        carry,
        sink,
        loss,
    }
}

/// What becomes of a column's type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    pub carry: Carry,
    pub native: String,
    pub loss: Option<&'static str>,
}

/// The rules of one pair of engines.
#[derive(Clone, Copy, Debug)]
pub struct TypeTable {
    rules: &'static [Rule],
}

impl TypeTable {
    pub fn new(rules: &'static [Rule]) -> Self {
        Self { rules }
    }

    /// What a source type becomes; `None` when no rule fits.
    pub fn map(&self, native: &str) -> Option<Mapped> {
        self.rules.iter().find_map(|rule| {
            let captures = captures(rule.source, native)?;
            Some(Mapped {
                carry: rule.carry,
                native: filled(&rule.sink.replace("{type}", native), &captures),
                loss: (!rule.loss.is_empty()).then_some(rule.loss),
            })
        })
    }
}

/// A text with what the names in its braces stand for.
pub fn filled(text: &str, captures: &[(&str, &str)]) -> String {
    captures.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{name}}}"), value)
    })
}

/// What the names in braces stand for when `native` is of the pattern's form.
pub fn captures<'a>(pattern: &'a str, native: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
    let mut found = Vec::new();
    let (mut pattern, mut rest) = (pattern, native);
    while let Some((literal, behind)) = pattern.split_once('{') {
        rest = rest.strip_prefix(literal)?;
        let (name, behind) = behind.split_once('}')?;
        // Up to the literal that follows; the last name takes what is left.
        let until = behind.split('{').next().unwrap_or_default();
        let end = if until.is_empty() {
            rest.len()
        } else {
            rest.find(until)?
        };
        let value = &rest[..end];
        if value.is_empty() || (!until.is_empty() && value.contains(['(', ')', ','])) {
            return None;
        }
        found.push((name, value));
        (pattern, rest) = (behind, &rest[end..]);
    }
    (pattern == rest).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_gives_its_arguments() {
        assert_eq!(captures("int", "int"), Some(vec![]));
        assert_eq!(captures("int", "int unsigned"), None);
        assert_eq!(
            captures("decimal({p},{s})", "decimal(10,2)"),
            Some(vec![("p", "10"), ("s", "2")])
        );
        assert_eq!(captures("decimal({p})", "decimal(10,2)"), None);
        assert_eq!(captures("varchar({n})", "varchar()"), None);
        assert_eq!(
            captures("enum{values}", "enum('a','b(c)')"),
            Some(vec![("values", "('a','b(c)')")])
        );
    }

    #[test]
    fn the_first_rule_that_fits_is_taken() {
        const RULES: &[Rule] = &[
            exact("tinyint(1)", Carry::Boolean, "boolean"),
            exact("tinyint({n})", Carry::Int16, "smallint"),
            lossy("char({n})", Carry::Text, "character varying({n})", "trailing spaces"),
        ];
        let table = TypeTable::new(RULES);
        assert_eq!(table.map("tinyint(1)").unwrap().native, "boolean");
        assert_eq!(table.map("tinyint(4)").unwrap().native, "smallint");
        let mapped = table.map("char(7)").unwrap();
        assert_eq!(
            (mapped.native.as_str(), mapped.loss),
            ("character varying(7)", Some("trailing spaces"))
        );
        assert_eq!(table.map("geometry"), None);
    }
}
