//! A test server that speaks TDS, the protocol of SQL Server.
//!
//! It is a fake, written from the protocol's public documentation (MS-TDS), because no SQL Server can be had where these tests run: it shows
//! that both ends agree on what that documentation says, not that a real server does. So that it does not merely agree with the client that it is
//! there to test, a test reads from it with two clients of other people (`tsql` of FreeTDS, and python-tds).
//!
//! Statements are executed by SQLite after a small translation: a database is a folder with a file for each schema, and the views of the catalogue
//! that are asked for (`sys.tables`, …) are tables that are filled before each question. Values are kept as texts in the server's own form, so
//! that no digit is lost; a text that is kept as bytes is sent as they are. Answers are cut into packets of 4,096 bytes, long values into chunks
//! that end in the middle of a character, and rows with NULLs come in their compressed form.

mod bulk;
mod catalogue;
mod create;
mod dates;
mod encryption;
mod error;
mod executor;
mod login;
mod reader;
mod row;
mod session;
mod statement;
mod stream;
mod tokens;
mod types;
mod value;
mod words;

use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;

use super::guard::Guard;

/// What befalls an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An error of this number and severity ends it.
    Error(u32, u8),
    /// The connection is cut.
    Cut,
}

/// A fault, and when it happens: once, in the first answer to a statement with `text` in it, after so many rows.
#[derive(Clone, Debug)]
struct Planned {
    text: String,
    rows: u64,
    fault: Fault,
}

/// What the sessions of a server share.
pub struct Shared {
    folder: PathBuf,
    /// Absent: what is asked for is refused.
    encryption: Option<Arc<ServerConfig>>,
    faults: Mutex<Vec<Planned>>,
    open: Mutex<Vec<TcpStream>>,
}

impl Shared {
    /// Takes the fault that a statement is to meet.
    fn fault_of(&self, statement: &str) -> Option<(u64, Fault)> {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let at = faults.iter().position(|planned| statement.contains(&planned.text))?;
        let planned = faults.remove(at);
        Some((planned.rows, planned.fault))
    }

    /// The folder of a database; `None` when there is no such database.
    fn database(&self, name: &str) -> Option<PathBuf> {
        let name = if name.is_empty() { "master" } else { name };
        let folder = self.folder.join(name.to_lowercase());
        folder.is_dir().then_some(folder)
    }
}

/// A server in this process. Dropped, it cuts all connections.
pub struct TdsServer {
    pub port: u16,
    shared: Arc<Shared>,
    listener: TcpListener,
    /// Removes the databases, even when the process is killed.
    _guard: Guard,
}

impl TdsServer {
    pub const USER: &str = "test";
    pub const PASSWORD: &str = "test-password";

    pub fn start() -> Self {
        Self::start_with(false)
    }

    /// One that insists on encryption, with a certificate of its own making for `localhost`.
    pub fn start_encrypted() -> Self {
        Self::start_with(true)
    }

    fn start_with(is_encrypted: bool) -> Self {
        // The guard removes it: a server in a static is never dropped.
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        let mut held = Command::new("tail");
        held.args(["-f", "/dev/null"]).current_dir(&folder);
        let guard = Guard::start(&held);
        let encryption = is_encrypted.then(|| Arc::new(encryption::config(&folder)));
        std::fs::create_dir(folder.join("master")).expect("the folder is writable");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            folder,
            encryption,
            faults: Mutex::default(),
            open: Mutex::default(),
        });
        let (accepting, sessions) = (listener.try_clone().expect("a handle"), Arc::clone(&shared));
        std::thread::spawn(move || {
            for stream in accepting.incoming() {
                let Ok(stream) = stream else { return };
                let shared = Arc::clone(&sessions);
                if let Ok(copy) = stream.try_clone() {
                    shared.open.lock().unwrap_or_else(PoisonError::into_inner).push(copy);
                }
                // A client that leaves in the middle of something is no error of the server.
                std::thread::spawn(move || drop(session::serve(stream, &shared)));
            }
        });
        Self {
            port,
            shared,
            listener,
            _guard: guard,
        }
    }

    /// The file of the certificate of a server that encrypts.
    pub fn certificate(&self) -> PathBuf {
        self.shared.folder.join(encryption::CERTIFICATE)
    }

    /// Makes an empty database.
    pub fn create_database(&self, name: &str) {
        std::fs::create_dir_all(self.shared.folder.join(name.to_lowercase())).expect("the folder is writable");
    }

    /// Runs statements, one to an element, and gives the first value of the last, as text.
    pub fn sql(&self, database: &str, statements: &[&str]) -> String {
        let folder = self.shared.database(database).expect("the database is there");
        let mut executor = executor::Executor::open(&folder).expect("the database opens");
        let mut last = String::new();
        for statement in statements {
            last = executor
                .first_text(statement)
                .unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        }
        last
    }

    /// Lets the first answer to a statement with `text` in it end badly after so many rows.
    pub fn plan_fault(&self, text: &str, rows: u64, fault: Fault) {
        let mut faults = self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.push(Planned {
            text: text.to_owned(),
            rows,
            fault,
        });
    }
}

impl Drop for TdsServer {
    fn drop(&mut self) {
        let _ = self.listener.set_nonblocking(true);
        // Wakes the thread that accepts, which meets a listener that has nothing and ends.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        for stream in self.shared.open.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}
