use globset::{Glob, GlobMatcher};

use crate::model::{Failure, FailureClass, Table};

/// The tables that patterns choose, in their order.
#[derive(Debug)]
pub(super) struct Selected {
    pub tables: Vec<Table>,
    /// Patterns that fit no table of the source, each as its part of the spec: ``include: `sales.*` ``.
    pub unused: Vec<String>,
}

/// Chooses the tables that fit. A pattern without a schema is of tables in any.
///
/// # Errors
/// `tables.pattern`, and `tables.none` where nothing is chosen, or a table is named that is not there.
pub(super) fn select(
    mut tables: Vec<Table>,
    include: &[String],
    exclude: &[String],
    is_by_pattern: bool,
) -> Result<Selected, Failure> {
    let (included, excluded) = (matchers(include)?, matchers(exclude)?);
    let fits = |pattern: &GlobMatcher, table: &Table| {
        let is_of_any_schema = !pattern.glob().glob().contains('.');
        pattern.is_match(table.name.to_string()) || is_of_any_schema && pattern.is_match(&table.name.name)
    };
    let place = |table: &Table| included.iter().position(|pattern| fits(pattern, table));
    // One that is named and not there must not go without a word.
    let is_name = |pattern: &&GlobMatcher| !pattern.glob().glob().contains(['*', '?', '[', '{']);
    let mut named = included.iter().filter(is_name);
    if let Some(absent) = named.find(|pattern| !tables.iter().any(|table| fits(pattern, table))) {
        return Err(none(absent.glob().glob()));
    }
    let unused = |of: &str, patterns: &[GlobMatcher]| -> Vec<String> {
        let is_unused = |pattern: &&GlobMatcher| !tables.iter().any(|table| fits(pattern, table));
        let told = |pattern: &GlobMatcher| format!("{of}: `{}`", pattern.glob().glob());
        patterns.iter().filter(is_unused).map(told).collect()
    };
    let unused = [unused("include", &included), unused("exclude", &excluded)].concat();
    tables.retain(|table| {
        (included.is_empty() || place(table).is_some()) && !excluded.iter().any(|pattern| fits(pattern, table))
    });
    if is_by_pattern {
        tables.sort_by_key(place);
    }
    if tables.is_empty() {
        let patterns = if include.is_empty() {
            "*".to_owned()
        } else {
            include.join("`, `")
        };
        return Err(none(&patterns));
    }
    Ok(Selected { tables, unused })
}

fn none(patterns: &str) -> Failure {
    let message =
        format!("no table of the source fits `{patterns}`; names are `schema.table`, or `table` in any schema");
    Failure::new(FailureClass::NotFound, "tables.none", message)
}

fn matchers(patterns: &[String]) -> Result<Vec<GlobMatcher>, Failure> {
    let compiled = patterns
        .iter()
        .map(|pattern| Glob::new(pattern).map(|glob| glob.compile_matcher()));
    compiled
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::data("tables.pattern", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TableName;

    fn named(names: &[&str]) -> Vec<Table> {
        let table = |name: &&str| Table {
            name: TableName::new("dbo", *name),
            ..Table::default()
        };
        names.iter().map(table).collect()
    }

    fn selected(include: &[&str], exclude: &[&str], is_by_pattern: bool) -> Result<Selected, Failure> {
        let owned = |patterns: &[&str]| -> Vec<String> { patterns.iter().map(|&pattern| pattern.to_owned()).collect() };
        let tables = named(&["Customers", "Orders", "tmp_Orders"]);
        select(tables, &owned(include), &owned(exclude), is_by_pattern)
    }

    fn chosen(include: &[&str], exclude: &[&str], is_by_pattern: bool) -> Vec<String> {
        let selected = selected(include, exclude, is_by_pattern).unwrap();
        selected.tables.into_iter().map(|table| table.name.name).collect()
    }

    #[test]
    fn patterns_choose_tables_and_may_give_their_order() {
        assert_eq!(chosen(&[], &[], false), ["Customers", "Orders", "tmp_Orders"]);
        assert_eq!(chosen(&["dbo.*"], &["dbo.tmp_*"], false), ["Customers", "Orders"]);
        assert_eq!(chosen(&["dbo.Ord*", "dbo.Cust*"], &[], true), ["Orders", "Customers"]);
        let none = selected(&["sales.*"], &[], false).unwrap_err();
        assert_eq!(none.code, "tables.none");
    }

    #[test]
    fn patterns_that_fit_nothing_are_told() {
        let unused = |include, exclude| selected(include, exclude, false).unwrap().unused;
        assert_eq!(
            unused(&["dbo.*", "sales.*"], &["*.tpm_*"]),
            ["include: `sales.*`", "exclude: `*.tpm_*`"]
        );
        assert!(unused(&["Orders", "dbo.Ord*"], &["tmp_*"]).is_empty());
    }
}
