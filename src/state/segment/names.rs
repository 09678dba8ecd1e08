use serde::{Deserialize, Serialize};

/// Names, each as the bytes that it has in common with the one before, and the rest.
#[derive(Default, Serialize, Deserialize)]
pub(in crate::state) struct Names {
    shared_starts: Vec<u32>,
    rest_lengths: Vec<u32>,
    rests: String,
}

impl Names {
    pub(in crate::state) fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut names = Self::default();
        let mut before = "";
        for text in texts {
            let shared = shared_start(before, text);
            names.shared_starts.push(narrow(shared));
            names.rest_lengths.push(narrow(text.len() - shared));
            names.rests.push_str(&text[shared..]);
            before = text;
        }
        names
    }

    pub(in crate::state) fn into_texts(self, count: usize) -> Option<Vec<String>> {
        if self.shared_starts.len() != count || self.rest_lengths.len() != count {
            return None;
        }
        let mut rests = self.rests.as_str();
        let mut texts: Vec<String> = Vec::with_capacity(count);
        for (shared, length) in self.shared_starts.into_iter().zip(self.rest_lengths) {
            let before = texts.last().map_or("", String::as_str);
            let start = before.get(..usize::try_from(shared).ok()?)?;
            let (rest, behind) = rests.split_at_checked(usize::try_from(length).ok()?)?;
            rests = behind;
            texts.push([start, rest].concat());
        }
        Some(texts)
    }

    /// Damages the first text, for tests of what reads it.
    #[cfg(test)]
    pub(super) fn lengthen_first(&mut self) {
        self.rest_lengths[0] = 99;
    }
}

/// The length of the common beginning, in bytes, whole characters only.
fn shared_start(one: &str, other: &str) -> usize {
    let pairs = one.chars().zip(other.chars());
    pairs.take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
}

/// The length of the common end, in bytes, whole characters only.
pub(in crate::state) fn shared_end(one: &str, other: &str) -> usize {
    let pairs = one.chars().rev().zip(other.chars().rev());
    pairs.take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
}

/// Names are far below 4 GiB: the size of a page is checked before it is stored.
pub(in crate::state) fn narrow(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
