#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The agent's state folder, made by hand: as if it had been enrolled and told what to run.

usage: agent_state.py FOLDER GENERATION [@APPLICATION | NAME=IMAGE[,OPTION...]]...

Services are of the application that is named before them, of "shop" if there is none. OPTION:
port=HOST:CONTAINER, needs=SERVICE, env=NAME:VALUE, volume=NAME, check (its web server
answers), sick (a check that fails), clear (an empty command). The server does not exist.
"""

import base64
import hashlib
import json
import os
import subprocess
import sys

ED25519_PKCS8 = bytes.fromhex("302e020100300506032b657004220420")
DEVICE = "device_01jdfq3t5hefbv1nq5a3x4k2zr"
INSTALLATION = "installation_01jdfq3t5hefbv1nq5a3x4k2zr"
HEAD = {"format": 1, "reads": 1}
RELEASE = "release_01jdfq3t5hefbv1nq5a3x4k2zr"


def check_of(command):
    return {"test": ["CMD-SHELL", command], "interval": "1s", "timeout": "5s", "retries": 3}


def service(text):
    name, rest = text.split("=", 1)
    image, *options = rest.split(",")
    made = {"name": name, "image": image}
    for option in options:
        key, _, value = option.partition("=")
        if key == "port":
            host, inside = value.split(":")
            made["ports"] = [{"host": int(host), "container": int(inside), "address": "127.0.0.1"}]
        elif key == "needs":
            made["depends_on"] = [{"service": value, "condition": "healthy"}]
        elif key == "env":
            variable, content = value.split(":", 1)
            made["environment"] = {variable: content}
        elif key == "volume":
            made["volumes"] = [{"source": value, "target": "/data"}]
        elif key == "check":
            made["healthcheck"] = check_of("wget -q -O - http://127.0.0.1:8080/")
        elif key == "clear":
            made["command"] = []
        elif key == "sick":
            made["healthcheck"] = check_of("false")
        else:
            sys.exit(f"no such option: {option}")
    return made


def save(folder, name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(data if isinstance(data, bytes) else json.dumps(data).encode())


def identity(folder):
    seed = os.urandom(32)
    public = subprocess.run(
        ["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"],
        input=ED25519_PKCS8 + seed,
        capture_output=True,
        check=True,
    ).stdout[-32:]
    key = {"algorithm": "ed25519", "seed": base64.b64encode(seed).decode()}
    save(folder, "identity.json", HEAD | key)
    member = {"installation": INSTALLATION, "device_id": DEVICE, "epoch": 1}
    member["public_key"] = base64.b64encode(public).decode()
    save(folder, "membership.json", HEAD | member)
    servers = {"digest": "none", "servers": [{"url": "http://127.0.0.1:9"}]}
    save(folder, "servers.json", HEAD | {"servers": servers})


def document(record):
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return {"digest": "sha256:" + hashlib.sha256(text.encode()).hexdigest(), "text": text}


def application(name, generation, services):
    needs = [{"ability": "services", "since": "0.1.0"}]
    manifest = {"format": 1, "needs": needs, "services": services}
    return {
        "name": name,
        "serial": generation,
        "release_id": RELEASE,
        "manifest": document(manifest),
    }


def main():
    folder, generation, *words = sys.argv[1:]
    if not os.path.exists(os.path.join(folder, "identity.json")):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        identity(folder)
    name, wanted = "shop", {}
    for word in words:
        if word.startswith("@"):
            name = word[1:]
        else:
            wanted.setdefault(name, []).append(service(word))
    desired = {
        "generation": int(generation),
        "applications": [application(n, int(generation), wanted[n]) for n in sorted(wanted)],
    }
    save(folder, "desired.json", HEAD | {"desired": desired})


main()
