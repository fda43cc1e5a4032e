"""A parsed project that is used again is what dbt would parse."""

import pickle
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import ONLY_WHETHER, PARSE_TIME, PROJECT, VARS, parsed, with_vars


def read_when_parsing() -> set[str]:
    """Vars in YAML, and in SQL up to a ``config()``; of descriptions none is one."""
    texts = [
        path.read_text()
        for folder in ("models", "seeds", "tests", "analyses")
        for path in (PROJECT / folder).rglob("*.yml")
    ]
    for path in [*(PROJECT / "models").rglob("*.sql"), *(PROJECT / "tests").rglob("*.sql")]:
        lines = path.read_text().splitlines()
        # A config, and what is set before it for it.
        ends = [number for number, line in enumerate(lines) if "config(" in line]
        texts += lines[: max(ends, default=-1) + 1]
    return {name for text in texts for name in re.findall(r"\bvar\('(\w+)'", text)}


def options(folder: Path, variables: dict[str, Any]) -> list[str]:
    return [
        "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--vars", str(variables),
        "--target-path", str(folder), "--log-path", str(folder),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[dict[str, Any], Any]]:
    """The project as it is, and with another value for each var that only ``meta`` has."""
    found = []
    for number in range(2):
        others = {
            name: 7 if isinstance(value, int | float) else ["num_orders"]
            for name, value in VARS.items()
            if number and name in read_when_parsing() - PARSE_TIME and not isinstance(value, dict)
        }
        folder = tmp_path_factory.mktemp("parsed")
        found.append((others, pickle.loads(parsed(options(folder, others)))))
    return found


def test_meta_is_what_dbt_makes_of_it(manifests: list[tuple[dict[str, Any], Any]]) -> None:
    (_, before), (variables, after) = manifests
    assert len(variables) > 15
    for unique_id, node in after.nodes.items():
        said = before.nodes[unique_id].unrendered_config.get("meta", {})
        assert with_vars(said, variables) == node.config.meta


def test_nothing_else_depends_on_the_vars_of_meta(
    manifests: list[tuple[dict[str, Any], Any]],
) -> None:
    (_, before), (_, after) = manifests
    apart = {"meta", "created_at", "build_path"}
    for unique_id, node in after.nodes.items():
        one, other = (
            {k: v for k, v in m.nodes[unique_id].to_dict().items() if k not in apart}
            for m in (before, after)
        )
        one["config"].pop("meta"), other["config"].pop("meta")
        assert one == other, node.name


def test_vars_that_decide_what_is_parsed_are_known() -> None:
    in_config = {
        name
        for path in [*(PROJECT / "models").rglob("*.yml"), PROJECT / "seeds" / "_seeds.yml"]
        for name in re.findall(
            r"(?:enabled|materialized): \"{{.*?var\('(\w+)'.*}}\"", path.read_text()
        )
    }
    assert {"orders_location", "rows_are"} <= in_config
    assert in_config <= PARSE_TIME
    assert ONLY_WHETHER < PARSE_TIME
