"""Fresh servers with their data in memory; each ends with its `with` block."""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from install import REPOSITORY, TOOLS

S3_KEY_ID = "bench-access-key"
S3_SECRET = "bench-secret-access-key"
AZURE_ACCOUNT = "devstoreaccount1"
# The emulator's documented key, the same everywhere and no secret.
AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@contextmanager
def running(command, folder):
    server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield server
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def free_ports(count):
    """Ports that are free together with the one ten thousand above, where SeaweedFS puts its own protocol."""
    found, port = [], 12_000 + os.getpid() % 8_000
    while len(found) < count:
        port += 1
        with socket.socket() as lower, socket.socket() as upper:
            try:
                lower.bind(("127.0.0.1", port))
                upper.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
            found.append(port)
    return found


def wait_until(is_ready, seconds=60):
    end = time.monotonic() + seconds
    while not is_ready():
        if time.monotonic() > end:
            raise SystemExit("tests/bench/run: a server does not get ready within a minute; is the machine overloaded?")
        time.sleep(0.1)


def answers(url, method="GET"):
    try:
        urllib.request.urlopen(urllib.request.Request(url, method=method, data=b"" if method == "POST" else None))
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False
    return True


class Seaweed:
    def __init__(self, s3_port, filer_port):
        self.endpoint = f"http://127.0.0.1:{s3_port}"
        self.filer = f"http://127.0.0.1:{filer_port}"

    def create_bucket(self, name):
        wait_until(lambda: answers(f"{self.filer}/buckets/{name}/", "POST"))


@contextmanager
def seaweed(scratch):
    folder = Path(scratch) / "seaweed"
    folder.mkdir()
    credentials = [{"accessKey": S3_KEY_ID, "secretKey": S3_SECRET}]
    identity = {"name": "bench", "credentials": credentials, "actions": ["Admin"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    master, volume, filer, s3 = free_ports(4)
    command = [TOOLS / "seaweedfs/bin/weed", "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-dir=.", "-filer", "-s3"]
    command += ["-s3.config=s3.json", "-master.volumeSizeLimitMB=1024", "-volume.max=200"]
    for service, port in (("master", master), ("volume", volume), ("filer", filer), ("s3", s3)):
        command.append(f"-{service}.port={port}")
    with running(command, folder):
        server = Seaweed(s3, filer)
        wait_until(lambda: answers(server.endpoint) and answers(server.filer))
        yield server


class Azurite:
    def __init__(self, endpoint):
        self.endpoint = endpoint

    def create_container(self, name):
        script = REPOSITORY / "tests/servers/create_container.js"
        subprocess.run(["node", script, self.endpoint, AZURE_ACCOUNT, AZURE_KEY, name], check=True)


@contextmanager
def azurite(scratch):
    folder = Path(scratch) / "azurite"
    folder.mkdir()
    command = ["node", TOOLS / "azurite/node_modules/azurite/dist/src/azurite.js"]
    command += ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent"]
    ports = free_ports(3)
    for service, port in zip(("blob", "queue", "table"), ports):
        command += [f"--{service}Host", "127.0.0.1", f"--{service}Port", str(port)]
    with running(command, folder):
        blob = f"http://127.0.0.1:{ports[0]}"
        wait_until(lambda: answers(blob))
        yield Azurite(f"{blob}/{AZURE_ACCOUNT}")
