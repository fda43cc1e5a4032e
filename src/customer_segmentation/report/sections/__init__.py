"""The sections of the report, in the order of the page: who, what to do, how sure, from what."""

from __future__ import annotations

from collections.abc import Callable

from customer_segmentation.report.section import Section
from customer_segmentation.report.sections.customers import customers
from customer_segmentation.report.sections.exclusions import exclusions
from customer_segmentation.report.sections.metrics import metrics
from customer_segmentation.report.sections.outcomes import outcomes
from customer_segmentation.report.sections.profiles import profiles
from customer_segmentation.report.sections.rules import rules
from customer_segmentation.report.sections.segment_count import segment_count
from customer_segmentation.report.sections.segments import segments
from customer_segmentation.report.sections.stages import stages
from customer_segmentation.report.sections.targets import targets
from customer_segmentation.report.shop import Shop

SECTIONS: list[Callable[[Shop], Section]] = [
    segments,
    targets,
    profiles,
    rules,
    customers,
    stages,
    outcomes,
    segment_count,
    metrics,
    exclusions,
]
