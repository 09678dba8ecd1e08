use std::collections::BTreeMap;
use std::path::Path;

use sha2::{Digest, Sha256};

/// One file: its length and its content's hash, so that two trees compare by bytes and print short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub size: u64,
    pub sha256: String,
}

impl Object {
    pub fn of(bytes: &[u8]) -> Self {
        let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            size: bytes.len() as u64,
            sha256,
        }
    }
}

/// The files below a folder by their path in it, with `/` between its parts.
pub type Tree = BTreeMap<String, Object>;

/// Every file below a folder; none when there is no such folder.
pub fn read(folder: &Path) -> Tree {
    let mut tree = Tree::new();
    collect(folder, folder, &mut tree);
    tree
}

fn collect(root: &Path, folder: &Path, tree: &mut Tree) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("the folder can be listed").path();
        let kind = path.symlink_metadata().expect("the entry can be looked at").file_type();
        if kind.is_dir() {
            collect(root, &path, tree);
        } else if kind.is_file() {
            let name = path.strip_prefix(root).expect("the entry lies in the folder");
            let object = Object::of(&std::fs::read(&path).expect("the file can be read"));
            tree.insert(name.to_string_lossy().into_owned(), object);
        }
    }
}
