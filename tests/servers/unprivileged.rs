//! Servers that refuse to run as root get another user where the tests are run by root.

use std::path::Path;
use std::process::Command;

/// The user of services that own nothing.
const NOBODY: &str = "65534";

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("`id` starts");
    id.stdout.trim_ascii() == b"0"
}

/// A program as an unprivileged user.
pub fn command(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--"])
        .arg(program);
    command
}

/// Gives a folder, with all in it, to that user.
pub fn own(folder: &Path) {
    if is_root() {
        let changed = Command::new("chown")
            .args(["-R", &format!("{NOBODY}:{NOBODY}")])
            .arg(folder)
            .status();
        assert!(
            changed.expect("`chown` starts").success(),
            "the folder changes its owner"
        );
    }
}
