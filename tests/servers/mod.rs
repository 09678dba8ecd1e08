//! Real servers for tests, each on free ports of its own, gone when their guard is dropped or the test process dies.
//!
//! Shared by several test binaries through `#[path]`; `tests/install` puts the servers where this looks for them.
#![expect(clippy::expect_used, reason = "a server that does not start ends the test")]

mod azurite;
mod guard;
mod mariadb;
mod postgres;
mod seaweed;
mod sshd;
mod unprivileged;
mod webdav;

pub use azurite::Azurite;
pub use mariadb::Mariadb;
pub use postgres::Postgres;
pub use seaweed::Seaweed;
pub use sshd::Sshd;
pub use webdav::Webdav;

use std::path::PathBuf;

/// A file below the folder of installed servers.
pub fn tool(path: &str) -> PathBuf {
    let folder = std::env::var_os("PIPELINE_TOOLS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".tools"),
        PathBuf::from,
    );
    let tool = folder.join(path);
    assert!(
        tool.exists(),
        "`{}` is missing: run tests/install first",
        tool.display()
    );
    tool
}

/// A port that nobody listens at now.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}
