"""How each client is asked to copy from one end to another: the command, and the variables it needs.

An end is `("fs", folder)`, `("s3", bucket, endpoint)` or `("azblob", container, endpoint)`.
"""

import base64
import hmac
import json
import os
from pathlib import Path
from urllib.parse import urlencode

from servers import AZURE_ACCOUNT, AZURE_KEY, S3_KEY_ID, S3_SECRET

AT_ONCE = 64

KEYS = {
    "BENCH_S3_ACCESS_KEY_ID": S3_KEY_ID,
    "BENCH_S3_SECRET_ACCESS_KEY": S3_SECRET,
    "BENCH_AZBLOB_ACCOUNT": AZURE_ACCOUNT,
    "BENCH_AZBLOB_KEY": AZURE_KEY,
}


def pipeline(binary, source, sink, scratch):
    folder = Path(scratch) / "job"
    folder.mkdir()
    connections = {"local": {"source": connection(source), "sink": connection(sink)}}
    (folder / "connections.yaml").write_text(json.dumps(connections))
    units = {"limit": AT_ONCE, "parts": {"limit": 4}}
    job = {
        "job": "bench",
        "source": {"files": {"connection": "source", "glob": "**"}},
        "sink": {"connection": "sink", "mode": "skip"},
        "naming": {"object": "{{file.path}}"},
        "concurrency": {"limit": AT_ONCE, "items": {"limit": 1, "units": units}},
    }
    (folder / "bench.yaml").write_text(json.dumps(job))
    return [binary, "run", folder / "bench.yaml", "--state", folder / "state", "--quiet"], KEYS


def connection(end):
    kind, place, *rest = end
    if kind == "fs":
        return {"fs": {"root": str(place)}}
    if kind == "s3":
        keys = {"access_key_id": "${env:BENCH_S3_ACCESS_KEY_ID}", "secret_access_key": "${env:BENCH_S3_SECRET_ACCESS_KEY}"}
        return {"s3": {"bucket": place, "endpoint": rest[0], **keys}}
    keys = {"account": AZURE_ACCOUNT, "account_key": "${env:BENCH_AZBLOB_KEY}"}
    return {"azblob": {"container": place, "endpoint": rest[0], **keys}}


def bare(binary, source, sink, _scratch, form="whole"):
    variables = dict(KEYS)
    for kind, _, *rest in (source, sink):
        if rest:
            variables[f"BENCH_{kind.upper()}_ENDPOINT"] = rest[0]
    return [binary, *(f"{end[0]}:{end[1]}" for end in (source, sink)), str(AT_ONCE), form], variables


def rclone(binary, source, sink, _scratch):
    command = [binary, "copy", "--config", os.devnull, "--transfers", str(AT_ONCE), "--checkers", str(AT_ONCE), "--fast-list"]
    command += ["--s3-chunk-size", "16M", "--s3-upload-concurrency", "8"]
    variables, places = {}, []
    # Two remotes, also on one server: rclone then streams instead of asking the server to copy.
    for remote, (kind, place, *rest) in (("source", source), ("sink", sink)):
        if kind == "fs":
            places.append(str(place))
            continue
        options = {"type": kind if kind == "s3" else "azureblob", "no_check_bucket": "true"}
        if kind == "s3":
            options |= {"provider": "Other", "endpoint": rest[0], "access_key_id": S3_KEY_ID, "secret_access_key": S3_SECRET}
        else:
            options |= {"account": AZURE_ACCOUNT, "key": AZURE_KEY, "endpoint": rest[0], "no_check_container": "true"}
        variables |= {f"RCLONE_CONFIG_{remote.upper()}_{name.upper()}": value for name, value in options.items()}
        places.append(f"{remote}:{place}")
    return command + places, variables


def s5cmd(binary, source, sink, _scratch):
    variables = {"AWS_ACCESS_KEY_ID": S3_KEY_ID, "AWS_SECRET_ACCESS_KEY": S3_SECRET, "AWS_REGION": "us-east-1"}
    command = [binary, "--endpoint-url", sink[2], "--numworkers", "256", "--log", "error", "cp"]
    return command + [f"{source[1]}/", f"s3://{sink[1]}/"], variables


def azcopy(binary, source, sink, scratch):
    """With a shared access signature for the whole account, which is all that it takes besides logins; MD5 on both sides."""
    logs = Path(scratch) / "job"
    logs.mkdir()
    variables = {"AZCOPY_LOG_LOCATION": str(logs), "AZCOPY_JOB_PLAN_LOCATION": str(logs), "AZCOPY_CONCURRENCY_VALUE": str(AT_ONCE)}
    variables["LD_LIBRARY_PATH"] = str(Path(binary).parents[3] / "usr/lib/x86_64-linux-gnu")
    fields = {"sp": "racwdl", "ss": "b", "srt": "sco", "st": "", "se": "2100-01-01T00:00:00Z", "sip": "", "spr": "https,http", "sv": "2018-11-09"}
    text = "\n".join([AZURE_ACCOUNT, *fields.values(), ""])
    digest = hmac.new(base64.b64decode(AZURE_KEY), text.encode(), "sha256").digest()
    signed = {**{key: value for key, value in fields.items() if value}, "sig": base64.b64encode(digest).decode()}
    to = f"{sink[2]}/{sink[1]}?{urlencode(signed)}"
    command = [binary, "copy", f"{source[1]}/*", to, "--recursive", "--from-to", "LocalBlob", "--put-md5"]
    return command + ["--output-level", "essential", "--check-length=true", "--overwrite=false"], variables


def bare_in_parts(binary, source, sink, scratch):
    return bare(binary, source, sink, scratch, form="parts")


CLIENTS = {"pipeline": pipeline, "bare": bare, "bare in parts": bare_in_parts, "rclone": rclone, "s5cmd": s5cmd, "azcopy": azcopy}
