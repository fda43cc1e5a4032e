"""What is written about the project is true of it."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

PROJECT = Path(__file__).parents[2]


def test_help_lists_every_target() -> None:
    listed = subprocess.run(
        ["make", "-s", "help"], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):(?!=)", makefile, flags=re.MULTILINE)
    assert re.findall(r"^make ([a-z-]+) {2,}\S", listed, flags=re.MULTILINE) == targets
    phony = re.search(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == set(targets)


@pytest.mark.parametrize("target", ["build", "report", "test"])
def test_the_readme_starts_with_the_targets(target: str) -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    start = readme.split("## Start\n")[1].split("\n## ")[0]
    assert re.search(rf"^make {target} ", start, flags=re.MULTILINE)


def test_decisions_are_listed_with_date_and_status() -> None:
    folder = PROJECT / "docs" / "decisions"
    rows = re.findall(
        r"^\| \[.*$", (folder / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    expected = []
    for decision in sorted(folder.glob("0*.md")):
        said = re.match(
            r"# (\d{4} .+)\n\n- Date: (\d{4}-\d\d-\d\d)\n- Status: (.+)\n\n",
            decision.read_text(encoding="utf-8"),
        )
        assert said, f"{decision.name} doesn't begin with title, date and status"
        expected.append(f"| [{said[1]}]({decision.name}) | {said[2]} | {said[3]} |")
    assert rows == expected


def test_hooks_run_what_lint_runs() -> None:
    hooks = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    lint = makefile.split("\nlint:")[1].split("\n\n")[0]
    for hook in hooks["repos"][0]["hooks"]:
        assert " ".join(hook["entry"].split()[:2]).removesuffix(" --force-exclude") in lint


def test_every_list_of_requirements_is_resolved_pinned_and_audited() -> None:
    lists = {path.stem for path in PROJECT.glob("requirements*.in")}
    assert lists == {path.stem for path in PROJECT.glob("requirements*.txt")}
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    resolved = re.search(r"for name in (requirements.*); do", makefile)
    assert resolved
    assert set(resolved[1].split()) == lists
    for name in lists:
        pinned = (PROJECT / f"{name}.txt").read_text(encoding="utf-8")
        pins = re.findall(
            r"^([\w.-]+)==(\S+)(?: ;.*)? \\\n    --hash=sha256:", pinned, re.MULTILINE
        )
        assert len(pins) == len(re.findall(r"^\w", pinned, re.MULTILINE)), f"{name}: unhashed"
        for line in re.findall(r"^\w.*$", (PROJECT / f"{name}.in").read_text(), re.MULTILINE):
            wanted = Requirement(line)
            versions = [version for package, version in pins if package == wanted.name]
            assert versions, f"{name}.in names {wanted.name}: make requirements"
            assert all(map(wanted.specifier.contains, versions)), f"{line}: make requirements"
    workflow = yaml.safe_load((PROJECT / ".github" / "workflows" / "ci.yml").read_text())
    steps = [step.get("run", "") for step in workflow["jobs"]["audit"]["steps"]]
    assert any("requirements*.txt" in step and "pip-audit" in step for step in steps)
