"""Style in which masks are drawn, kept in the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from liverseg_gui.core.display import DEFAULT_STYLES, LabelStyle
from liverseg_gui.state.view import ViewState

THINNEST_PX, THICKEST_PX = 0.5, 6.0


@dataclass(frozen=True)
class OverlayStyle:
    """Mask style of `ViewState`, by the names of the settings file. Whether a label is visible is
    not kept: a mask that a reader has once hidden must not be missing the next time."""

    opacity: float = 0.4
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
        view.overlay_opacity = self.opacity
        view.fill, view.contour = self.fill, self.contour
        view.contour_px, view.voxel_edges = self.contour_px, self.voxel_edges
        view.styles = dict(self.styles)

    def limited(self) -> OverlayStyle:
        """This one, with numbers a mask can be drawn with, so that it is seen."""
        return OverlayStyle(
            _limited(self.opacity, 0.0, 1.0),
            self.fill,
            self.contour or not self.fill,
            _limited(self.contour_px, THINNEST_PX, THICKEST_PX),
            self.voxel_edges,
            {
                label: _limited_style(self.styles.get(label, own))
                for label, own in DEFAULT_STYLES.items()
            },
        )


def _limited_style(style: LabelStyle) -> LabelStyle:
    red, green, blue = (min(max(value, 0), 255) for value in style.rgb)
    return LabelStyle((red, green, blue), _limited(style.opacity, 0.0, 1.0))


def _limited(value: float, least: float, most: float) -> float:
    return min(max(value, least), most)
