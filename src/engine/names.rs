use std::collections::HashSet;
use std::sync::Mutex;

use sha2::{Digest, Sha256};

use crate::plan::collision_form;
use crate::resolve::FileJob;

use super::item_list::ItemEntry;
use super::mark_set::MarkSet;

/// A target name, shortened: two different names share one with a chance of about n² / 2⁶⁵.
pub type NameMark = u64;

pub fn mark(name: &str) -> NameMark {
    let digest = Sha256::digest(name.as_bytes());
    let mut mark = [0; 8];
    mark.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(mark)
}

/// A row of a list, by the names that it renders to. A record that was imported knows no source: it stands for every row with its target.
pub fn mark_row(source: &str, target: &str) -> NameMark {
    mark(&format!("{source}\0{target}"))
}

/// Target names that items have claimed, across items; asked only where the template does not prove that no two items can
/// meet ([`items_cannot_meet`]).
#[derive(Debug, Default)]
pub struct ClaimedNames {
    marks: Mutex<MarkSet>,
}

impl ClaimedNames {
    /// Claims names for one item. Tells for each whether it was free.
    pub fn claim(&self, names: impl Iterator<Item = NameMark>) -> Vec<bool> {
        // A panic while the lock was held leaves a set that is still a set.
        let mut marks = self.marks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        names.map(|mark| marks.insert(mark)).collect()
    }
}

/// Whether no two items of a job can give the same name.
pub fn items_cannot_meet(job: &FileJob, entries: &[ItemEntry]) -> bool {
    let Some(items) = &job.work.source.items else {
        return true;
    };
    is_told_apart(
        job.work.naming.object.text(),
        items.key.text(),
        entries.iter().map(|entry| entry.key.as_str()),
    )
}

/// Whether no two items of a job can give names that are the same in any sense: byte for byte, normalised, or but for case. Then a plan has
/// to keep the names of one item at a time only.
pub fn forms_cannot_meet(job: &FileJob, entries: &[ItemEntry]) -> bool {
    let Some(items) = &job.work.source.items else {
        return false;
    };
    are_forms_told_apart(
        job.work.naming.object.text(),
        items.key.text(),
        entries.iter().map(|entry| entry.key.as_str()),
    )
}

/// As [`is_told_apart`], over the forms of the keys. The separator has to be a sign that has no case and joins no mark to itself.
fn are_forms_told_apart<'a>(object_template: &str, key_template: &str, keys: impl Iterator<Item = &'a str>) -> bool {
    let behind = object_template.strip_prefix(key_template);
    let Some(separator) = behind
        .and_then(|behind| behind.chars().next())
        .filter(|sign| "-_/.:,;+@#".contains(*sign))
    else {
        return false;
    };
    let mut forms = HashSet::new();
    for key in keys {
        let form = collision_form(key);
        if form.contains(separator) || !forms.insert(mark(&form)) {
            return false;
        }
    }
    true
}

/// Whether the naming template alone proves that no two items can give the same name: it begins with the item's key, and behind
/// the key stands a character that no key holds, or all keys are of one length.
fn is_told_apart<'a>(object_template: &str, key_template: &str, keys: impl Iterator<Item = &'a str> + Clone) -> bool {
    let Some(behind) = object_template.strip_prefix(key_template) else {
        return false;
    };
    let mut lengths = keys.clone().map(str::len);
    let first = lengths.next();
    if lengths.all(|length| Some(length) == first) {
        return true;
    }
    match behind.chars().next() {
        Some(separator) if separator != '{' => !keys.clone().any(|key| key.contains(separator)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_front_proves_it_when_its_end_can_be_told() {
        let proves = |object: &str, keys: &[&str]| is_told_apart(object, "{{item.Id}}", keys.iter().copied());
        assert!(proves("{{item.Id}}-{{file.Name}}", &["1", "22", "333"]));
        assert!(!proves("{{item.Id}}-{{file.Name}}", &["1", "1-2"]));
        assert!(proves("{{item.Id}}{{file.Name}}", &["10", "11"]));
        assert!(!proves("{{item.Id}}{{file.Name}}", &["1", "11"]));
        assert!(!proves("{{file.Name}}", &["1"]));
    }

    #[test]
    fn forms_are_told_apart_by_keys_that_differ_in_more_than_case() {
        let proves = |object: &str, keys: &[&str]| are_forms_told_apart(object, "{{item.Id}}", keys.iter().copied());
        assert!(proves("{{item.Id}}-{{file.Name}}", &["1", "22", "a"]));
        assert!(!proves("{{item.Id}}-{{file.Name}}", &["a", "A"]));
        assert!(!proves("{{item.Id}}-{{file.Name}}", &["1", "1-2"]));
        assert!(!proves("{{item.Id}}{{file.Name}}", &["10", "11"]));
        assert!(!proves("{{item.Id}}={{file.Name}}", &["10", "11"]));
        assert!(!proves("{{file.Name}}", &["1"]));
    }

    #[test]
    fn a_name_is_free_once() {
        let names = ClaimedNames::default();
        assert_eq!(names.claim([mark("a"), mark("b")].into_iter()), [true, true]);
        assert_eq!(names.claim([mark("b"), mark("c")].into_iter()), [false, true]);
    }
}
