"""What SQL can't do well: the steps of customer_segmentation that need scikit-learn and SciPy.

dbt's Python models call the functions of its modules; each takes and returns plain data frames. In
a notebook, ``load`` opens what a build left behind:

>>> import customer_segmentation
>>> shop = customer_segmentation.load("customer_segmentation.duckdb")  # doctest: +SKIP
>>> shop.segments, shop.profiles  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from customer_segmentation.segmentation import Segmentation, load

__all__ = ["Segmentation", "load"]


def __getattr__(name: str) -> Any:
    """Import what a notebook needs when it is asked for: scikit-learn takes two seconds."""
    if name in __all__:
        return getattr(import_module("customer_segmentation.segmentation"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
