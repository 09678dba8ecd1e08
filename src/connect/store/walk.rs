use std::sync::Arc;

use futures::StreamExt;
use futures::future::BoxFuture;

use super::{ObjectInfo, ObjectStream};
use crate::model::{Failure, FailureClass};

/// What stands in a folder.
pub(super) enum Entry {
    /// The whole name, with a slash at its end.
    Folder(String),
    Object(ObjectInfo),
    /// A name that is not Unicode text, as far as it can be shown.
    Unreadable(String),
}

impl Entry {
    /// Folders carry their slash, so that the order of entries is that of the whole names of what is in them.
    fn name(&self) -> &str {
        match self {
            Self::Folder(name) | Self::Unreadable(name) => name,
            Self::Object(info) => &info.name,
        }
    }
}

/// A store that lists one folder at a time.
pub(super) trait Folders: Send + Sync + 'static {
    /// The entries of a folder in any order; `folder` is its name with a slash at the end (the root's is empty). `None` where there is no
    /// such folder.
    fn entries<'a>(&'a self, folder: &'a str) -> BoxFuture<'a, Result<Option<Vec<Entry>>, Failure>>;

    /// What the root is called in messages.
    fn root(&self) -> String;
}

/// Lists objects whose name starts with `prefix`, in the byte order of their names, behind `after`.
///
/// It begins in the folder that the prefix names; memory is bounded by the entries of the folders on the way down. A root that does not
/// exist is a failure: an empty list would make a mistyped folder look like finished work.
pub(super) fn walk(folders: Arc<dyn Folders>, prefix: String, after: Option<String>) -> ObjectStream {
    let state = Walk {
        first: Some(first_folder(&prefix).to_owned()),
        open: Vec::new(),
        folders,
        prefix,
        after,
    };
    futures::stream::unfold(
        state,
        |mut walk| async move { walk.next().await.map(|entry| (entry, walk)) },
    )
    .boxed()
}

/// The deepest folder that holds all names with this prefix. A prefix that no name has (`a//`, `../`) is looked for from the root, where
/// nothing is found, and never asked for.
fn first_folder(prefix: &str) -> &str {
    let Some(end) = prefix.rfind('/') else { return "" };
    let is_plain = prefix[..end]
        .split('/')
        .all(|segment| !matches!(segment, "" | "." | ".."));
    if is_plain { &prefix[..=end] } else { "" }
}

struct Walk {
    folders: Arc<dyn Folders>,
    prefix: String,
    after: Option<String>,
    /// Where to begin, until that is done.
    first: Option<String>,
    /// What is left of each folder on the way down, the next entry last.
    open: Vec<Vec<Entry>>,
}

impl Walk {
    async fn next(&mut self) -> Option<Result<ObjectInfo, Failure>> {
        if let Some(folder) = self.first.take()
            && let Err(failure) = self.enter(&folder).await
        {
            return Some(Err(failure));
        }
        loop {
            let Some(entry) = self.open.last_mut()?.pop() else {
                self.open.pop();
                continue;
            };
            match entry {
                Entry::Object(info) => return Some(Ok(info)),
                Entry::Unreadable(shown) => {
                    return Some(Err(Failure::data(
                        "name.not_unicode",
                        format!("the file `{shown}` has a name that is not Unicode text; rename it"),
                    )));
                }
                Entry::Folder(name) => {
                    if let Err(failure) = self.enter(&name).await {
                        return Some(Err(failure));
                    }
                }
            }
        }
    }

    async fn enter(&mut self, folder: &str) -> Result<(), Failure> {
        let Some(mut entries) = self.folders.entries(folder).await? else {
            // Any other may be gone since its parent was read.
            return if folder.is_empty() { Err(self.no_root()) } else { Ok(()) };
        };
        entries.retain(|entry| self.wants(entry));
        entries.sort_unstable_by(|one, other| other.name().cmp(one.name()));
        self.open.push(entries);
        Ok(())
    }

    /// Whether an object, or anything in a folder, can belong to the answer.
    fn wants(&self, entry: &Entry) -> bool {
        let (name, is_folder) = (entry.name(), matches!(entry, Entry::Folder(_)));
        let in_prefix = name.starts_with(&self.prefix) || (is_folder && self.prefix.starts_with(name));
        let behind = self
            .after
            .as_deref()
            .is_none_or(|after| name > after || (is_folder && after.starts_with(name)));
        in_prefix && behind
    }

    fn no_root(&self) -> Failure {
        Failure::new(
            FailureClass::NotFound,
            "store.root_missing",
            format!(
                "the folder `{}` does not exist; create it or correct the connection",
                self.folders.root()
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_begins_where_all_names_with_the_prefix_are() {
        for (prefix, folder) in [
            ("", ""),
            ("a", ""),
            ("a/", "a/"),
            ("a/b/c", "a/b/"),
            ("a//b", ""),
            ("../a", ""),
        ] {
            assert_eq!(first_folder(prefix), folder, "{prefix}");
        }
    }
}
