"""The picture ``docs/roof.svg`` of the benchmark ``roof``: what share of the roof each program reaches."""

from collections.abc import Mapping
from html import escape

# a name in the picture, its key in the figures, and the peer in PyTorch
CASES = (
    ("one 784-128-128-10, batch 100", "one_100", "eager"),
    ("… batch 20", "one_20", "eager"),
    ("… batch 5", "one_5", "eager"),
    ("1,000 of 64-64-32-10, batch 32", "digits_32_1000", "eager"),
    ("1,000 of 2-32-16-3, batch 133", "wine_full_1000", "eager"),
    ("convolutions 8, 16, batch 100", "cnn_a_100", "channels_last"),
)
COLORS = {"treino": "#c2410c", "JAX": "#2563eb", "PyTorch": "#6b7280"}
LEFT, WIDTH, BAR, GAP, TOP = 230, 420, 12, 14, 44


def picture(figures: Mapping[str, float]) -> str:
    """The SVG: bars as long as the share, a group for each case, and the roof as a line at 100 %."""
    below = TOP
    parts = []
    for name, key, peer in CASES:
        share = figures[f"{key}_share"]
        shares = {"treino": share}
        if f"{key}_JAX" in figures:
            shares["JAX"] = share / figures[f"{key}_JAX"]
        shares["PyTorch"] = share / figures[f"{key}_{peer}"]
        middle = below + BAR * len(shares) / 2 + 4
        parts.append(f'<text x="{LEFT - 8}" y="{middle:g}" text-anchor="end">{escape(name)}</text>')
        for program, value in shares.items():
            wide = WIDTH * min(value, 1.1)
            parts.append(
                f'<rect x="{LEFT}" y="{below}" width="{wide:.1f}" height="{BAR - 2}" '
                f'fill="{COLORS[program]}"/>'
                f'<text x="{LEFT + wide + 4:.1f}" y="{below + BAR - 3}" font-size="10">{value:.0%}</text>'
            )
            below += BAR
        below += GAP
    keys = "".join(
        f'<rect x="{LEFT + 90 * i}" y="10" width="10" height="10" fill="{color}"/>'
        f'<text x="{LEFT + 90 * i + 14}" y="19">{name}</text>'
        for i, (name, color) in enumerate(COLORS.items())
    )
    roof = LEFT + WIDTH
    width = roof + 90
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {below}" font-family="sans-serif" '
        f'font-size="12" fill="#1f2937" role="img">\n'
        "<title>Share of a core's products in a step with Adam, one thread</title>\n"
        f'<rect width="{width}" height="{below}" fill="#ffffff"/>\n'
        f"{keys}\n"
        f'<line x1="{roof}" y1="28" x2="{roof}" y2="{below - GAP}" stroke="#1f2937" '
        'stroke-dasharray="4 3"/>\n'
        f'<text x="{roof}" y="22" text-anchor="middle">the roof</text>\n' + "\n".join(parts) + "\n</svg>\n"
    )
