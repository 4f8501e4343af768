"""From metres to pixels: where the camera looks at a time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generator.scenes.physics import Stage
from generator.scenes.scene import Camera, Setting

# Fractions of the picture's height, from the top.
NEAR_FLOOR, FAR_FLOOR, HORIZON, MIDDLE = 0.90, 0.77, 0.66, 0.48
_TALL_M, _WIDE_M = 2.2, 1.75  # at least so much is in view
_PAN = 0.11  # of the width, to either side
_ZOOM = 1.24  # at the end of the shot


@dataclass(frozen=True, slots=True)
class View:
    """A picture of `width` by `height` pixels of a stage, for `seconds`."""

    width: int
    height: int
    camera: Camera
    setting: Setting
    seconds: float

    @property
    def pixels_per_m(self) -> float:
        return min(self.height / _TALL_M, self.width / _WIDE_M)

    @property
    def stage(self) -> Stage:
        """The room in view: from side to side, from the far floor line to below the top."""
        scale = self.pixels_per_m
        return Stage(self.width / scale, (FAR_FLOOR - 0.03) * self.height / scale)

    @property
    def margin(self) -> int:
        """How many pixels the backdrop reaches beyond the picture on either side."""
        return int(_PAN * self.width) + 2 if self.camera is Camera.PAN else 0

    def zoom(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the magnification at each time; 1 at the start."""
        if self.camera is not Camera.ZOOM:
            return np.ones(len(times))
        return 1 + (_ZOOM - 1) * self._eased(times)

    def shift(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how many pixels right of the middle the camera looks at each time."""
        if self.camera is not Camera.PAN:
            return np.zeros(len(times))
        return _PAN * self.width * (2 * self._eased(times) - 1)

    def place(
        self,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        times: NDArray[np.float64],
        depth: float,
    ) -> NDArray[np.float64]:
        """Return pixel columns and rows, shape (times, 2), of points in metres at their times."""
        scale, zoom = self.pixels_per_m, self.zoom(times)
        column = self.width / 2 + (x * scale - self.shift(times)) * zoom
        row = self.base(depth) - y * scale
        centre = MIDDLE * self.height
        return np.stack([column, centre + (row - centre) * zoom], axis=1)

    def base(self, depth: float) -> float:
        """Return the row that has y = 0 for things at `depth`, at magnification 1."""
        if self.setting is Setting.SPACE:
            return MIDDLE * self.height
        return (NEAR_FLOOR + (FAR_FLOOR - NEAR_FLOOR) * depth) * self.height

    def _eased(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        way = np.clip(times / self.seconds, 0.0, 1.0)
        return way * way * (3 - 2 * way)
