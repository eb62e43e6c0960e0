"""OpenGL rendering of surfaces into a picture, without a window of its own (docs/adr/0006)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize
from PySide6.QtGui import (
    QImage,
    QMatrix3x3,
    QMatrix4x4,
    QOffscreenSurface,
    QOpenGLContext,
    QOpenGLFunctions,
    QVector4D,
)
from PySide6.QtOpenGL import (
    QOpenGLBuffer,
    QOpenGLFramebufferObject,
    QOpenGLFramebufferObjectFormat,
    QOpenGLShader,
    QOpenGLShaderProgram,
)
from shiboken6 import VoidPtr

from liverseg_gui.core.display import LabelStyle
from liverseg_gui.core.surface.mesh import Surface
from liverseg_gui.ui.viewer.surface3d.camera import Camera, Matrix
from liverseg_gui.ui.viewer.surface3d.scene import SHELL_OPACITY, NoOpenGLError, Scene
from liverseg_gui.ui.viewer.surface3d.shaders import ATTRIBUTES, FRAGMENT, UNIFORMS, VERTEX

_NEEDED, _NEEDED_ES = (2, 1), (2, 0)
_SAMPLES = 4
_FRAME_OPACITY = 0.6
_IN_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "software", "swiftshader", "gdi generic", "basic")
_STRIDE = 24
_TRIANGLES, _LINES, _FLOAT, _UINT = 0x0004, 0x0001, 0x1406, 0x1405
_DEPTH_TEST, _BLEND, _CULL, _LEQUAL = 0x0B71, 0x0BE2, 0x0B44, 0x0203
_FRONT, _BACK, _COLOR_AND_DEPTH = 0x0404, 0x0405, 0x4100
_RENDERER = 0x1F01
_SRC_ALPHA, _LESS_SRC_ALPHA, _ONE = 0x0302, 0x0303, 1


class _Mesh:
    """All surfaces of one label in the memory of the graphics card, one after another."""

    def __init__(self, label: int, surfaces: Sequence[Surface]) -> None:
        self.label = label
        self.ranges: list[tuple[int, int, int]] = []
        vertices, faces, before, start = [], [], 0, 0
        for surface in surfaces:
            vertices.append(np.hstack([surface.vertices_mm, surface.normals]))
            faces.append(surface.faces + before)
            self.ranges.append((surface.number, start, surface.faces.size))
            before += len(surface.vertices_mm)
            start += surface.faces.size
        self._vertices = _buffer(QOpenGLBuffer.Type.VertexBuffer, np.concatenate(vertices))
        self._faces = _buffer(
            QOpenGLBuffer.Type.IndexBuffer, np.concatenate(faces).astype(np.uint32)
        )

    def bind(self, program: QOpenGLShaderProgram) -> None:
        """Draw from this mesh from now on."""
        self._vertices.bind()
        self._faces.bind()
        _point_at_vertices(program)

    def free(self) -> None:
        """Give its memory back."""
        self._vertices.destroy()
        self._faces.destroy()


class SurfaceRenderer:
    """Lives in the window's thread, with an OpenGL context of its own.

    `in_software`: the processor draws, which takes many times as long as a graphics card.

    Raises:
        NoOpenGLError: there is no OpenGL 2.1 (or ES 2.0) to draw with.
    """

    def __init__(self) -> None:
        self._context = QOpenGLContext()
        if not self._context.create():
            raise NoOpenGLError("no OpenGL context can be made")
        self._surface = QOffscreenSurface()
        self._surface.setFormat(self._context.format())
        self._surface.create()
        self._framebuffer: QOpenGLFramebufferObject | None = None
        self._meshes: list[_Mesh] = []
        self._make_current()
        try:
            self._require_version()
            name = str(self._context.functions().glGetString(_RENDERER)).lower()
            self.in_software = any(word in name for word in _IN_SOFTWARE)
            self._program = _program()
            self._at = {name: _place(self._program.uniformLocation, name) for name in UNIFORMS}
            self._lines = QOpenGLBuffer(QOpenGLBuffer.Type.VertexBuffer)
            self._lines.create()
        finally:
            self._context.doneCurrent()

    def _make_current(self) -> None:
        if not self._surface.isValid() or not self._context.makeCurrent(self._surface):
            raise NoOpenGLError("the OpenGL context cannot be used")

    def _require_version(self) -> None:
        version, embedded = self._context.format().version(), self._context.isOpenGLES()
        if tuple(version) < (_NEEDED_ES if embedded else _NEEDED):
            kind = "OpenGL ES" if embedded else "OpenGL"
            raise NoOpenGLError(f"only {kind} {version[0]}.{version[1]} is there")

    def upload(self, surfaces: Sequence[Surface]) -> None:
        """Draw `surfaces` from now on, those of inner structures before those around them."""
        self._make_current()
        for mesh in self._meshes:
            mesh.free()
        labels = sorted({s.label for s in surfaces}, key=lambda label: label in SHELL_OPACITY)
        self._meshes = [_Mesh(n, [s for s in surfaces if s.label == n]) for n in labels]
        self._context.doneCurrent()

    def render(self, camera: Camera, size: tuple[int, int], scene: Scene) -> QImage:
        """A picture of `size` pixels.

        Raises:
            NoOpenGLError: the context was lost.
        """
        self._make_current()
        try:
            target = self._target(size)
            target.bind()
            self._draw(self._context.functions(), camera, size, scene)
            return target.toImage()
        finally:
            self._context.doneCurrent()

    def _target(self, size: tuple[int, int]) -> QOpenGLFramebufferObject:
        wanted = QSize(*size)
        if self._framebuffer is None or self._framebuffer.size() != wanted:
            kind = QOpenGLFramebufferObjectFormat()
            kind.setAttachment(QOpenGLFramebufferObject.Attachment.CombinedDepthStencil)
            # no antialiasing where the processor draws: docs/adr/0006
            kind.setSamples(0 if self.in_software else _SAMPLES)
            self._framebuffer = QOpenGLFramebufferObject(wanted, kind)
            if not self._framebuffer.isValid():
                self._framebuffer = None
                raise NoOpenGLError("it offers no framebuffer to draw into")
        return self._framebuffer

    def _draw(
        self, gl: QOpenGLFunctions, camera: Camera, size: tuple[int, int], scene: Scene
    ) -> None:
        gl.glViewport(0, 0, *size)
        gl.glClearColor(0.0, 0.0, 0.0, 1.0)
        gl.glDepthMask(1)
        gl.glClear(_COLOR_AND_DEPTH)
        gl.glEnable(_DEPTH_TEST)
        gl.glDepthFunc(_LEQUAL)
        gl.glBlendFuncSeparate(_SRC_ALPHA, _LESS_SRC_ALPHA, _ONE, _LESS_SRC_ALPHA)
        program = self._program
        program.bind()
        view = camera.view(size)
        program.setUniformValue(self._at["u_mvp"], _qt4(camera.projection(size) @ view))
        program.setUniformValue(self._at["u_view"], _qt4(view))
        program.setUniformValue(self._at["u_normal"], QMatrix3x3(tuple(view[:3, :3].ravel())))
        self._set_clip(scene)
        inner = [mesh for mesh in self._meshes if mesh.label not in SHELL_OPACITY]
        for mesh in inner:
            self._draw_mesh(gl, mesh, scene)
        self._draw_frames(gl, scene)
        for mesh in self._meshes[len(inner) :]:
            self._draw_mesh(gl, mesh, scene)
        program.release()

    def _set_clip(self, scene: Scene) -> None:
        """A plane that is not used counts as one that cuts everything."""
        planes = [] if scene.clip is None else list(scene.clip)
        self._program.setUniformValue1i(self._at["u_clipped"], int(bool(planes)))
        for n in range(3):
            plane = planes[n] if n < len(planes) else (0.0, 0.0, 0.0, 1.0)
            self._program.setUniformValue(self._at[f"u_clip{n}"], QVector4D(*map(float, plane)))

    def _draw_mesh(self, gl: QOpenGLFunctions, mesh: _Mesh, scene: Scene) -> None:
        style = scene.styles.get(mesh.label)
        if style is None or not style.visible or style.opacity <= 0:
            return
        opacity = style.opacity * SHELL_OPACITY.get(mesh.label, 1.0)
        mesh.bind(self._program)
        self._program.setUniformValue1i(self._at["u_lit"], 1)
        if opacity >= 1:
            self._draw_parts(gl, mesh, scene, style, opacity)
            return
        gl.glEnable(_BLEND)
        gl.glEnable(_CULL)
        gl.glDepthMask(0)
        gl.glCullFace(_FRONT)
        if not scene.hasty:
            self._draw_parts(gl, mesh, scene, style, opacity * 0.6)
        gl.glCullFace(_BACK)  # of what lies one behind another only the nearest is drawn
        gl.glDepthMask(1)
        gl.glColorMask(0, 0, 0, 0)
        self._draw_parts(gl, mesh, scene, style, opacity)
        gl.glColorMask(1, 1, 1, 1)
        self._draw_parts(gl, mesh, scene, style, opacity)
        gl.glDisable(_CULL)
        gl.glDisable(_BLEND)

    def _draw_parts(
        self, gl: QOpenGLFunctions, mesh: _Mesh, scene: Scene, style: LabelStyle, opacity: float
    ) -> None:
        red, green, blue = (n / 255 for n in style.rgb)
        self._program.setUniformValue(self._at["u_color"], QVector4D(red, green, blue, opacity))
        for chosen, start, count in _runs(mesh.ranges, scene.chosen):
            self._program.setUniformValue1f(self._at["u_glow"], 1.0 if chosen else 0.0)
            gl.glDrawElements(_TRIANGLES, count, _UINT, VoidPtr(4 * start))  # type: ignore[arg-type]

    def _draw_frames(self, gl: QOpenGLFunctions, scene: Scene) -> None:
        if not scene.frames:
            return
        self._program.setUniformValue1i(self._at["u_lit"], 0)
        self._program.setUniformValue1i(self._at["u_clipped"], 0)
        self._program.setUniformValue1f(self._at["u_glow"], 0.0)
        rings = [ring[[0, 1, 1, 2, 2, 3, 3, 0]] for ring, _ in scene.frames]
        points = np.zeros((8 * len(rings), 6), np.float32)
        points[:, :3] = np.concatenate(rings)
        self._lines.bind()
        self._lines.allocate(points.tobytes(), points.nbytes)
        _point_at_vertices(self._program)
        gl.glEnable(_BLEND)
        for n, (_, rgb) in enumerate(scene.frames):
            red, green, blue = (value / 255 for value in rgb)
            self._program.setUniformValue(
                self._at["u_color"], QVector4D(red, green, blue, _FRAME_OPACITY)
            )
            gl.glDrawArrays(_LINES, 8 * n, 8)
        gl.glDisable(_BLEND)
        self._set_clip(scene)

    def close(self) -> None:
        """Give everything back; nothing can be drawn after."""
        if self._context.makeCurrent(self._surface):
            for mesh in self._meshes:
                mesh.free()
            self._meshes, self._framebuffer = [], None
            self._lines.destroy()
            self._program.removeAllShaders()
            self._context.doneCurrent()


def _program() -> QOpenGLShaderProgram:
    program = QOpenGLShaderProgram()
    kind = QOpenGLShader.ShaderTypeBit
    made = program.addShaderFromSourceCode(kind.Vertex, VERTEX)
    made = made and program.addShaderFromSourceCode(kind.Fragment, FRAGMENT)
    for n, name in enumerate(ATTRIBUTES):
        bind: Callable[[Any, int], None] = program.bindAttributeLocation
        bind(name, n)
    if not made or not program.link():
        raise NoOpenGLError(f"its shaders fail: {program.log().strip()[:200]}")
    return program


def _buffer(kind: QOpenGLBuffer.Type, values: NDArray[np.generic]) -> QOpenGLBuffer:
    buffer = QOpenGLBuffer(kind)
    buffer.create()
    buffer.bind()
    buffer.allocate(values.tobytes(), values.nbytes)
    buffer.release()
    return buffer


def _point_at_vertices(program: QOpenGLShaderProgram) -> None:
    """Positions and normals by turns, in the buffer that is bound."""
    for n in range(2):
        program.enableAttributeArray(n)
        program.setAttributeBuffer(n, _FLOAT, 12 * n, 3, _STRIDE)


def _place(find: Callable[[Any], int], name: str) -> int:
    """The number of a variable of a shader. PySide wants its name as a str, its stubs as bytes."""
    return find(name)


def _runs(ranges: list[tuple[int, int, int]], chosen: int) -> Iterator[tuple[bool, int, int]]:
    """What is drawn at once: the chosen surface by itself, others together with neighbors."""
    total = sum(count for *_, count in ranges)
    for number, start, count in ranges:
        if chosen and number == chosen:
            yield True, start, count
            if start:
                yield False, 0, start
            if start + count < total:
                yield False, start + count, total - start - count
            return
    yield False, 0, total


def _qt4(matrix: Matrix) -> QMatrix4x4:
    return QMatrix4x4(*map(float, matrix.ravel()))
