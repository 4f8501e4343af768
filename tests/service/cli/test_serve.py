import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2

from service.cli.supervision import Supervisor
from tests.service.cli.conftest import ROOT, Command, environment
from tests.waiting import until

# Says that it is there, and ends when it is told to.
PATIENT = "import signal,sys\nsignal.signal(15, lambda *_: sys.exit(0))\nwhile True: signal.pause()"
STUBBORN = "import signal\nsignal.signal(15, signal.SIG_IGN)\nwhile True: signal.pause()"


def a_supervisor(program: str, count: int = 1, drain_s: float = 10.0) -> Supervisor:
    return Supervisor([sys.executable, "-c", program], count, drain_s)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_worker_that_dies_is_started_again() -> None:
    supervisor = a_supervisor(PATIENT, count=2)
    supervisor.start()
    until(lambda: len(supervisor.pids()) == 2)
    first = supervisor.pids()

    os.kill(first[0], signal.SIGKILL)

    until(lambda: len(supervisor.pids()) == 2 and first[0] not in supervisor.pids())
    assert first[1] in supervisor.pids()
    supervisor.stop()
    assert supervisor.pids() == []


def test_a_worker_that_cannot_start_is_tried_less_and_less_often() -> None:
    supervisor = a_supervisor("raise SystemExit(3)")
    supervisor.start()
    time.sleep(2.0)

    supervisor.stop()

    (place,) = supervisor._places
    assert 1.0 <= place.wait_s <= 4.0


def test_a_worker_that_does_not_drain_is_killed() -> None:
    supervisor = a_supervisor(STUBBORN, drain_s=0.3)
    supervisor.start()
    until(lambda: len(supervisor.pids()) == 1)
    time.sleep(0.3)
    (pid,) = supervisor.pids()

    supervisor.stop()

    assert not is_alive(pid)


def test_a_port_that_is_taken_is_said_at_once(command: Command) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        ran = command("serve", "--port", str(port))

    assert ran.code == 1
    assert f"127.0.0.1:{port} cannot be served on" in ran.err
    assert "--port" in ran.err


def test_a_service_makes_a_film_and_drains(cache: Path, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    said = tmp_path / "stderr"
    with said.open("w") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "service.cli", "serve", "--port", str(port)],
            cwd=ROOT, env=environment(tmp_path / "home", cache), stderr=err,
        )  # fmt: skip
    try:
        until(lambda: _is_ready(port) or process.poll() is not None)
        key = said.read_text().partition("impr_live_")[2].split()[0]
        client = httpx2.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"authorization": f"Bearer impr_live_{key}"},
        )
        with client:
            fields = {"prompt": "a blue box bounces", "size": "256x256", "seconds": "1", "fps": "8"}
            video = client.post("/v1/videos", json=fields).json()["id"]
            until(lambda: client.get(f"/v1/videos/{video}").json()["status"] == "completed")
            film = client.get(f"/v1/videos/{video}/content").content
    finally:
        process.terminate()
        code = process.wait(timeout=60)

    assert film[4:8] == b"ftyp"
    assert code == 0
    assert said.read_text().count("impr_live_") == 1
    assert '"event":"worker.stopped"' in said.read_text()


def _is_ready(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx2.ConnectError:
        return False
