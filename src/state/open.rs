//! The opening procedure. Nothing here repairs: what is not as it should be is an error that names the command.

use std::fs;
use std::path::Path;

use super::database::{Batch, Database};
use super::files::{remove_folder, sync_parent};
use super::key::{Key, Kind};
use super::lock::Lock;
use super::marker::Marker;
use super::{Holder, Identity, StateError, StateFolder};

/// A state folder that is locked and whose database is open and the right one.
pub(super) struct Opened {
    /// Before the lock: fields are dropped in their order, and the lock must be the last thing to go.
    pub database: Database,
    pub _lock: Lock,
}

/// Lock, then marker, then database, then both compared.
///
/// | marker | database | outcome |
/// |---|---|---|
/// | – | – | a new state, unless there are segments: `Emptied` |
/// | – | sound | its creation was cut off before the marker: the marker is written |
/// | there | missing, empty, or another one | `Emptied` |
/// | there | cannot be opened | `Damaged` |
/// | there | the one it names | opened |
/// | newer format | any | `NewerFormat`, before the database is touched |
pub(super) fn open(folder: &StateFolder, identity: &Identity, holder: &Holder) -> Result<Opened, StateError> {
    let lock = Lock::take(folder, holder)?;
    remove_folder(&folder.new_database())?;
    let database = match Marker::read(folder, identity)? {
        Some(marker) => open_marked(folder, &folder.database(), &marker)?,
        None if folder.database().exists() => open_unmarked(folder, identity)?,
        None if !folder.segments()?.is_empty() => return Err(emptied(folder)),
        None => {
            let marker = Marker::new(identity);
            make_database(folder, &marker, Batch::default())?;
            put_in_place(folder, &marker)?;
            open_marked(folder, &folder.database(), &marker)?
        }
    };
    Ok(Opened { database, _lock: lock })
}

/// Opens the database at `path`, which must be the one that the marker names.
pub(super) fn open_marked(folder: &StateFolder, path: &Path, marker: &Marker) -> Result<Database, StateError> {
    if Database::is_missing(path) {
        return Err(emptied(folder));
    }
    let database = Database::open(folder, path)?;
    match database.get::<Marker>(Key::job(Kind::Format))? {
        Some(record) if record.database == marker.database => Ok(database),
        _ => Err(emptied(folder)),
    }
}

/// A database takes its place only when it is complete, and the marker follows; so a sound one without a marker is whole.
fn open_unmarked(folder: &StateFolder, identity: &Identity) -> Result<Database, StateError> {
    let path = folder.database();
    if Database::is_missing(&path) {
        return Err(emptied(folder));
    }
    let database = Database::open(folder, &path)?;
    let Some(record) = database.get::<Marker>(Key::job(Kind::Format))? else {
        return Err(emptied(folder));
    };
    record.check_identity(folder, identity)?;
    record.write(folder)?;
    Ok(database)
}

/// Makes a database aside, with its format record and the given records, and closes it.
pub(super) fn make_database(folder: &StateFolder, marker: &Marker, records: Batch) -> Result<(), StateError> {
    let path = folder.new_database();
    remove_folder(&path)?;
    let database = Database::open(folder, &path)?;
    let mut batch = records;
    batch.put(Key::job(Kind::Format), marker)?;
    database.apply(batch)?;
    database.flush()
}

/// Moves a database made aside to its place, whose name must be free, and marks the folder with it.
pub(super) fn put_in_place(folder: &StateFolder, marker: &Marker) -> Result<(), StateError> {
    let path = folder.database();
    fs::rename(folder.new_database(), &path).map_err(StateError::io("create", &path))?;
    sync_parent(&path)?;
    marker.write(folder)
}

pub(super) fn emptied(folder: &StateFolder) -> StateError {
    StateError::Emptied {
        folder: folder.path().to_owned(),
    }
}
