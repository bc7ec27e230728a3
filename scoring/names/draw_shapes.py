"""Make shapes.txt anew: draw every character of GB 2312 with a font and compare the pictures. Run by hand.

usage: python -m scoring.names.draw_shapes FONT > scoring/names/shapes.txt

FONT is a file with Chinese glyphs; needs Pillow, which the project itself does without. Two characters look alike when
their blurred pictures do, whole or without what stands at the left (晴, 睛), and few others are nearer to either.
"""

import sys
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

_LEVELS, _CELLS = range(0xB0, 0xF8), range(0xA1, 0xFF)
_CANVAS, _PIXELS, _LEFT = 64, 32, 13
_OF_PART = 0.85  # what the picture without its left counts, against the whole
_COMMON = 0.8  # share of the mean picture taken off, so that what all characters have in common counts little
_ALIKE, _NEAREST = (0.45, 0.6), (12, 10)  # likeness and rank of loose and of close pairs
_HEAD = (
    "# Simplified characters that look alike: a character, those like it | those somewhat like it; each pair once.",
    "# By draw_shapes.py with WenQuanYi Micro Hei; only the likeness of pictures is kept, nothing of the font.",
)


def main() -> None:
    """Print the table."""
    characters = _characters()
    pictures = [_drawn(char, ImageFont.truetype(sys.argv[1], 56)) for char in characters]
    whole = (_likeness(pictures, 1.0, 0) + _likeness(pictures, 2.0, 0)) / 2
    alike = np.maximum(whole, _OF_PART * _likeness(pictures, 1.2, _LEFT))
    order = np.argsort(-alike, axis=1, kind="stable")
    rank = np.argsort(order, axis=1)
    rank = np.minimum(rank, rank.T)
    loose, close = (np.triu((alike >= least) & (rank < most), 1) for least, most in zip(_ALIKE, _NEAREST, strict=True))
    print("\n".join(_HEAD))
    for row, char in enumerate(characters):
        near = "".join(characters[at] for at in np.flatnonzero(close[row]))
        far = "".join(characters[at] for at in np.flatnonzero(loose[row] & ~close[row]))
        if near or far:
            print(f"{char} {near}|{far}")


def _characters() -> list[str]:
    pairs = (bytes([level, cell]) for level in _LEVELS for cell in _CELLS)
    return sorted(char for char in (pair.decode("gb2312", errors="ignore") for pair in pairs) if char)


def _drawn(char: str, font: Any) -> Any:
    picture = Image.new("L", (_CANVAS, _CANVAS), 0)
    ImageDraw.Draw(picture).text((4, -2), char, font=font, fill=255)
    return picture


def _likeness(pictures: list[Any], blur: float, left: int) -> np.ndarray:
    """Correlation of every two pictures, blurred, without so many columns at the left."""
    small = [picture.filter(ImageFilter.GaussianBlur(blur)).resize((_PIXELS, _PIXELS)) for picture in pictures]
    rows = np.stack([np.asarray(picture, np.float32)[:, left:].ravel() for picture in small])
    rows -= _COMMON * rows.mean(axis=0)
    rows -= rows.mean(axis=1, keepdims=True)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True) + 1e-6
    alike: np.ndarray = rows @ rows.T
    np.fill_diagonal(alike, 0)
    return alike


if __name__ == "__main__":
    main()
