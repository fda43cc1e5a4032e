"""Colours: legible on both grounds, and told apart by people who see fewer colours."""

import itertools

import numpy as np
import pytest

from customer_segmentation.report.palette import (
    SEGMENT_COLOURS,
    contrast,
    ink,
    segment_colours,
    variables,
)

# How the eye mixes linear red, green and blue when one kind of cone is missing (Machado, Oliveira
# and Fernandes 2009, severity 1.0).
VISION = {
    "normal": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def oklab(colour: str, vision: str) -> np.ndarray:
    """The colour in OKLab (Ottosson 2020), as somebody with this vision sees it."""
    red_green_blue = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    linear = np.where(
        red_green_blue <= 0.04045, red_green_blue / 12.92, ((red_green_blue + 0.055) / 1.055) ** 2.4
    )
    seen = np.clip(np.asarray(VISION[vision]) @ linear, 0, 1)
    cones = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    lab = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    return np.asarray(lab) @ np.cbrt(np.asarray(cones) @ seen)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("vision", VISION)
def test_no_two_segments_look_alike(vision: str, dark: bool) -> None:
    seen = [oklab(pair[dark], vision) for pair in SEGMENT_COLOURS]
    closest = min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2))
    assert closest >= 0.1


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_marks_and_text_stand_out_from_their_ground(dark: bool) -> None:
    colours = variables(dark=dark)
    for number in range(1, len(SEGMENT_COLOURS) + 1):
        assert contrast(colours[f"segment-{number}"], colours["ground"]) >= 3
    for name, colour in colours.items():
        if name.endswith("-ink"):
            assert contrast(colour, colours[name.removesuffix("-ink")]) >= 4.5, name
    for name in ("ink", "ink-2", "accent"):
        for ground in ("ground", "raised"):
            assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
    assert contrast(colours["quiet"], colours["ground"]) >= 3


def test_a_segment_keeps_its_colour_when_others_go() -> None:
    before, after = segment_colours([1, 2, 3, 4]), segment_colours([1, 3, 4, 7])
    assert {cluster: after[cluster] for cluster in (1, 3, 4)} == {
        cluster: before[cluster] for cluster in (1, 3, 4)
    }
    assert len(set(after.values())) == 4


def test_more_segments_than_colours_share_them_evenly() -> None:
    colours = list(segment_colours(range(1, 21)).values())
    assert max(colours.count(colour) for colour in colours) <= 3
    assert ink(colours[0]).endswith("-ink)")
