use rusqlite::Row;

use super::error::SqlError;
use super::tokens::short_text;
use super::types::SqlType;
use super::value;

/// A column of an answer.
#[derive(Clone, Debug)]
pub struct OutColumn {
    pub name: String,
    pub sql_type: SqlType,
    pub is_nullable: bool,
    pub is_identity: bool,
    pub is_computed: bool,
}

impl OutColumn {
    pub fn plain(name: &str, sql_type: SqlType) -> Self {
        Self {
            name: name.to_owned(),
            sql_type,
            is_nullable: true,
            is_identity: false,
            is_computed: false,
        }
    }
}

/// COLMETADATA.
pub fn metadata(columns: &[OutColumn]) -> Vec<u8> {
    let mut bytes = vec![0x81];
    bytes.extend(u16::try_from(columns.len()).unwrap_or(u16::MAX).to_le_bytes());
    for column in columns {
        // A `rowversion` is told from other bytes by its number alone.
        let user_type: u32 = if column.sql_type == SqlType::RowVersion { 80 } else { 0 };
        bytes.extend(user_type.to_le_bytes());
        let mut flags: u16 = 0x08;
        for (is_set, flag) in [
            (column.is_nullable, 0x01),
            (column.is_identity, 0x10),
            (column.is_computed, 0x20),
        ] {
            if is_set {
                flags |= flag;
            }
        }
        bytes.extend(flags.to_le_bytes());
        bytes.extend(column.sql_type.info(column.is_nullable));
        bytes.extend(short_text(&column.name));
    }
    bytes
}

/// ROW, or NBCROW where a value is NULL.
pub fn row(columns: &[OutColumn], row: &Row<'_>) -> Result<Vec<u8>, SqlError> {
    let mut nulls = vec![0_u8; columns.len().div_ceil(8)];
    let (mut whole, mut compressed) = (Vec::new(), Vec::new());
    let mut has_null = false;
    for (place, column) in columns.iter().enumerate() {
        let value = row.get_ref(place)?;
        let bytes = value::encode(&column.sql_type, value).ok_or_else(|| {
            SqlError::new(
                8_114,
                16,
                format!("Error converting to data type {}.", column.sql_type.definition()),
            )
        })?;
        whole.extend(&bytes);
        if value == rusqlite::types::ValueRef::Null {
            has_null = true;
            nulls[place / 8] |= 1 << (place % 8);
        } else {
            compressed.extend(&bytes);
        }
    }
    Ok(if has_null {
        [&[0xD2][..], &nulls, &compressed].concat()
    } else {
        [&[0xD1][..], &whole].concat()
    })
}
