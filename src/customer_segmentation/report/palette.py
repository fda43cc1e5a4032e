"""Colours: a segment has the same one everywhere.

The page names them as CSS variables, so that light, dark and print differ in the style sheet only.
"""

from __future__ import annotations

from collections.abc import Iterable

SEGMENT_COLOURS = [
    ("#0852cb", "#9dbff8"),
    ("#e751a1", "#e366a5"),
    ("#ac8f38", "#fce39f"),
    ("#251776", "#6263d5"),
    ("#7c350e", "#b1582b"),
    ("#4495ea", "#3a9bfd"),
    ("#590a0b", "#f2a89e"),
    ("#876b01", "#b79420"),
]
"""On a light and on a dark ground, each of one hue. Found by search: at least 3 : 1 against the
ground, and the closest two as far apart as possible for people with normal, protan, deutan and
tritan vision (Machado et al. 2009), measured in OKLab."""

LIGHT = {
    "ground": "#ffffff",
    "raised": "#f5f6f8",
    "line": "#d5d9e0",
    "ink": "#171a21",
    "ink-2": "#4b5261",
    "accent": "#0852cb",
    "quiet": "#8a93a3",
    "index-1": "#8a3c00", "index-1-ink": "#ffffff",
    "index-2": "#f2c79b", "index-2-ink": "#171a21",
    "index-3": "#eceef2", "index-3-ink": "#171a21",
    "index-4": "#a9c8f5", "index-4-ink": "#171a21",
    "index-5": "#0a3f9e", "index-5-ink": "#ffffff",
}  # fmt: skip

DARK = {
    "ground": "#14161b",
    "raised": "#1e2128",
    "line": "#3a404c",
    "ink": "#eef0f4",
    "ink-2": "#b4bac6",
    "accent": "#9dbff8",
    "quiet": "#7d8696",
    "index-1": "#f0a35e", "index-1-ink": "#14161b",
    "index-2": "#6e4420", "index-2-ink": "#ffffff",
    "index-3": "#2b2f38", "index-3-ink": "#eef0f4",
    "index-4": "#234a86", "index-4-ink": "#ffffff",
    "index-5": "#9dbff8", "index-5-ink": "#14161b",
}  # fmt: skip

BY_RULE = "var(--quiet)"
"""Of segments that are given by rule: no cluster, no colour."""


def variables(*, dark: bool) -> dict[str, str]:
    """Give every CSS variable of a theme its colour."""
    colours = {
        f"segment-{number}": pair[dark] for number, pair in enumerate(SEGMENT_COLOURS, start=1)
    }
    colours = {**colours, "quiet": (DARK if dark else LIGHT)["quiet"]}
    inks = {f"{name}-ink": ink_on(colour) for name, colour in colours.items()}
    return {**(DARK if dark else LIGHT), **colours, **inks}


def luminance(colour: str) -> float:
    """Relative luminance of a colour, 0 to 1, as WCAG 2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21, as WCAG 2 defines it.

    >>> round(contrast("#ffffff", "#000000"))
    21
    """
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def ink_on(colour: str) -> str:
    """Black or white, whichever is read better on a colour: at least 4.5 : 1.

    >>> ink_on("#251776"), ink_on("#fce39f")
    ('#ffffff', '#000000')
    """
    return max("#000000", "#ffffff", key=lambda ink: contrast(ink, colour))


def ink(variable: str) -> str:
    """Name the ink for a colour's variable.

    >>> ink("var(--segment-1)")
    'var(--segment-1-ink)'
    """
    return variable.replace(")", "-ink)")


def resolved(text: str, *, dark: bool = False) -> str:
    """Put the colours of a theme where ``text`` names variables, for pictures without a page."""
    for name, colour in variables(dark=dark).items():
        text = text.replace(f"var(--{name})", colour)
    return text


def segment_colours(cluster_ids: Iterable[int]) -> dict[int, str]:
    """Give each cluster the colour of its id, or the next that is free.

    So a segment keeps its colour from one report to the next, as its id does. From the ninth
    segment on colours repeat; the number beside them doesn't.

    >>> segment_colours([1, 2, 9])
    {1: 'var(--segment-1)', 2: 'var(--segment-2)', 9: 'var(--segment-3)'}
    """
    taken: dict[int, int] = {}
    size = len(SEGMENT_COLOURS)
    for cluster in sorted(cluster_ids):
        wanted = [(cluster - 1 + step) % size for step in range(size)]
        used = set(taken.values()) if len(taken) < size else set()
        taken[cluster] = next(place for place in wanted if place not in used)
    return {cluster: f"var(--segment-{place + 1})" for cluster, place in taken.items()}
