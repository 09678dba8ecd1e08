use std::fmt;

/// The most digits that a decimal of a file has: what fits into 128 bits, as every reader of Parquet knows it.
pub const DECIMAL_DIGITS_MAX: u8 = 38;

/// The type of a column of a file. Parquet keeps it in the file; in CSV and JSON lines it says how values are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileType {
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Float32,
    Float64,
    /// Digits in all, of which `scale` stand behind the point.
    Decimal {
        precision: u8,
        scale: u8,
    },
    Text,
    Json,
    Binary,
    Date,
    Time,
    /// Of no zone.
    Timestamp,
    /// A moment in time.
    Timestamptz,
    Uuid,
}

const PLAIN: &[(FileType, &str)] = &[
    (FileType::Boolean, "boolean"),
    (FileType::Int8, "int8"),
    (FileType::Int16, "int16"),
    (FileType::Int32, "int32"),
    (FileType::Int64, "int64"),
    (FileType::Uint8, "uint8"),
    (FileType::Uint16, "uint16"),
    (FileType::Uint32, "uint32"),
    (FileType::Uint64, "uint64"),
    (FileType::Float32, "float32"),
    (FileType::Float64, "float64"),
    (FileType::Text, "text"),
    (FileType::Json, "json"),
    (FileType::Binary, "binary"),
    (FileType::Date, "date"),
    (FileType::Time, "time"),
    (FileType::Timestamp, "timestamp"),
    (FileType::Timestamptz, "timestamptz"),
    (FileType::Uuid, "uuid"),
];

impl FileType {
    /// What a message offers in place of a type that there is not.
    pub const NAMES: &str = "`boolean`, `int8` to `int64`, `uint8` to `uint64`, `float32`, `float64`, `decimal(p,s)` with at most 38 digits, \
         `text`, `json`, `binary`, `date`, `time`, `timestamp`, `timestamptz` and `uuid`";

    /// The type that a spec or type table names; `None` where there is no such type.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some((found, _)) = PLAIN.iter().find(|(_, name)| *name == text) {
            return Some(*found);
        }
        let (precision, scale) = text.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
        let (precision, scale) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
        let fits = (1..=DECIMAL_DIGITS_MAX).contains(&precision) && scale <= precision;
        fits.then_some(Self::Decimal { precision, scale })
    }
}

impl fmt::Display for FileType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Decimal { precision, scale } = self {
            return write!(formatter, "decimal({precision},{scale})");
        }
        let name = PLAIN.iter().find(|(found, _)| found == self).map(|(_, name)| *name);
        formatter.write_str(name.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_comes_back_from_its_name() {
        let decimal = FileType::Decimal {
            precision: 38,
            scale: 38,
        };
        for kind in PLAIN.iter().map(|(kind, _)| *kind).chain([decimal]) {
            assert_eq!(FileType::parse(&kind.to_string()), Some(kind));
        }
        for wrong in [
            "",
            "string",
            "decimal",
            "decimal(39,0)",
            "decimal(0,0)",
            "decimal(2,3)",
            "decimal(2,-3)",
            "decimal(2)",
            "decimal(2,1",
            "INT8",
        ] {
            assert_eq!(FileType::parse(wrong), None, "{wrong}");
        }
    }
}
