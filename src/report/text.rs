use std::borrow::Cow;
use std::fmt::Write;

use crate::model::redact;

/// Characters of a name that a line shows before it is cut.
const NAME_SHOWN: usize = 120;

/// A text of foreign origin (a name, a key, an error's message) as a terminal may show it: credentials taken out, and every
/// character that could move the cursor, colour the screen or reorder the line written as `\n`, `\t` or `\u{1b}`.
///
/// Two names can look alike after this; JSON and CSV carry the exact ones.
pub fn shown(text: &str) -> Cow<'_, str> {
    let redacted = redact(text);
    if !redacted.contains(is_deceptive) {
        return redacted;
    }
    let mut out = String::with_capacity(redacted.len() + 16);
    for character in redacted.chars() {
        if is_deceptive(character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

/// [`shown`], cut in its middle where it is longer than a line can bear.
pub fn shown_short(text: &str) -> Cow<'_, str> {
    match shown(text) {
        Cow::Borrowed(text) => shorten(text, NAME_SHOWN),
        Cow::Owned(text) => Cow::Owned(shorten(&text, NAME_SHOWN).into_owned()),
    }
}

/// A text of at most `characters_max` characters: its beginning and its end, with `…` for what lies between.
pub fn shorten(text: &str, characters_max: usize) -> Cow<'_, str> {
    if text.len() <= characters_max || text.chars().count() <= characters_max {
        return Cow::Borrowed(text);
    }
    let kept = characters_max.saturating_sub(1);
    let head = kept - kept / 3;
    let tail_start = text.chars().count() - kept / 3;
    let mut out: String = text.chars().take(head).collect();
    out.push('…');
    out.extend(text.chars().skip(tail_start));
    Cow::Owned(out)
}

/// Whether a character acts on a terminal instead of being shown: controls (C0, DEL, C1), line separators, and the marks that
/// reverse the direction of writing or hide a text.
pub(super) fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// `1 file`, `2 files`.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    let noun = if count == 1 { one } else { many };
    format!("{} {noun}", crate::model::format_count(count))
}

/// Adds a line to a text under construction.
pub(super) fn line(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    let _ = out.write_fmt(arguments);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_is_shown_as_it_is() {
        for name in ["a b/ü.txt", "100%.bin", "👩‍👧.jpg", "C:\\x", "日本"] {
            assert_eq!(shown(name), name);
        }
    }

    #[test]
    fn a_hostile_name_cannot_act_on_the_terminal() {
        assert_eq!(
            shown("ok\u{1b}[2K\rdone\n\u{9b}31m\u{7f}"),
            "ok\\u{1b}[2K\\rdone\\n\\u{9b}31m\\u{7f}"
        );
        assert_eq!(shown("a\u{202e}gpj.exe"), "a\\u{202e}gpj.exe");
        assert_eq!(shown("nul\0"), "nul\\u{0}");
    }

    #[test]
    fn credentials_of_a_name_are_not_shown() {
        assert_eq!(shown("https://a.example/c/x?sig=abc"), "https://a.example/c/x?[hidden]");
    }

    #[test]
    fn a_long_name_keeps_its_beginning_and_its_end() {
        let name = format!("start-{}-end.bin", "ü".repeat(2_000));
        let short = shown_short(&name);
        assert_eq!(short.chars().count(), NAME_SHOWN);
        assert!(short.starts_with("start-ü") && short.ends_with("-end.bin"), "{short}");
        assert_eq!(shorten("abc", 0), "…");
    }
}
