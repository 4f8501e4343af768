"""What a process that only decides about text costs before it answers, and what it never loads."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
HEAVY = ("torch", "diffusers", "transformers")
IMPORTED = f"""
import json, sys
import service.app
print(json.dumps({{"heavy": [name for name in {HEAVY!r} if name in sys.modules]}}))
"""
DECIDED = f"""
import json, sys
from pathlib import Path
from starlette.testclient import TestClient
from service import accounts
from service.accounts import NewKey, Role
from service.app import create_app
from service.settings import Settings

app = create_app(Settings(home=Path(sys.argv[1]), cache=Path(sys.argv[2])))
with TestClient(app) as client:
    rooms = app.state.state.house.rooms
    now = rooms.clock()
    with rooms.database.transaction() as conn:
        actor = accounts.create_actor(conn, "maker", now).id
        project = accounts.create_project(conn, "films", now).id
        new = NewKey(actor, project, frozenset({{Role.CREATOR}}))
        key = accounts.create_key(conn, new, now).secret
    headers = {{"authorization": f"Bearer {{key}}"}}
    def ask(prompt):
        sent = {{"prompt": prompt}}
        return client.post("/v1/policy/decisions", json=sent, headers=headers).json()
    print(json.dumps({{
        "ready": client.get("/readyz").json(),
        "fine": ask("a red ball bounces on a green floor")["verdict"],
        "nude": ask("explicit hardcore porn, naked people having sex")["verdict"],
        "heavy": [name for name in {HEAVY!r} if name in sys.modules],
    }}))
"""


def said_by(program: str, *arguments: str, timeout_s: float) -> dict[str, object]:
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-2000:]
    answer = json.loads(ended.stdout.splitlines()[-1])
    assert isinstance(answer, dict)
    return answer


def test_importing_the_application_loads_no_model_library() -> None:
    assert said_by(IMPORTED, timeout_s=60)["heavy"] == []


@pytest.mark.slow
def test_a_real_house_decides_about_text_without_loading_torch(tmp_path: Path) -> None:
    said = said_by(DECIDED, str(tmp_path), str(tmp_path / "cache"), timeout_s=300)

    assert said["ready"] == {"status": "ready", "missing": [], "witnesses": []}
    assert (said["fine"], said["nude"]) == ("allow", "block")
    assert said["heavy"] == []
