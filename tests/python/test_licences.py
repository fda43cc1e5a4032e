"""Licences of what is installed: the table of docs/security.md is true, and nothing slipped in."""

import pytest
from conftest import PROJECT

from licences import KNOWN_TO_BE_OTHERWISE, PAGE, is_allowed, licence, pins, with_licences

REQUIREMENTS = (PROJECT / "requirements.txt").read_text(encoding="utf-8")


def test_the_table_is_of_what_is_pinned() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_licences(page, REQUIREMENTS), "it is of other requirements: make licences"


def test_no_package_has_a_licence_that_nobody_agreed_to() -> None:
    others = {name: licence(name) for name in pins(REQUIREMENTS) if not is_allowed(licence(name))}
    assert others == KNOWN_TO_BE_OTHERWISE, "a licence to decide about: see tools/licences.py"


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT AND Zlib", True),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("AGPL-3.0-or-later", False),
        ("MIT AND (MIT OR GPL-3.0-only)", False),
    ],
)
def test_an_expression_is_met_by_one_of_its_choices(expression: str, allowed: bool) -> None:
    assert is_allowed(expression) == allowed


def test_a_package_that_states_nothing_is_a_question() -> None:
    with pytest.raises(ValueError, match=r"'no-such-package' states no licence .* READ_BY_US"):
        licence("no-such-package")


def test_several_versions_of_a_package_are_one_row() -> None:
    assert pins(
        "a==1.2 \\\n    --hash=sha256:00\n    # via b\n"
        "b-c==3 ; python_full_version < '3.12' \\\nb-c==4 ; python_full_version >= '3.12' \\\n"
    ) == {"a": ["1.2"], "b-c": ["3", "4"]}
