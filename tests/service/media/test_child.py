"""What a decoder that a stranger's file took over can still do."""

import json
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.media.reading import walls
from service.media.running import CHILD, run

TAKEN_OVER = f"""
import importlib.util, json, os, socket, sys
job = json.loads(sys.argv[1])
spec = importlib.util.spec_from_file_location("child", {str(CHILD)!r})
child = importlib.util.module_from_spec(spec)
spec.loader.exec_module(child)
child._limit(job)
child._confine([])
found = {{}}
def tries(name, act):
    try:
        act()
        found[name] = "yes"
    except OSError as refused:
        found[name] = "no"
tries("read a file", lambda: os.open(job["secret"], os.O_RDONLY))
tries("list a folder", lambda: os.listdir("/etc"))
tries("make a file", lambda: os.open(job["secret"] + "2", os.O_WRONLY | os.O_CREAT))
tries("delete a file", lambda: os.unlink(job["secret"]))
tries("read our memory", lambda: os.open(f"/proc/{{os.getppid()}}/environ", os.O_RDONLY))
tries("open its own file again", lambda: os.open("/proc/self/fd/0", os.O_RDWR))
tries("connect over loopback", lambda: socket.create_connection(("127.0.0.1", job["port"]), 1))
tries("connect to a local socket", lambda: socket.socket(socket.AF_UNIX).connect(job["socket"]))
tries("signal us", lambda: os.kill(os.getppid(), 0))
tries("start a process", lambda: os.fork() or os._exit(0))
tries("become a program", lambda: os.execv("/bin/true", ["true"]))
tries("write where it may", lambda: os.write(job["out"][0], json.dumps(found).encode()))
sys.stderr.write("{{}}")
"""


@pytest.fixture
def neighbours(tmp_path: Path) -> Iterator[dict[str, object]]:
    """What a service has around it: a secret, a server on loopback and one on a local socket."""
    secret = tmp_path / "secret"
    secret.write_text("key")
    with (
        tempfile.TemporaryDirectory() as short,
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as local,
    ):
        local.bind(f"{short}/s")
        local.listen()
        yield {"secret": str(secret), "port": server.getsockname()[1], "socket": f"{short}/s"}


def test_a_decoder_that_was_taken_over_finds_nothing(
    tmp_path: Path, neighbours: dict[str, object]
) -> None:
    if not {"files", "calls"} <= walls():
        pytest.skip("this kernel grants neither Landlock nor seccomp to a decoder")
    child = tmp_path / "child.py"
    child.write_text(TAKEN_OVER)
    job = neighbours | {"memory_bytes": 1 << 30, "file_bytes": 1 << 20}

    with tempfile.TemporaryFile() as stream, tempfile.TemporaryFile() as out:
        run(child, job, stream, [out], 10.0)
        out.seek(0)
        found = json.loads(out.read())

    assert set(found.values()) == {"no"}
    assert len(found) == 11
    assert Path(str(neighbours["secret"])).read_text() == "key"


def test_the_walls_that_stand_are_named() -> None:
    assert walls() <= {"network", "files", "calls"}


def test_no_other_file_of_ours_is_open_in_the_child(tmp_path: Path) -> None:
    child = tmp_path / "child.py"
    child.write_text(
        "import json, os, sys\n"
        "sys.stderr.write(json.dumps({'open': sorted(map(int, os.listdir('/proc/self/fd')))}))"
    )
    ours = os.open(tmp_path, os.O_RDONLY)

    with tempfile.TemporaryFile() as stream, tempfile.TemporaryFile() as out:
        answer = run(child, {}, stream, [out], 10.0)
        expected = {0, 1, 2, out.fileno()}

    os.close(ours)
    assert isinstance(answer["open"], list)
    assert len(set(answer["open"]) - expected) == 1  # the listing itself
    assert ours not in answer["open"] or ours not in expected
