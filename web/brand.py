"""The operator's colour as a stylesheet, with whichever of white and black can be read on it."""

_LEAST_CONTRAST = 4.5
"""Of text to its ground: WCAG 2.2, success criterion 1.4.3."""


def stylesheet(colour: str) -> str:
    """Two custom properties, for the stylesheet of the pages to use; `colour` is `#rrggbb`."""
    return f":root{{--brand:{colour};--on-brand:{_readable_on(colour)}}}\n"


def _readable_on(colour: str) -> str:
    # Where white is too faint, black has a contrast of 4.67 or more.
    return "#ffffff" if 1.05 / (_luminance(colour) + 0.05) >= _LEAST_CONTRAST else "#000000"


def _luminance(colour: str) -> float:
    """Relative luminance, from 0 (black) to 1 (white), as WCAG 2.2 defines it for sRGB."""
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(share: float) -> float:
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - WCAG's constants
