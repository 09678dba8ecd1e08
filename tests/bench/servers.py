"""Fresh servers with their data in memory; each ends with its `with` block."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import time
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


def status(address, method="GET", path="/"):
    """What a plain request is answered with; `None` while nobody answers."""
    connection = http.client.HTTPConnection(address, timeout=5)
    try:
        connection.request(method, path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class Seaweed:
    def __init__(self, s3_port, filer_port):
        self.endpoint = f"http://127.0.0.1:{s3_port}"
        self.filer = f"127.0.0.1:{filer_port}"

    def create_bucket(self, name):
        wait_until(lambda: status(self.filer, "POST", f"/buckets/{name}/") == 201)


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
    # Ports that only one server of a machine could have, for services nobody asks here.
    command += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
    for service, port in (("master", master), ("volume", volume), ("filer", filer), ("s3", s3)):
        command.append(f"-{service}.port={port}")
    with running(command, folder):
        server = Seaweed(s3, filer)
        wait_until(lambda: status(f"127.0.0.1:{s3}") and status(server.filer))
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
        blob = f"127.0.0.1:{ports[0]}"
        wait_until(lambda: status(blob))
        yield Azurite(f"http://{blob}/{AZURE_ACCOUNT}")
