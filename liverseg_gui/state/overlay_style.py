"""How the reader likes masks drawn, remembered from one start to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from liverseg_gui.core.display import DEFAULT_STYLES, LabelStyle
from liverseg_gui.state.preferences import truth
from liverseg_gui.state.view import ViewState

THINNEST_PX, THICKEST_PX = 0.5, 6.0


@dataclass(frozen=True)
class OverlayStyle:
    """The fields of `ViewState` of the same names. Whether a label is visible is not kept: a mask
    that a reader has once hidden must not be missing the next time."""

    overlay_opacity: float = 0.4
    fill: bool = True
    contour: bool = True
    contour_px: float = 1.5
    voxel_edges: bool = False
    styles: Mapping[int, LabelStyle] = field(default_factory=lambda: dict(DEFAULT_STYLES))

    @classmethod
    def of(cls, view: ViewState) -> OverlayStyle:
        """How `view` draws masks now."""
        styles = {
            label: LabelStyle(style.rgb, style.opacity) for label, style in view.styles.items()
        }
        return cls(
            view.overlay_opacity,
            view.fill,
            view.contour,
            view.contour_px,
            view.voxel_edges,
            styles,
        )

    def apply(self, view: ViewState) -> None:
        """Draw masks so on `view`."""
        view.overlay_opacity = self.overlay_opacity
        view.fill, view.contour = self.fill, self.contour
        view.contour_px, view.voxel_edges = self.contour_px, self.voxel_edges
        view.styles = dict(self.styles)

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> OverlayStyle:
        """Of a settings file; what it lacks keeps its default, what is too much is limited.

        Raises:
            ValueError, TypeError, KeyError, AttributeError: it holds something else.
        """
        new = cls()
        fill = truth(stored.get("fill", new.fill))
        styles = dict(new.styles)
        for label, style in stored.get("styles", {}).items():
            if int(label) in styles:
                styles[int(label)] = _style(style)
        return cls(
            _limited(stored.get("opacity", new.overlay_opacity), 0.0, 1.0),
            fill,
            truth(stored.get("contour", new.contour)) or not fill,
            _limited(stored.get("contour_px", new.contour_px), THINNEST_PX, THICKEST_PX),
            truth(stored.get("voxel_edges", new.voxel_edges)),
            styles,
        )

    def stored(self) -> dict[str, Any]:
        """Plain values for a settings file."""
        return {
            "opacity": self.overlay_opacity,
            "fill": self.fill,
            "contour": self.contour,
            "contour_px": self.contour_px,
            "voxel_edges": self.voxel_edges,
            "styles": {
                str(label): {"rgb": list(style.rgb), "opacity": style.opacity}
                for label, style in self.styles.items()
            },
        }


def _style(stored: Mapping[str, Any]) -> LabelStyle:
    red, green, blue = (int(_limited(value, 0, 255)) for value in stored["rgb"])
    return LabelStyle((red, green, blue), _limited(stored["opacity"], 0.0, 1.0))


def _limited(value: Any, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise TypeError(f"{value!r} is no number")
    return float(min(max(value, least), most))
