"""The project's defaults, which stand in dbt_project.yml and nowhere else."""

from pathlib import Path

import yaml

from customer_segmentation.choice import Thresholds

VARS = yaml.safe_load((Path(__file__).parents[1] / "dbt_project.yml").read_text())["vars"]

LIMITS = {name: VARS[name] for name in Thresholds.__annotations__}

THRESHOLDS = Thresholds(**LIMITS)
