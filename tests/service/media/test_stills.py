import pytest

from service.media.headers import PictureKind, picture_header
from service.media.reading import read_picture
from service.media.stills import encoded, thumbnail
from tests.service.media.builders import a_gradient


def test_a_png_of_a_frame_is_the_frame() -> None:
    frame = a_gradient()

    assert (read_picture(encoded(frame)) == frame).all()


@pytest.mark.parametrize("kind", list(PictureKind))
def test_a_thumbnail_keeps_the_proportions(kind: PictureKind) -> None:
    header = picture_header(thumbnail(a_gradient(320, 180), 160, kind))

    assert (header.kind, header.width, header.height) == (kind, 160, 90)


def test_a_thumbnail_is_never_larger_than_the_frame() -> None:
    assert picture_header(thumbnail(a_gradient(64, 48), 400)).width == 64
