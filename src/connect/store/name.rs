use crate::model::Failure;

/// What a kind of store can carry in an object's name, beyond the rules that hold everywhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct NameRules {
    /// Bytes of a whole name, the connection's root included.
    pub name_bytes_max: usize,
    /// Bytes of the text between two slashes.
    pub segment_bytes_max: usize,
    /// Bytes that the connection's root already takes.
    pub root_bytes: usize,
    /// White space at either end survives.
    pub outer_space: bool,
    /// A segment may end in a dot.
    pub trailing_dot: bool,
    /// A backslash is a character like any other.
    pub backslash: bool,
    /// A first segment that belongs to the store itself.
    pub reserved: Option<&'static str>,
}

impl NameRules {
    pub const MEMORY: Self = Self {
        name_bytes_max: 1024,
        segment_bytes_max: 1024,
        root_bytes: 0,
        outer_space: false,
        trailing_dot: true,
        backslash: true,
        reserved: None,
    };

    /// Amazon S3: 1,024 bytes of UTF-8.
    pub const S3: Self = Self::MEMORY;

    /// Azure Blob Storage: 1,024 characters (bytes here, to be on the safe side), segments of at most 254; the service drops a dot at the end of
    /// a segment and takes a backslash for a slash.
    pub const AZBLOB: Self = Self {
        segment_bytes_max: 254,
        trailing_dot: false,
        backslash: false,
        ..Self::MEMORY
    };

    /// File systems: 255 bytes a segment, 4,096 a path. Windows also drops dots and spaces at the end and has slashes of both kinds.
    pub const FS: Self = Self {
        name_bytes_max: 4_000,
        segment_bytes_max: 255,
        root_bytes: 0,
        outer_space: !cfg!(windows),
        trailing_dot: !cfg!(windows),
        backslash: !cfg!(windows),
        reserved: Some(super::WORKSPACE),
    };

    /// What a web server takes: names travel percent-encoded, so every character does. 1,024 bytes stay below what servers allow of a path.
    pub const HTTP: Self = Self {
        segment_bytes_max: 255,
        outer_space: true,
        ..Self::MEMORY
    };

    /// WebDAV servers keep files in file systems.
    pub const WEBDAV: Self = Self {
        reserved: Some(super::WORKSPACE),
        ..Self::HTTP
    };

    /// SFTP servers are file systems, of which kind is not told: the common one is meant.
    pub const SFTP: Self = Self {
        name_bytes_max: 4_000,
        ..Self::WEBDAV
    };

    pub fn with_root(mut self, root: &str) -> Self {
        self.root_bytes = root.len();
        self
    }

    /// Refuses a name that would not come back from the store exactly as it went in.
    ///
    /// | name | code |
    /// |---|---|
    /// | empty | `name.empty` |
    /// | starts with `/` | `name.absolute` |
    /// | ends with `/` | `name.trailing_slash` |
    /// | holds a control character, NUL or a character that XML cannot carry | `name.control_character` |
    /// | `a//b` | `name.double_slash` |
    /// | a segment `..` | `name.parent_folder` |
    /// | a segment `.` | `name.current_folder` |
    /// | too many bytes, in all or in one segment | `name.too_long` |
    /// | white space at an end, where it would be trimmed | `name.leading_space`, `name.trailing_space` |
    /// | a segment that ends in a dot, where it would be dropped | `name.trailing_dot` |
    /// | a backslash, where it would become a slash | `name.backslash` |
    /// | lies in the store's own folder | `name.reserved` |
    pub fn check(&self, name: &str) -> Result<(), Failure> {
        let Some((code, reason)) = self.find_fault(name) else {
            return Ok(());
        };
        Err(Failure::data(code, format!("the name {} {reason}", shown(name))))
    }

    fn find_fault(&self, name: &str) -> Option<(&'static str, &'static str)> {
        if name.is_empty() {
            return Some(("name.empty", "is empty"));
        }
        if name.len() + self.root_bytes > self.name_bytes_max {
            return Some(("name.too_long", "is longer than the store allows"));
        }
        if name.chars().any(is_unprintable) {
            return Some(("name.control_character", "holds a control character"));
        }
        if name.starts_with('/') {
            return Some((
                "name.absolute",
                "starts with `/`; names are relative to the connection's root",
            ));
        }
        if name.ends_with('/') {
            return Some(("name.trailing_slash", "ends with `/`, as only folders do"));
        }
        if !self.backslash && name.contains('\\') {
            return Some((
                "name.backslash",
                "holds a backslash, which this store takes for a slash",
            ));
        }
        if !self.outer_space && name.starts_with(char::is_whitespace) {
            return Some(("name.leading_space", "starts with white space, which would be lost"));
        }
        if !self.outer_space && name.ends_with(char::is_whitespace) {
            return Some(("name.trailing_space", "ends with white space, which would be lost"));
        }
        if self.reserved.is_some() && name.split('/').next() == self.reserved {
            return Some((
                "name.reserved",
                "lies in the folder that this program keeps unfinished files in",
            ));
        }
        name.split('/').find_map(|segment| self.find_segment_fault(segment))
    }

    fn find_segment_fault(&self, segment: &str) -> Option<(&'static str, &'static str)> {
        match segment {
            "" => Some((
                "name.double_slash",
                "holds `//`, which this store cannot keep apart from `/`",
            )),
            "." => Some(("name.current_folder", "holds the segment `.`")),
            ".." => Some(("name.parent_folder", "holds `..`, which would lead out of its folder")),
            _ if segment.len() > self.segment_bytes_max => Some((
                "name.too_long",
                "has a part between slashes that is longer than the store allows",
            )),
            _ if !self.trailing_dot && segment.ends_with('.') => Some((
                "name.trailing_dot",
                "has a part that ends in a dot, which this store drops",
            )),
            _ => None,
        }
    }
}

/// Control characters of all kinds, and the two that no XML listing can name.
fn is_unprintable(character: char) -> bool {
    character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}')
}

/// A name for a message: escaped, and cut where it would fill the screen.
fn shown(name: &str) -> String {
    const SHOWN_CHARACTERS_MAX: usize = 80;
    let mut characters = name.chars();
    let start: String = characters.by_ref().take(SHOWN_CHARACTERS_MAX).collect();
    let start = start.escape_debug();
    match characters.count() {
        0 => format!("`{start}`"),
        more => format!("`{start}…` ({more} more characters)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FailureClass;

    fn code(rules: NameRules, name: &str) -> Option<String> {
        rules.check(name).err().map(|failure| {
            assert_eq!(failure.class, FailureClass::Data);
            failure.code.into_owned()
        })
    }

    #[test]
    fn each_fault_has_its_code() {
        let faults = [
            ("", "name.empty"),
            ("/abs", "name.absolute"),
            ("a/", "name.trailing_slash"),
            ("a\0b", "name.control_character"),
            ("a\nb", "name.control_character"),
            ("a\u{ffff}b", "name.control_character"),
            ("a//b", "name.double_slash"),
            ("../x", "name.parent_folder"),
            ("a/../b", "name.parent_folder"),
            ("a/./b", "name.current_folder"),
            ("trail ", "name.trailing_space"),
            ("\u{a0}lead", "name.leading_space"),
        ];
        for (name, expected) in faults {
            for rules in [NameRules::MEMORY, NameRules::S3, NameRules::AZBLOB] {
                assert_eq!(code(rules, name).as_deref(), Some(expected), "{name:?}");
            }
        }
        let long = "x".repeat(2_000);
        assert_eq!(code(NameRules::S3, &long).as_deref(), Some("name.too_long"));
        assert_eq!(code(NameRules::FS, &"x".repeat(256)).as_deref(), Some("name.too_long"));
        assert_eq!(code(NameRules::AZBLOB, "a./b").as_deref(), Some("name.trailing_dot"));
        assert_eq!(code(NameRules::AZBLOB, r"a\b").as_deref(), Some("name.backslash"));
        assert_eq!(
            code(NameRules::FS, ".pipeline-partial/x").as_deref(),
            Some("name.reserved")
        );
        let rooted = NameRules::S3.with_root("deep/");
        assert_eq!(code(rooted, &"x".repeat(1_020)).as_deref(), Some("name.too_long"));
    }

    #[test]
    fn unusual_names_that_survive_are_allowed() {
        for name in [
            "a b",
            "100%.txt",
            "ü/🦀.bin",
            "a?b#c",
            "...",
            "..a",
            "a..b",
            "%2e%2e/x",
            "e\u{301}",
            "é",
        ] {
            for rules in [NameRules::MEMORY, NameRules::S3, NameRules::FS] {
                assert_eq!(code(rules, name), None, "{name:?}");
            }
        }
    }

    #[test]
    fn a_message_shows_a_long_or_odd_name_short_and_escaped() {
        let failure = NameRules::S3.check(&format!("a\0{}", "x".repeat(900))).unwrap_err();
        assert!(failure.message.len() < 250, "{failure}");
        assert!(failure.message.contains(r"a\0xxx"), "{failure}");
    }
}
