"""A parsed project is used again only for vars that dbt does not read when it parses."""

import re

from conftest import PARSE_TIME, PROJECT

# They decide what is referenced: the seeds or a source, the versions or a pinned one.
REFERENCES = {"orders_location", "customers_location", "model_version"}


def test_every_var_in_yaml_or_in_a_config_is_one_that_dbt_reads_when_it_parses() -> None:
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
    found = {name for text in texts for name in re.findall(r"\bvar\('(\w+)'", text)}
    assert "rows_are" in found
    assert found | REFERENCES == PARSE_TIME
