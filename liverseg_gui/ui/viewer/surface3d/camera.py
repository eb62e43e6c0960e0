"""Camera of the 3D pane: turned about the patient's long axis, head up."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Matrix = NDArray[np.float64]

_FOV_DEGREES = 30.0
_ELEVATION = 12.0
_CLOSEST, _FARTHEST = 0.08, 4.0
_SMALLEST_MM = 1e-3
_FILLS = 0.82
"""A body rarely reaches the corners of the box around it."""

_FROM_FRONT = np.array([[-1.0, 0, 0], [0, 0, 1], [0, 1, 0]])
"""Patient right, anterior, superior to screen right, up, towards the reader."""


class Camera:
    """`azimuth` 0 looks from the front, 90 from the patient's right; `elevation` from above.

    Screen positions are pixels from the top left corner, `size` is (width, height) in pixels.
    """

    def __init__(self) -> None:
        self._middle, self._radius = np.zeros(3), 100.0
        self.reset()

    def reset(self) -> None:
        """Look from the front and a little from above, at the whole."""
        self.azimuth, self.elevation, self._zoom = 0.0, _ELEVATION, 1.0
        self._moved = np.zeros(3)

    def fit(self, low_mm: ArrayLike, high_mm: ArrayLike) -> None:
        """Look at the box between two corners in patient mm."""
        low, high = np.asarray(low_mm, np.float64), np.asarray(high_mm, np.float64)
        self._middle = (low + high) / 2
        self._radius = max(float(np.linalg.norm(high - low)) / 2 * _FILLS, _SMALLEST_MM)

    def spin(self, right_degrees: float, down_degrees: float) -> None:
        """Turn what is seen, as if it were grasped in front."""
        self.azimuth = (self.azimuth + right_degrees) % 360.0
        self.elevation = min(max(self.elevation + down_degrees, -90.0), 90.0)

    def zoom_by(self, factor: float) -> None:
        """Come closer by `factor`, within what makes sense."""
        self._zoom = min(max(self._zoom / factor, _CLOSEST), _FARTHEST)

    def pan(self, right_px: float, down_px: float, size: tuple[int, int]) -> None:
        """Move what is seen along with the mouse."""
        mm = 2 * self._distance(size) * np.tan(np.radians(_FOV_DEGREES / 2)) / size[1]
        self._moved -= self.rotation.T @ np.array([right_px * mm, -down_px * mm, 0.0])

    @property
    def rotation(self) -> Matrix:
        """Patient axes to screen right, up and towards the reader: 3x3."""
        a, e = np.radians((self.azimuth, self.elevation))
        turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
        tilt = np.array([[1, 0, 0], [0, np.cos(e), -np.sin(e)], [0, np.sin(e), np.cos(e)]])
        return np.asarray(tilt @ _FROM_FRONT @ turn)

    def _distance(self, size: tuple[int, int]) -> float:
        half = np.radians(_FOV_DEGREES / 2)
        narrow = np.arctan(np.tan(half) * min(1.0, size[0] / size[1]))
        return float(self._zoom * self._radius / np.sin(narrow))

    def view(self, size: tuple[int, int]) -> Matrix:
        """Patient mm to the camera's own mm: 4x4."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.rotation
        matrix[:3, 3] = -self.rotation @ (self._middle + self._moved)
        matrix[2, 3] -= self._distance(size)
        return matrix

    def projection(self, size: tuple[int, int]) -> Matrix:
        """The camera's mm to OpenGL's clip space: 4x4."""
        distance, reach = self._distance(size), 3 * self._radius
        moved = float(np.linalg.norm(self._moved))
        near = max(distance - reach - moved, 0.02 * self._radius)
        far = distance + reach + moved
        tall = 1 / np.tan(np.radians(_FOV_DEGREES / 2))
        return np.array(
            [
                [tall * size[1] / size[0], 0, 0, 0],
                [0, tall, 0, 0],
                [0, 0, (far + near) / (near - far), 2 * far * near / (near - far)],
                [0, 0, -1, 0],
            ]
        )

    @property
    def towards_reader(self) -> Matrix:
        """The patient direction that points at the reader: (3,)."""
        return self.rotation[2]

    def ray(self, x: float, y: float, size: tuple[int, int]) -> tuple[Matrix, Matrix]:
        """Start in patient mm and unit direction of what lies under a screen position."""
        tall = np.tan(np.radians(_FOV_DEGREES / 2))
        right = (2 * x / size[0] - 1) * tall * size[0] / size[1]
        direction = self.rotation.T @ np.array([right, (1 - 2 * y / size[1]) * tall, -1.0])
        eye = self._middle + self._moved + self.rotation[2] * self._distance(size)
        return eye, direction / np.linalg.norm(direction)

    def project(self, points_mm: ArrayLike, size: tuple[int, int]) -> Matrix:
        """The screen positions (N, 2) of patient mm (N, 3)."""
        points = np.asarray(points_mm, np.float64)
        matrix = self.projection(size) @ self.view(size)
        clip = np.c_[points, np.ones(len(points))] @ matrix.T
        flat = clip[:, :2] / clip[:, 3:]
        return (flat * (1, -1) + 1) / 2 * size
