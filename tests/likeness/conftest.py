"""Real faces, a real model and a database for the tests of this room."""

import importlib.util
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from likeness import store
from likeness.dlib_faces import DlibFaces
from likeness.registry import Registry
from likeness.thresholds import load_calibration
from tests.likeness.builders import a_vault

POSTGRES = "postgresql+psycopg://postgres@127.0.0.1:5432/test"


@pytest.fixture(scope="session")
def model() -> DlibFaces:
    return DlibFaces()


@pytest.fixture
def registry(model: DlibFaces) -> Registry:
    return Registry(model, a_vault(), load_calibration())


@pytest.fixture(scope="session")
def astronaut() -> NDArray[np.uint8]:
    return np.asarray(skimage.data.astronaut(), np.uint8)


@pytest.fixture(scope="session")
def group() -> NDArray[np.uint8]:
    """Six people in one picture, 1280x886."""
    found = importlib.util.find_spec("insightface")
    if found is None or not found.submodule_search_locations:
        pytest.skip("insightface, whose wheel has a picture of six people, is not installed")
    path = Path(found.submodule_search_locations[0]) / "data" / "images" / "t1.jpg"
    with Image.open(path) as opened:
        return np.asarray(opened.convert("RGB"))


@pytest.fixture(scope="session")
def portraits(model: DlibFaces, group: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The people of `group`, each cut out, surest first."""
    cuts = []
    for face in sorted(model.find(group), key=lambda face: -face.score):
        box, edge = face.box, face.height_px // 2
        cuts.append(
            group[
                max(0, box.y - edge) : box.y + box.height + edge,
                max(0, box.x - edge) : box.x + box.width + edge,
            ]
        )
    return cuts


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path / 'likeness.sqlite3'}")
    store.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def postgres() -> Iterator[Engine]:
    schema = f"likeness_{uuid.uuid4().hex[:12]}"
    engine = create_engine(POSTGRES, connect_args={"options": f"-csearch_path={schema}"})
    try:
        with engine.begin() as conn:
            conn.execute(text(f"CREATE SCHEMA {schema}"))
    except OperationalError:
        engine.dispose()
        pytest.skip("no PostgreSQL at 127.0.0.1:5432")
    store.metadata.create_all(engine)
    yield engine
    with engine.begin() as conn:
        conn.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.getfixturevalue(request.param)
    return found
