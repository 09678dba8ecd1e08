use serde::Serialize;
use serde::de::DeserializeOwned;

use super::files::read_if_there;
use super::{StateError, StateFolder};

/// `status.json`: where the run stands, for other processes. Derived and replaced as a whole, so that a reader always finds a
/// complete one; it need not survive a power cut, so it is not synced.
#[derive(Clone, Debug)]
pub struct StatusFile {
    path: std::path::PathBuf,
}

impl StatusFile {
    pub fn of(folder: &StateFolder) -> Self {
        Self { path: folder.status() }
    }

    pub fn replace(&self, status: &impl Serialize) -> Result<(), StateError> {
        let text = serde_json::to_vec(status).map_err(|_| StateError::Unencodable)?;
        let temporary = self.path.with_extension("json.tmp");
        std::fs::write(&temporary, text).map_err(StateError::io("write", &temporary))?;
        std::fs::rename(&temporary, &self.path).map_err(StateError::io("replace", &self.path))
    }

    /// The latest status; `None` when there is none, or one of another version that does not fit.
    pub fn read<T: DeserializeOwned>(&self) -> Result<Option<T>, StateError> {
        let text = read_if_there(&self.path)?;
        Ok(text.and_then(|text| serde_json::from_slice(&text).ok()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_status_is_read_and_a_foreign_one_is_none() {
        let place = tempfile::TempDir::new().unwrap();
        let status = StatusFile::of(&StateFolder::new(place.path()));
        assert_eq!(status.read::<Vec<u32>>().unwrap(), None);
        status.replace(&vec![1]).unwrap();
        status.replace(&vec![1, 2]).unwrap();
        assert_eq!(status.read::<Vec<u32>>().unwrap(), Some(vec![1, 2]));
        assert_eq!(status.read::<String>().unwrap(), None);
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
    }
}
