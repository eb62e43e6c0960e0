"""The two shaders of the 3D pane, in the GLSL that OpenGL 2.1 and ES 2.0 share."""

ATTRIBUTES = ("a_position", "a_normal")
UNIFORMS = (
    *("u_mvp", "u_view", "u_normal", "u_color", "u_lit", "u_glow"),
    *("u_clipped", "u_clip0", "u_clip1", "u_clip2"),
)

VERTEX = """
attribute vec3 a_position;
attribute vec3 a_normal;
uniform mat4 u_mvp;
uniform mat4 u_view;
uniform mat3 u_normal;
varying vec3 v_mm;
varying vec3 v_eye;
varying vec3 v_normal;
void main() {
    v_mm = a_position;
    v_eye = (u_view * vec4(a_position, 1.0)).xyz;
    v_normal = u_normal * a_normal;
    gl_Position = u_mvp * vec4(a_position, 1.0);
}
"""

FRAGMENT = """
#ifdef GL_ES
precision highp float;
#endif
uniform vec4 u_color;
uniform int u_lit;
uniform float u_glow;
uniform int u_clipped;
uniform vec4 u_clip0;
uniform vec4 u_clip1;
uniform vec4 u_clip2;
varying vec3 v_mm;
varying vec3 v_eye;
varying vec3 v_normal;
void main() {
    vec4 at = vec4(v_mm, 1.0);
    if (u_clipped == 1 && dot(u_clip0, at) > 0.0 && dot(u_clip1, at) > 0.0
            && dot(u_clip2, at) > 0.0)
        discard;
    if (u_lit == 0) {
        gl_FragColor = u_color;
        return;
    }
    vec3 to_eye = normalize(-v_eye);
    vec3 normal = normalize(v_normal);
    float facing = dot(normal, to_eye);
    vec3 lamp = normalize(to_eye + vec3(0.25, 0.35, 0.0));
    float light = 0.40 + 0.75 * abs(dot(normal, lamp));
    float shine = pow(max(dot(normal, normalize(lamp + to_eye)), 0.0), 40.0);
    float rim = pow(1.0 - min(abs(facing), 1.0), 2.0);
    vec3 color = u_color.rgb * light + 0.22 * shine * step(0.0, facing);
    float alpha = u_color.a;
    if (u_color.a >= 1.0) {
        if (!gl_FrontFacing)  // the inside of what is cut open, like a cut through something solid
            color = u_color.rgb * 0.72;
    } else {
        color += 0.30 * rim * (u_color.rgb + 0.35);
        alpha = mix(alpha, min(1.0, alpha + 0.55), rim);
    }
    color = mix(color, vec3(1.0), u_glow * (0.18 + 0.5 * rim));
    gl_FragColor = vec4(color, alpha);
}
"""
