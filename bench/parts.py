# SPDX-License-Identifier: Apache-2.0
"""What is measured and what loads it: musterd, devices that are not there, brokers, clients.

Each is a process of its own below a folder that is removed, on a port of loopback, and ends with
its `with`.
"""

import http.client
import json
import os
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from pathlib import Path

ORGANISATION, OWNER = "demo", "ada"
WAIT_S = 180
PAYLOAD_BYTES = 330  # a heartbeat's message


class Missing(Exception):
    """A part that this machine does not have; the text is its name."""


class Failed(Exception):
    """A part that does not do what it is there for."""


def wait_for(what, is_so, seconds=WAIT_S):
    """Ask until it is so."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise Failed(f"{what}: not after {seconds} s")
        time.sleep(0.01)


def port_pick():
    """A free port of loopback, below those that the kernel gives to connections that go out."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    seed = int.from_bytes(os.urandom(2), "big")
    for step in range(first - 12000):
        port = 12000 + (seed + step) % (first - 12000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise Failed("no free port")


def files_allow():
    """As many open files as the system lets us have; each device is one. How many those are."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


class Program:
    """A process that tells how far it is by lines of JSON."""

    def __init__(self, command, lines="stdout", cpus=None, out=subprocess.DEVNULL):
        self.latest, self.count = {}, 0
        self.changed = threading.Condition()
        pin = (lambda: os.sched_setaffinity(0, cpus)) if cpus else None
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if lines == "stdout" else out,
            stderr=subprocess.PIPE if lines == "stderr" else subprocess.DEVNULL,
            text=True,
            preexec_fn=pin,
        )
        self.reader = threading.Thread(
            target=self.read, args=[getattr(self.process, lines)], daemon=True
        )
        self.reader.start()

    @property
    def pid(self):
        """Of the process."""
        return self.process.pid

    def read(self, stream):
        """Keep the newest figures."""
        for line in stream:
            try:
                told = json.loads(line)
            except ValueError:
                continue
            if "open" in told:
                with self.changed:
                    self.latest, self.count = told, self.count + 1
                    self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def next(self):
        """The next figures, at the moment when they come."""
        with self.changed:
            seen = self.count
            if not self.changed.wait_for(lambda: self.count > seen, WAIT_S):
                raise Failed(f"{self.process.args[0]} says nothing")
            return self.latest

    def wait_open(self, count):
        """All are in touch."""
        end = time.monotonic() + WAIT_S
        while self.next()["open"] < count:
            if self.process.poll() is not None or time.monotonic() > end:
                raise Failed(f"{self.process.args[0]}: {self.latest} of {count}")

    def ask(self, line=""):
        """Say a line to it."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def stop(self, how=signal.SIGTERM):
        """End it; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        status = self.process.wait(WAIT_S)
        self.reader.join(WAIT_S)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
        return status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop(signal.SIGTERM)


class Server:
    """A musterd of its own."""

    def __init__(self, build, config="", cpus=None):
        self.build, self.cpus = Path(build), cpus
        self.folder = Path(tempfile.mkdtemp(prefix="muster-bench."))
        self.data = self.folder / "server"
        self.port = port_pick()
        self.process = self.api = self.fleet_id = None
        self.config = config

    def __enter__(self):
        told = subprocess.run(
            [self.program("control/musterd"), "init", "--data", self.data]
            + ["--org", ORGANISATION, "--owner", OWNER],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        self.password = next(r.split()[1] for r in told.splitlines() if r.startswith("password"))
        with open(self.data / "musterd.conf", "w", encoding="utf-8") as file:
            file.write(
                f"address = 127.0.0.1\nport = {self.port}\n"
                f"log_level = warn\n{self.config}\n"
            )
        try:
            self.start()
            self.login()
        except BaseException:
            self.__exit__()
            raise
        return self

    def program(self, name):
        """A program of the build."""
        return str(self.build / "src" / name)

    @property
    def pid(self):
        """Of the process."""
        return self.process.pid

    def start(self):
        """Start it and wait until it serves; how many seconds that took."""
        begun = time.monotonic()
        pin = (lambda: os.sched_setaffinity(0, self.cpus)) if self.cpus else None
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.program("control/musterd"), "run", "--data", str(self.data)],
                stderr=log,
                preexec_fn=pin,
            )
        wait_for("musterd serves", self.is_ready, 60)
        return time.monotonic() - begun

    def is_ready(self):
        """It says that it is ready."""
        if self.process.poll() is not None:
            raise Failed("musterd ended: " + (self.folder / "log").read_text()[-500:])
        try:
            api = Api(self.port, self.data / "ca.pem", within_s=5)
            return api.status("GET", "/readyz") == 200
        except OSError:
            return False

    def login(self):
        """The owner signs in; `api` speaks for them."""
        self.api = Api(self.port, self.data / "ca.pem")
        wish = {"org": ORGANISATION, "name": OWNER, "password": self.password}
        self.api.bearer = self.api.call("POST", "/v1/login", wish)["access_token"]

    def kill(self):
        """Without a warning."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """In order."""
        self.process.terminate()
        self.process.wait(WAIT_S)

    def token(self, count):
        """An enrolment token for so many of a new fleet."""
        name = f"fleet-{os.urandom(4).hex()}"
        self.fleet_id = self.api.call("POST", "/v1/fleets", {"name": name})["id"]
        wish = {"fleet_id": self.fleet_id, "uses_max": count}
        return self.api.call("POST", "/v1/tokens", wish)["token"]

    def devices(self, count, *options, cpus=None):
        """So many that are not there, enrolled and in touch or on their way to it."""
        command = [self.build / "tests/simulate/muster-simulate", "--count", count]
        command += ["--token", self.token(count), *options]
        return Program(command, lines="stderr", cpus=cpus)

    def release(self, version):
        """The id of a new release of an application with one service."""
        service = {"name": "web", "image": f"127.0.0.1:1/web@sha256:{0:064d}"}
        wish = {"application": "load", "version": version, "manifest": {"services": [service]}}
        return self.api.call("POST", "/v1/releases", wish)["id"]

    def deploy(self, release_id):
        """To the fleet of the last token."""
        self.api.call("POST", f"/v1/fleets/{self.fleet_id}/deploy", {"release_id": release_id})

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Api:
    """Calls over one connection that is kept."""

    def __init__(self, port, authority, within_s=60):
        context = ssl.create_default_context(cafile=str(authority))
        self.http = http.client.HTTPSConnection(
            "localhost", port, timeout=within_s, context=context
        )
        self.bearer = None

    def raw(self, method, path, body=None):
        """(status, bytes of the answer)"""
        headers = {"Authorization": f"Bearer {self.bearer}"} if self.bearer else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        self.http.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self.http.getresponse()
        return answer.status, answer.read()

    def status(self, method, path):
        """Of the answer alone."""
        return self.raw(method, path)[0]

    def call(self, method, path, body=None):
        """The answer, which must be good."""
        status, answer = self.raw(method, path, body)
        if status // 100 != 2:
            raise Failed(f"{method} {path}: {status} {answer[:300]!r}")
        return json.loads(answer) if answer else None


class Mosquitto:
    """Debian's broker, over TLS with the certificate of `server`, keeping nothing on disk."""

    def __init__(self, server):
        self.server, self.port, self.process = server, port_pick(), None

    def __enter__(self):
        program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
        if not program:
            raise Missing("mosquitto")
        config = self.server.folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
            f"certfile {self.server.data}/server.pem\nkeyfile {self.server.data}/server.key\n"
            f"persistence false\nlog_dest none\nuser root\n"
        )
        self.process = subprocess.Popen([program, "-c", config], stderr=subprocess.DEVNULL)
        wait_for("mosquitto listens", self.listens, 20)
        return self

    @property
    def pid(self):
        """Of the process."""
        return self.process.pid

    def listens(self):
        """Somebody does, at its port."""
        if self.process.poll() is not None:
            raise Failed("mosquitto ended")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def clients(self, what, count):
        """So many that publish, or listen."""
        program = self.server.build / "bench/mqtt_clients"
        authority = self.server.data / "ca.pem"
        return Program([program, what, self.port, authority, count, PAYLOAD_BYTES])

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
