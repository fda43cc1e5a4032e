"""The sections of the report, in the order of its two pages.

What a marketer reads: who, what to do, who moves, what grows. What an analyst reads: how they
differ, how sure that is, and from what.
"""

from __future__ import annotations

from collections.abc import Callable

from customer_segmentation.report.section import Section
from customer_segmentation.report.sections.customers import customers
from customer_segmentation.report.sections.exclusions import exclusions
from customer_segmentation.report.sections.growth import growth
from customer_segmentation.report.sections.metrics import metrics
from customer_segmentation.report.sections.movement import movement
from customer_segmentation.report.sections.outcomes import outcomes
from customer_segmentation.report.sections.profiles import profiles
from customer_segmentation.report.sections.rules import rules
from customer_segmentation.report.sections.segment_count import segment_count
from customer_segmentation.report.sections.segments import segments
from customer_segmentation.report.sections.stages import stages
from customer_segmentation.report.sections.targets import targets
from customer_segmentation.report.shop import Shop

FOR_MARKETERS: list[Callable[[Shop], Section]] = [
    segments,
    targets,
    movement,
    growth,
]

FOR_ANALYSTS: list[Callable[[Shop], Section]] = [
    profiles,
    rules,
    customers,
    stages,
    outcomes,
    segment_count,
    metrics,
    exclusions,
]

SECTIONS = [*FOR_MARKETERS, *FOR_ANALYSTS]
