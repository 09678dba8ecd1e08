/// An error as the server tells it.
#[derive(Clone, Debug)]
pub struct SqlError {
    pub number: u32,
    pub severity: u8,
    pub text: String,
}

impl SqlError {
    pub fn new(number: u32, severity: u8, text: impl Into<String>) -> Self {
        Self {
            number,
            severity,
            text: text.into(),
        }
    }

    pub fn syntax(near: &str) -> Self {
        Self::new(102, 15, format!("Incorrect syntax near '{near}'."))
    }
}

/// What SQLite says, as SQL Server says it.
impl From<rusqlite::Error> for SqlError {
    fn from(error: rusqlite::Error) -> Self {
        let text = match &error {
            rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
            rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
            other => other.to_string(),
        };
        let behind = |beginning: &str| text.strip_prefix(beginning).map(str::trim);
        let object = |name: &str| name.replace("main.", "dbo.");
        if let Some(name) = behind("no such table:") {
            return Self::new(208, 16, format!("Invalid object name '{}'.", object(name)));
        }
        if let Some(name) = behind("no such column:") {
            return Self::new(207, 16, format!("Invalid column name '{name}'."));
        }
        if let Some(rest) = behind("near \"") {
            return Self::syntax(rest.split('"').next().unwrap_or_default());
        }
        if let Some(name) = behind("UNIQUE constraint failed:") {
            return Self::new(
                2_627,
                14,
                format!(
                    "Violation of PRIMARY KEY constraint over '{name}'. Cannot insert duplicate key. The duplicate key value is (again)."
                ),
            );
        }
        if let Some(name) = behind("NOT NULL constraint failed:") {
            return Self::new(515, 16, format!("Cannot insert the value NULL into column '{name}'."));
        }
        if text.starts_with("CHECK constraint failed") {
            return Self::new(547, 16, "The INSERT statement conflicted with the CHECK constraint.");
        }
        if text.contains("already exists") {
            return Self::new(2_714, 16, "There is already an object with that name in the database.");
        }
        if text.contains("locked") {
            return Self::new(1_222, 16, "Lock request time out period exceeded.");
        }
        Self::new(50_000, 16, text)
    }
}
