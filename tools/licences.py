"""Which licence each package of requirements.txt states: the table in docs/security.md.

`make licences` writes it, from what the installed packages say of themselves.
"""

from __future__ import annotations

import re
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path

PROJECT = Path(__file__).parents[1]
PAGE = PROJECT / "docs" / "security.md"

WORDS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "Apache-2": "Apache-2.0",
    "Apache-2.0": "Apache-2.0",
    # Which of the BSD licences, such packages don't say in words.
    "BSD License": "BSD",
    "BSD-3-Clause": "BSD-3-Clause",
    "GPLv2+": "GPL-2.0-or-later",
    "MIT": "MIT",
    "MIT License": "MIT",
    "MPL-2.0": "MPL-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""What packages write where they give no SPDX expression."""

READ_BY_US = {
    "kneed": "BSD-3-Clause",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "text-unidecode": "Artistic-1.0-Perl OR GPL-2.0-or-later",
    # Windows has no time zones of its own, and only there it is installed.
    "tzdata": "Apache-2.0",
}
"""From the licence files of packages whose metadata don't say it in one word."""

ALLOWED = {
    "0BSD", "Apache-2.0", "Artistic-1.0-Perl", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0",
    "ISC", "MIT", "MPL-2.0", "PSF-2.0", "Zlib",
}  # fmt: skip
"""Permissive licences, and those whose copyleft ends at their own files."""

KNOWN_TO_BE_OTHERWISE = {"diptest": "GPL-2.0-or-later"}
"""Accepted with open eyes; docs/security.md says what follows."""


def pins(requirements: str) -> dict[str, list[str]]:
    """Versions of each package: several where they depend on Python's."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", requirements, re.MULTILINE):
        found.setdefault(name, []).append(version)
    return found


def stated(package: PackageMetadata) -> str | None:
    """Read the licence from the metadata of a package; None if it isn't said in known words.

    Of several classifiers nobody knows whether one may choose, so they count as not said.
    """
    if "License-Expression" in package:
        return package["License-Expression"]
    classifiers = [
        text.split(" :: ")[-1]
        for text in package.get_all("Classifier") or []
        if text.startswith("License :: ")
    ]
    texts = package.get_all("License") or []
    if len(classifiers) == 1:
        texts += classifiers
    return next((WORDS[text] for text in texts if text in WORDS), None)


def licence(name: str) -> str:
    """Give the licence of a package; raises ``ValueError`` if nobody knows it."""
    if name in READ_BY_US:
        return READ_BY_US[name]
    try:
        found = stated(metadata(name))
    except PackageNotFoundError:
        found = None
    if found is None:
        raise ValueError(
            f"The package '{name}' states no licence in known words, or is not installed here."
            " Read its licence file, and add it to READ_BY_US of tools/licences.py."
        )
    return found


def is_allowed(expression: str) -> bool:
    """Whether an SPDX expression can be met by allowed licences; one with brackets can't."""
    return any(ALLOWED.issuperset(choice.split(" AND ")) for choice in expression.split(" OR "))


def table(requirements: str) -> str:
    """Write a row per package: name, versions, licence."""
    rows = [
        f"| {name} | {', '.join(versions)} | {licence(name)} |"
        for name, versions in pins(requirements).items()
    ]
    return "\n".join(["| Package | Version | Licence |", "|---|---|---|", *rows, ""])


def with_licences(page: str, requirements: str) -> str:
    """Put the table, which is the last thing on the page, into its text."""
    return page[: page.index("| Package |")] + table(requirements)


if __name__ == "__main__":
    PAGE.write_text(
        with_licences(
            PAGE.read_text(encoding="utf-8"),
            (PROJECT / "requirements.txt").read_text(encoding="utf-8"),
        ),
        encoding="utf-8",
    )
