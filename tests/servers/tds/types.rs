use super::reader::Cursor;
use super::tokens::COLLATION;

/// A type of a column, as definitions write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqlType {
    Bit,
    /// Of so many bytes.
    Int(u8),
    Decimal(u8, u8),
    Numeric(u8, u8),
    Money,
    SmallMoney,
    Real,
    Float,
    Date,
    Time(u8),
    DateTime2(u8),
    DateTimeOffset(u8),
    DateTime,
    SmallDateTime,
    /// Characters; `None` is `max`.
    NVarChar(Option<u16>),
    NChar(u16),
    /// Bytes; `None` is `max`.
    VarChar(Option<u16>),
    Char(u16),
    Text,
    NText,
    VarBinary(Option<u16>),
    Binary(u16),
    Image,
    RowVersion,
    Guid,
    Xml,
    /// What is only ever read as the text of it: `sql_variant`, `hierarchyid`.
    Other(String),
}

/// What the catalogue says of a type.
pub struct Described {
    pub name: String,
    pub length: i64,
    pub precision: i64,
    pub scale: i64,
}

impl SqlType {
    /// Of its words in a definition: `decimal`, `(`, `10`, `,`, `2`, `)`.
    pub fn parse(text: &str) -> Self {
        let text = text.to_lowercase();
        let (name, rest) = text.split_once('(').unwrap_or((text.as_str(), ""));
        let mut arguments = rest
            .trim_end_matches(')')
            .split(',')
            .map(|part| part.trim().parse::<u16>().ok());
        let first = arguments.next().flatten();
        let second = arguments.next().flatten();
        let small = |value: Option<u16>, default: u8| value.and_then(|value| value.try_into().ok()).unwrap_or(default);
        let is_max = rest.starts_with("max");
        let length = |default: u16| if is_max { None } else { Some(first.unwrap_or(default)) };
        match name.trim() {
            "bit" => Self::Bit,
            "tinyint" => Self::Int(1),
            "smallint" => Self::Int(2),
            "int" | "integer" => Self::Int(4),
            "bigint" => Self::Int(8),
            "decimal" | "dec" => Self::Decimal(small(first, 18), small(second, 0)),
            "numeric" => Self::Numeric(small(first, 18), small(second, 0)),
            "money" => Self::Money,
            "smallmoney" => Self::SmallMoney,
            "real" => Self::Real,
            "float" | "double precision" => Self::Float,
            "date" => Self::Date,
            "time" => Self::Time(small(first, 7)),
            "datetime2" => Self::DateTime2(small(first, 7)),
            "datetimeoffset" => Self::DateTimeOffset(small(first, 7)),
            "datetime" => Self::DateTime,
            "smalldatetime" => Self::SmallDateTime,
            "nvarchar" => Self::NVarChar(length(1)),
            "nchar" => Self::NChar(first.unwrap_or(1)),
            "varchar" => Self::VarChar(length(1)),
            "char" => Self::Char(first.unwrap_or(1)),
            "text" => Self::Text,
            "ntext" => Self::NText,
            "varbinary" => Self::VarBinary(length(1)),
            "binary" => Self::Binary(first.unwrap_or(1)),
            "image" => Self::Image,
            "timestamp" | "rowversion" => Self::RowVersion,
            "uniqueidentifier" => Self::Guid,
            "xml" => Self::Xml,
            other => Self::Other(other.to_owned()),
        }
    }

    pub fn describe(&self) -> Described {
        let described = |name: &str, length: i64, precision: u8, scale: u8| Described {
            name: name.to_owned(),
            length,
            precision: precision.into(),
            scale: scale.into(),
        };
        let wide = |length: &Option<u16>| length.map_or(-1, |length| 2 * i64::from(length));
        let narrow = |length: &Option<u16>| length.map_or(-1, i64::from);
        match self {
            Self::Bit => described("bit", 1, 1, 0),
            Self::Int(1) => described("tinyint", 1, 3, 0),
            Self::Int(2) => described("smallint", 2, 5, 0),
            Self::Int(4) => described("int", 4, 10, 0),
            Self::Int(_) => described("bigint", 8, 19, 0),
            Self::Decimal(precision, scale) => described("decimal", 17, *precision, *scale),
            Self::Numeric(precision, scale) => described("numeric", 17, *precision, *scale),
            Self::Money => described("money", 8, 19, 4),
            Self::SmallMoney => described("smallmoney", 4, 10, 4),
            Self::Real => described("real", 4, 24, 0),
            Self::Float => described("float", 8, 53, 0),
            Self::Date => described("date", 3, 10, 0),
            Self::Time(scale) => described("time", 5, 16, *scale),
            Self::DateTime2(scale) => described("datetime2", 8, 27, *scale),
            Self::DateTimeOffset(scale) => described("datetimeoffset", 10, 34, *scale),
            Self::DateTime => described("datetime", 8, 23, 3),
            Self::SmallDateTime => described("smalldatetime", 4, 16, 0),
            Self::NVarChar(length) => described("nvarchar", wide(length), 0, 0),
            Self::NChar(length) => described("nchar", 2 * i64::from(*length), 0, 0),
            Self::VarChar(length) => described("varchar", narrow(length), 0, 0),
            Self::Char(length) => described("char", (*length).into(), 0, 0),
            Self::Text => described("text", 16, 0, 0),
            Self::NText => described("ntext", 16, 0, 0),
            Self::VarBinary(length) => described("varbinary", narrow(length), 0, 0),
            Self::Binary(length) => described("binary", (*length).into(), 0, 0),
            Self::Image => described("image", 16, 0, 0),
            Self::RowVersion => described("timestamp", 8, 0, 0),
            Self::Guid => described("uniqueidentifier", 16, 0, 0),
            Self::Xml => described("xml", -1, 0, 0),
            Self::Other(name) => described(name, -1, 0, 0),
        }
    }

    /// As a definition has it.
    pub fn definition(&self) -> String {
        let Described {
            name,
            length,
            precision,
            scale,
        } = self.describe();
        match self {
            Self::Decimal(..) | Self::Numeric(..) => format!("{name}({precision},{scale})"),
            Self::Time(_) | Self::DateTime2(_) | Self::DateTimeOffset(_) => format!("{name}({scale})"),
            Self::NVarChar(None) | Self::VarChar(None) | Self::VarBinary(None) => format!("{name}(max)"),
            Self::NVarChar(_) | Self::NChar(_) => format!("{name}({})", length / 2),
            Self::VarChar(_) | Self::Char(_) | Self::VarBinary(_) | Self::Binary(_) => format!("{name}({length})"),
            _ => name,
        }
    }

    pub fn is_character(&self) -> bool {
        matches!(
            self,
            Self::NVarChar(_) | Self::NChar(_) | Self::VarChar(_) | Self::Char(_) | Self::Text | Self::NText
        )
    }

    /// Whether its values come in chunks.
    pub fn is_chunked(&self) -> bool {
        matches!(
            self,
            Self::NVarChar(None) | Self::VarChar(None) | Self::VarBinary(None) | Self::Xml | Self::Other(_)
        )
    }

    /// TYPE_INFO of a column. A number that cannot be NULL has a type of its own, without a length. Source: MS-TDS 2.2.5.4.
    pub fn info(&self, is_nullable: bool) -> Vec<u8> {
        if !is_nullable && let Some(token) = self.fixed() {
            return vec![token];
        }
        let sized = |token: u8, length: u16| {
            let [low, high] = length.to_le_bytes();
            vec![token, low, high]
        };
        let with_collation = |mut info: Vec<u8>| {
            info.extend(COLLATION);
            info
        };
        match self {
            Self::Bit => vec![0x68, 1],
            Self::Int(bytes) => vec![0x26, *bytes],
            Self::Decimal(precision, scale) => vec![0x6A, 17, *precision, *scale],
            Self::Numeric(precision, scale) => vec![0x6C, 17, *precision, *scale],
            Self::Money => vec![0x6E, 8],
            Self::SmallMoney => vec![0x6E, 4],
            Self::Real => vec![0x6D, 4],
            Self::Float => vec![0x6D, 8],
            Self::Date => vec![0x28],
            Self::Time(scale) => vec![0x29, *scale],
            Self::DateTime2(scale) => vec![0x2A, *scale],
            Self::DateTimeOffset(scale) => vec![0x2B, *scale],
            Self::DateTime => vec![0x6F, 8],
            Self::SmallDateTime => vec![0x6F, 4],
            Self::NVarChar(length) => with_collation(sized(0xE7, length.map_or(0xFFFF, |length| 2 * length))),
            Self::NChar(length) => with_collation(sized(0xEF, 2 * length)),
            Self::VarChar(length) => with_collation(sized(0xA7, length.unwrap_or(0xFFFF))),
            Self::Char(length) => with_collation(sized(0xAF, *length)),
            Self::VarBinary(length) => sized(0xA5, length.unwrap_or(0xFFFF)),
            Self::Binary(length) => sized(0xAD, *length),
            Self::RowVersion => sized(0xAD, 8),
            Self::Guid => vec![0x24, 16],
            Self::Xml => vec![0xF1, 0],
            Self::Other(_) => with_collation(sized(0xE7, 0xFFFF)),
            Self::Text | Self::NText | Self::Image => {
                let token = match self {
                    Self::Text => 0x23,
                    Self::NText => 0x63,
                    _ => 0x22,
                };
                let mut info = vec![token];
                info.extend(0x7FFF_FFFF_u32.to_le_bytes());
                if *self != Self::Image {
                    info.extend(COLLATION);
                }
                // The table that it is a column of, in one part.
                info.extend([1, 1, 0, b't', 0]);
                info
            }
        }
    }

    fn fixed(&self) -> Option<u8> {
        Some(match self {
            Self::Bit => 0x32,
            Self::Int(1) => 0x30,
            Self::Int(2) => 0x34,
            Self::Int(4) => 0x38,
            Self::Int(_) => 0x7F,
            Self::Real => 0x3B,
            Self::Float => 0x3E,
            Self::Money => 0x3C,
            Self::SmallMoney => 0x7A,
            Self::DateTime => 0x3D,
            Self::SmallDateTime => 0x3A,
            _ => return None,
        })
    }

    /// Reads a TYPE_INFO that a client sends: the type, and whether its values come without a length.
    pub fn read(cursor: &mut Cursor<'_>) -> Option<(Self, bool)> {
        let token = cursor.length::<1>()?;
        let fixed = |sql_type| Some((sql_type, true));
        let sql_type = match token {
            0x32 => return fixed(Self::Bit),
            0x30 => return fixed(Self::Int(1)),
            0x34 => return fixed(Self::Int(2)),
            0x38 => return fixed(Self::Int(4)),
            0x7F => return fixed(Self::Int(8)),
            0x3B => return fixed(Self::Real),
            0x3E => return fixed(Self::Float),
            0x3C => return fixed(Self::Money),
            0x7A => return fixed(Self::SmallMoney),
            0x3D => return fixed(Self::DateTime),
            0x3A => return fixed(Self::SmallDateTime),
            0x68 => cursor.take(1).map(|_| Self::Bit)?,
            0x26 => Self::Int(cursor.take(1)?[0]),
            0x6A | 0x6C => {
                let info = cursor.take(3)?;
                Self::Decimal(info[1], info[2])
            }
            0x6E if cursor.take(1)?[0] == 4 => Self::SmallMoney,
            0x6E => Self::Money,
            0x6D if cursor.take(1)?[0] == 4 => Self::Real,
            0x6D => Self::Float,
            0x6F if cursor.take(1)?[0] == 4 => Self::SmallDateTime,
            0x6F => Self::DateTime,
            0x28 => Self::Date,
            0x29 => Self::Time(cursor.take(1)?[0]),
            0x2A => Self::DateTime2(cursor.take(1)?[0]),
            0x2B => Self::DateTimeOffset(cursor.take(1)?[0]),
            0x24 => cursor.take(1).map(|_| Self::Guid)?,
            0xE7 | 0xEF | 0xA7 | 0xAF | 0xA5 | 0xAD => Self::read_sized(token, cursor)?,
            0xF1 => cursor.take(1).map(|_| Self::Xml)?,
            0x23 | 0x63 => {
                cursor.take(9)?;
                read_part_names(cursor)?;
                if token == 0x23 { Self::Text } else { Self::NText }
            }
            0x22 => {
                cursor.take(4)?;
                read_part_names(cursor)?;
                Self::Image
            }
            _ => return None,
        };
        Some((sql_type, false))
    }

    fn read_sized(token: usize, cursor: &mut Cursor<'_>) -> Option<Self> {
        let length = u16::try_from(cursor.number::<2>()?).ok()?;
        let known = (length != 0xFFFF).then_some(length);
        Some(match token {
            0xA5 => Self::VarBinary(known),
            0xAD => Self::Binary(length),
            _ => {
                cursor.take(5)?;
                match token {
                    0xE7 => Self::NVarChar(known.map(|length| length / 2)),
                    0xEF => Self::NChar(length / 2),
                    0xA7 => Self::VarChar(known),
                    _ => Self::Char(length),
                }
            }
        })
    }
}

/// The name of the table that a bulk load sends with the old long types.
fn read_part_names(cursor: &mut Cursor<'_>) -> Option<()> {
    let length = cursor.length::<2>()?;
    cursor.wide(length).map(drop)
}
