use globset::{Glob, GlobMatcher};

use super::item_list::ItemEntry;

/// Which items of the list a run or a plan is about. What is not selected is in no account.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    only: Option<GlobMatcher>,
    start_from: Option<String>,
    limit: Option<usize>,
}

impl Selection {
    /// `only` is a glob over keys, `start_from` a key, `limit` the most items, taken in this order.
    ///
    /// # Errors
    /// When `only` is no glob.
    pub fn new(only: Option<&str>, start_from: Option<String>, limit: Option<usize>) -> Result<Self, String> {
        let only = only
            .map(Glob::new)
            .transpose()
            .map_err(|error| format!("`--only`: {error}"))?;
        Ok(Self {
            only: only.map(|glob| glob.compile_matcher()),
            start_from,
            limit,
        })
    }

    /// The selected items, in the order of the list.
    ///
    /// # Errors
    /// When there is no item to start from: a typing error must not select everything or nothing.
    pub fn apply(&self, mut entries: Vec<ItemEntry>) -> Result<Vec<ItemEntry>, String> {
        if let Some(key) = &self.start_from {
            let Some(start) = entries.iter().position(|entry| entry.key == *key) else {
                return Err(format!("`--start-from`: no item of the list has the key `{key}`"));
            };
            entries.drain(..start);
        }
        if let Some(only) = &self.only {
            entries.retain(|entry| only.is_match(&entry.key));
            if entries.is_empty() {
                return Err(format!("`--only`: no item of the list matches `{}`", only.glob()));
            }
        }
        entries.truncate(self.limit.unwrap_or(usize::MAX));
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(only: Option<&str>, start_from: Option<&str>, limit: Option<usize>) -> Result<Vec<String>, String> {
        let entries = ["a1", "a2", "b1", "b2"].map(|key| ItemEntry {
            key: key.to_owned(),
            ordinal: 0,
            row: None,
        });
        let selection = Selection::new(only, start_from.map(str::to_owned), limit)?;
        Ok(selection
            .apply(entries.to_vec())?
            .into_iter()
            .map(|entry| entry.key)
            .collect())
    }

    #[test]
    fn items_are_selected_by_key_and_by_place() {
        assert_eq!(selected(None, None, None).unwrap().len(), 4);
        assert_eq!(selected(Some("b*"), None, None).unwrap(), ["b1", "b2"]);
        assert_eq!(selected(Some("*1"), Some("a2"), None).unwrap(), ["b1"]);
        assert_eq!(selected(None, Some("a2"), Some(2)).unwrap(), ["a2", "b1"]);
    }

    #[test]
    fn a_selection_that_cannot_be_meant_is_refused() {
        assert!(selected(None, Some("c1"), None).unwrap_err().contains("`c1`"));
        assert!(selected(Some("c*"), None, None).unwrap_err().contains("c*"));
        assert!(selected(Some("[a"), None, None).unwrap_err().contains("--only"));
    }
}
