//! `watch` where there is no terminal: one page, and never a sequence that moves a cursor.

use crate::harness::{Behaviour, File, Gate, Job, SPEC, bytes_of};

#[test]
fn without_a_terminal_a_run_is_shown_once() {
    let gate = Gate::start();
    gate.put("a/one", bytes_of("one", 200), Behaviour::Sound);
    gate.put("a/two", bytes_of("two", 200), Behaviour::Held);
    let files = ["gone", "one", "two"].map(|name| File::named(name).real_size(200));
    let project = Job::new()
        .item("a", files)
        .source_gate(&gate)
        .concurrency(1, 1)
        .create();
    project.command(["watch", SPEC]).exits(1).says("pipeline run");
    let run = project.spawn(["run", SPEC]);
    gate.wait_until_held(1);
    // The page comes from what the run writes once a second.
    let page = loop {
        let page = project.command(["watch", SPEC, "--once"]);
        if page.code == Some(0) && page.stdout.contains("latest failures") && page.stdout.contains("1 failed") {
            break page;
        }
        std::thread::yield_now();
    };
    for part in [
        "items     [",
        "files     [",
        "items/min",
        "files/min",
        "`a`: `a/gone`",
        "in flight  1 file,",
    ] {
        assert!(page.stdout.contains(part), "{part}: {}", page.stdout);
    }
    assert!(!page.stdout.contains('\x1b'), "{:?}", page.stdout);
    gate.open();
    run.wait().exits(6);
    project.command(["watch", SPEC]).exits(0).says("ended");
}

/// Starts `watch` on a terminal of its own, waits for its page, and leaves it in the way that is named. Fails unless the terminal reads
/// single keys meanwhile, and is as it was afterwards.
const ON_A_TERMINAL: &str = r#"
import os, pty, select, signal, subprocess, sys, termios

way, *command = sys.argv[1:]
master, slave = pty.openpty()
before = termios.tcgetattr(slave)
watch = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=subprocess.PIPE)
seen = b""
while b"q: leave" not in seen:
    if not select.select([master], [], [], 60)[0]:
        sys.exit(f"no page came: {seen!r}")
    seen += os.read(master, 65536)
if termios.tcgetattr(slave)[3] & (termios.ICANON | termios.ECHO):
    sys.exit("the terminal waits for Enter, or shows keys")
os.write(master, b"xq") if way == "q" else watch.send_signal(getattr(signal, way))
_, told = watch.communicate(timeout=60)
if termios.tcgetattr(slave) != before:
    sys.exit("the terminal is not as it was")
sys.stderr.write(told.decode())
sys.exit(watch.returncode)
"#;

#[test]
#[cfg(unix)]
fn a_single_key_leaves_and_the_terminal_is_as_it_was_whatever_ends_the_watch() {
    let gate = Gate::start();
    gate.put("a/one", bytes_of("one", 200), Behaviour::Held);
    let project = Job::new()
        .item("a", [File::named("one").real_size(200)])
        .source_gate(&gate)
        .create();
    let run = project.spawn(["run", SPEC]);
    gate.wait_until_held(1);
    // The page comes from what the run writes once a second.
    while project.command(["watch", SPEC, "--once"]).code != Some(0) {
        std::thread::yield_now();
    }
    for (way, code) in [("q", 0), ("SIGINT", 130), ("SIGTERM", 130), ("SIGQUIT", 130)] {
        let watch = project.prepare(["watch", SPEC, "--refresh", "100ms"]);
        let mut python = std::process::Command::new("python3");
        python.args(["-c", ON_A_TERMINAL, way]).arg(watch.get_program());
        python.args(watch.get_args()).current_dir(project.root());
        let output = python.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{way}: {told}");
        assert!(told.contains("the run goes on; `pipeline status"), "{way}: {told}");
    }
    gate.open();
    run.wait().exits(0);
}
