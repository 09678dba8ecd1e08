use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;
use tokio::sync::mpsc;

use super::super::{ObjectInfo, ObjectStream};
use super::{WORKSPACE, error, info};
use crate::model::{Failure, FailureClass};

/// Entries walked ahead of the consumer.
const ENTRIES_AHEAD: usize = 1_024;

/// Lists files whose name starts with `prefix`, in the byte order of their names, behind `after`.
///
/// One thread walks folder by folder; memory is bounded by the entries of the folders on the way down. Links to files are
/// listed, links to folders are not followed, since they may lead in circles. A name that is not Unicode is a failure in its place,
/// and so is a root that does not exist: an empty list would make a mistyped folder look like finished work.
pub(super) fn list(root: Arc<Path>, prefix: String, after: Option<String>) -> ObjectStream {
    let (sender, receiver) = mpsc::channel(ENTRIES_AHEAD);
    tokio::task::spawn_blocking(move || {
        let walk = Walk {
            root: &root,
            prefix: &prefix,
            after: after.as_deref(),
            sender: &sender,
        };
        // The only error is that nobody listens any more.
        let _ = walk.folder("");
    });
    futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|entry| (entry, receiver))
    })
    .boxed()
}

struct Walk<'a> {
    root: &'a Path,
    prefix: &'a str,
    after: Option<&'a str>,
    sender: &'a mpsc::Sender<Result<ObjectInfo, Failure>>,
}

/// The consumer is gone.
struct Unheard;

impl Walk<'_> {
    /// Walks a folder, given by its name with a slash at the end (the root by an empty one).
    fn folder(&self, folder: &str) -> Result<(), Unheard> {
        // Folders carry their slash while sorting, so that the order is that of the whole names.
        let mut names = match self.names(folder) {
            Ok(names) => names,
            Err(error) if folder.is_empty() && error::is_absent(&error) => {
                return self.send(Err(Failure::new(
                    FailureClass::NotFound,
                    "store.root_missing",
                    format!(
                        "the folder `{}` does not exist; create it or correct `root`",
                        self.root.display()
                    ),
                )));
            }
            // Gone since its parent was read.
            Err(error) if error::is_absent(&error) => return Ok(()),
            Err(error) => return self.send(Err(error::failure("list", &format!("{folder}."), &error))),
        };
        names.sort_unstable();
        for name in names {
            match name {
                Entry::Named(name) if name.ends_with('/') => self.folder(&name)?,
                Entry::Named(name) => self.file(name)?,
                Entry::NotUnicode(shown) => self.send(Err(Failure::data(
                    "name.not_unicode",
                    format!("the file `{shown}` has a name that is not Unicode text; rename it"),
                )))?,
            }
        }
        Ok(())
    }

    fn names(&self, folder: &str) -> std::io::Result<Vec<Entry>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.root.join(folder))? {
            let entry = entry?;
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                names.push(Entry::NotUnicode(format!(
                    "{folder}{}",
                    entry.file_name().to_string_lossy()
                )));
                continue;
            };
            if folder.is_empty() && name == WORKSPACE {
                continue;
            }
            let is_folder = entry.file_type()?.is_dir();
            let name = format!("{folder}{name}{}", if is_folder { "/" } else { "" });
            if self.wants(&name, is_folder) {
                names.push(Entry::Named(name));
            }
        }
        Ok(names)
    }

    /// Whether a file, or anything in a folder, can belong to the answer.
    fn wants(&self, name: &str, is_folder: bool) -> bool {
        let in_prefix = name.starts_with(self.prefix) || (is_folder && self.prefix.starts_with(name));
        let behind = self
            .after
            .is_none_or(|after| name > after || (is_folder && after.starts_with(name)));
        in_prefix && behind
    }

    fn file(&self, name: String) -> Result<(), Unheard> {
        match std::fs::metadata(self.root.join(&name)) {
            Ok(metadata) if metadata.is_file() => self.send(Ok(info(name, &metadata))),
            // Pipes, devices, links to folders.
            Ok(_) => Ok(()),
            // Gone since the folder was read.
            Err(error) if error::is_absent(&error) => Ok(()),
            Err(error) => self.send(Err(error::failure("look at", &name, &error))),
        }
    }

    fn send(&self, entry: Result<ObjectInfo, Failure>) -> Result<(), Unheard> {
        self.sender.blocking_send(entry).map_err(|_| Unheard)
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Entry {
    Named(String),
    NotUnicode(String),
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    async fn names(root: &Path, prefix: &str, after: Option<&str>) -> Vec<String> {
        list(root.into(), prefix.to_owned(), after.map(str::to_owned))
            .map_ok(|info| info.name)
            .try_collect()
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn names_come_in_the_order_of_whole_names_and_behind_the_one_given() {
        let root = tempfile::tempdir().unwrap();
        for name in ["a/2", "a/1", "a-b", "a.txt", "b", ".pipeline-partial/1-1-0/0"] {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        let all = ["a-b", "a.txt", "a/1", "a/2", "b"];
        assert_eq!(names(root.path(), "", None).await, all);
        for (index, after) in all.iter().enumerate() {
            assert_eq!(names(root.path(), "", Some(after)).await, &all[index + 1..]);
        }
        assert_eq!(names(root.path(), "a/", None).await, ["a/1", "a/2"]);
        assert_eq!(names(root.path(), "a", Some("a/1")).await, ["a/2"]);
        let absent: Arc<Path> = root.path().join("absent").into();
        let listed: Vec<_> = list(absent, String::new(), None).collect().await;
        assert_eq!(listed[0].as_ref().unwrap_err().code, "store.root_missing");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_name_that_is_not_unicode_is_a_failure() {
        use std::os::unix::ffi::OsStrExt;
        let root = tempfile::tempdir().unwrap();
        let odd = std::ffi::OsStr::from_bytes(b"odd\xff");
        std::fs::write(root.path().join(odd), "").unwrap();
        let listed: Vec<_> = list(root.path().into(), String::new(), None).collect().await;
        assert_eq!(listed[0].as_ref().unwrap_err().code, "name.not_unicode");
    }
}
