use crate::model::{Engine, Failure, Value};

/// Turns the `:name` parameters of a query into the engine's own, numbered from 1 in the order in which they are first met. Gives the text
/// and the names in that order.
///
/// Texts, quoted identifiers (SQL Server has them in brackets too) and comments are left alone, and so is `::`, PostgreSQL's cast.
///
/// # Errors
/// `query.invalid`: a text, identifier or comment that does not end.
pub fn translate(
    engine: Engine,
    text: &str,
    place: impl Fn(usize) -> String,
) -> Result<(String, Vec<String>), Failure> {
    let mut out = String::with_capacity(text.len());
    let mut names: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        // Elsewhere brackets hold the place in an array, which may be a parameter.
        let aside = aside(rest, engine == Engine::SqlServer)?;
        let length = match next {
            _ if aside > 0 => aside,
            ':' if rest.starts_with("::") => 2,
            ':' => {
                let name: String = rest[1..]
                    .chars()
                    .take_while(|sign| sign.is_alphanumeric() || *sign == '_')
                    .collect();
                if name.is_empty() || name.starts_with(|sign: char| sign.is_ascii_digit()) {
                    1
                } else {
                    let number = names.iter().position(|known| *known == name).unwrap_or_else(|| {
                        names.push(name.clone());
                        names.len() - 1
                    });
                    out.push_str(&place(number + 1));
                    rest = &rest[1 + name.len()..];
                    continue;
                }
            }
            other => other.len_utf8(),
        };
        let (taken, behind) = rest.split_at(length);
        out.push_str(taken);
        rest = behind;
    }
    Ok((out, names))
}

/// The length of the text, quoted identifier or comment that `text` begins with; 0 where it begins with none. Brackets quote identifiers in SQL
/// Server, and in definitions of SQLite.
///
/// # Errors
/// `query.invalid`: it does not end.
pub fn aside(text: &str, is_quoted_by_brackets: bool) -> Result<usize, Failure> {
    Ok(match text.chars().next() {
        Some(quote @ ('\'' | '"' | '`')) => quoted(text, quote)?,
        Some('[') if is_quoted_by_brackets => quoted(text, ']')?,
        Some('-') if text.starts_with("--") => text.find('\n').unwrap_or(text.len()),
        Some('/') if text.starts_with("/*") => text.find("*/").map(|end| end + 2).ok_or_else(|| unclosed("comment"))?,
        _ => 0,
    })
}

/// The length of a quoted text with its quotes; a doubled quote does not end it.
fn quoted(text: &str, quote: char) -> Result<usize, Failure> {
    let mut signs = text.char_indices().skip(1).peekable();
    while let Some((at, sign)) = signs.next() {
        if sign == quote {
            match signs.peek() {
                Some((_, next)) if *next == quote => {
                    signs.next();
                }
                _ => return Ok(at + sign.len_utf8()),
            }
        }
    }
    Err(unclosed("quoted text"))
}

fn unclosed(what: &str) -> Failure {
    Failure::permanent("query.invalid", format!("the query holds a {what} that does not end"))
}

/// The given values in the order of `names`.
///
/// # Errors
/// `query.parameter_missing`, `query.parameter_unused`.
pub fn values(names: &[String], given: &[(String, Value)]) -> Result<Vec<Value>, Failure> {
    if let Some((unused, _)) = given.iter().find(|(name, _)| !names.contains(name)) {
        return Err(Failure::data(
            "query.parameter_unused",
            format!("`params` gives `{unused}`, which the query does not use; write `:{unused}` in it or remove it"),
        ));
    }
    names
        .iter()
        .map(|name| {
            let found = given.iter().find(|(given, _)| given == name);
            found.map(|(_, value)| value.clone()).ok_or_else(|| {
                Failure::data(
                    "query.parameter_missing",
                    format!("the query uses `:{name}`, which `params` does not give"),
                )
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(text: &str) -> (String, Vec<String>) {
        translate(Engine::Postgres, text, |number| format!("${number}")).unwrap()
    }

    #[test]
    fn names_become_numbers_wherever_they_are_parameters() {
        let (text, names) =
            numbered("select a::text, ':x', \":y\" from t where b = :id and c > :from_day or b = :id -- :z");
        assert_eq!(
            text,
            "select a::text, ':x', \":y\" from t where b = $1 and c > $2 or b = $1 -- :z"
        );
        assert_eq!(names, ["id", "from_day"]);
        assert_eq!(numbered("select 'it''s :no' /* :no */, 1:2").1, Vec::<String>::new());
        assert!(translate(Engine::Postgres, "select 'open", |_| String::new()).is_err());
        assert!(translate(Engine::Postgres, "select /* open", |_| String::new()).is_err());
    }

    #[test]
    fn brackets_quote_names_in_sql_server_and_index_arrays_elsewhere() {
        let text = "select [at :noon]]:x], :a from t";
        let (translated, names) = translate(Engine::SqlServer, text, |number| format!("@p{number}")).unwrap();
        assert_eq!(translated, "select [at :noon]]:x], @p1 from t");
        assert_eq!(names, ["a"]);
        assert!(translate(Engine::SqlServer, "select [open", |_| String::new()).is_err());
        assert_eq!(numbered("select tags[:place]").0, "select tags[$1]");
    }

    #[test]
    fn both_sides_name_the_same_parameters() {
        let names = ["a".to_owned(), "b".to_owned()];
        let given = [("b".to_owned(), Value::Integer(2)), ("a".to_owned(), Value::Integer(1))];
        assert_eq!(values(&names, &given).unwrap(), [Value::Integer(1), Value::Integer(2)]);
        assert_eq!(values(&names[..1], &given).unwrap_err().code, "query.parameter_unused");
        assert_eq!(values(&names, &given[..1]).unwrap_err().code, "query.parameter_missing");
    }
}
