"""Nothing leaves the machine: a shop is built and reported where there is no network at all.

The commands run in a network namespace of their own, where the kernel counts what there is no route
for: so a try to reach somebody is seen even where the program keeps quiet about its failure. (What
is sent to an IPv6 address fails too, but is not counted.)
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from conftest import PROJECT, QUICK

NAMESPACE = ["unshare", "--user", "--map-root-user", "--net"]

THEN_COUNT = '"$@"; status=$?; cat /proc/net/snmp >&2; exit $status'
"""The counters are read inside, by a process of the namespace; they end with it."""

LOOK_AROUND = """
import socket
print([name for _, name in socket.if_nameindex()])
try:
    socket.create_connection(("192.0.2.1", 443), timeout=5)  # kept free for documentation: RFC 5737
except OSError as error:
    print("no way:", error)
"""

ORDERS = "customer,order_no,day,amount\n" + "".join(
    f"c{i % 40},o{i},2024-{i % 12 + 1:02d}-11,{i % 17 + 1}.50\n" for i in range(200)
)
COLUMNS = {
    "customer_id": "customer",
    "order_id": "order_no",
    "ordered_at": "day",
    "amount": "amount",
}


def why_not() -> str | None:
    """Why no namespace can be had here; None where one can."""
    if shutil.which(NAMESPACE[0]) is None:
        return "there is no unshare: network namespaces are Linux's"
    tried = subprocess.run([*NAMESPACE, "true"], capture_output=True, text=True)
    return f"the kernel allows no namespace: {tried.stderr.strip()}" if tried.returncode else None


REASON = why_not()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(REASON is not None, reason=REASON or "")]


@dataclass
class Outcome:
    """What a command did without a network."""

    succeeded: bool
    written: str
    num_tries: int
    """Connections and packets for which there was no route."""


def without_network(folder: Path, *command: str) -> Outcome:
    """Run ``command`` without a network; what it writes by itself goes into ``folder``."""
    names = {"DUCKDB_PATH": "shop.duckdb", "DBT_TARGET_PATH": "target", "DBT_LOG_PATH": "logs"}
    # As a person's machine has it: nothing asks dbt to be quiet but the project itself.
    quiet = {"DO_NOT_TRACK", "DBT_SEND_ANONYMOUS_USAGE_STATS"}
    environment = {name: value for name, value in os.environ.items() if name not in quiet}
    ran = subprocess.run(
        [*NAMESPACE, "sh", "-c", THEN_COUNT, "sh", *command],
        cwd=PROJECT,
        env=environment | {name: str(folder / value) for name, value in names.items()},
        capture_output=True,
        text=True,
    )
    headings, values = re.findall(r"^Ip: (.+)$", ran.stderr, re.MULTILINE)
    counted = dict(zip(headings.split(), values.split(), strict=True))
    return Outcome(ran.returncode == 0, ran.stdout + ran.stderr, int(counted["OutNoRoutes"]))


def test_a_try_to_reach_somebody_fails_there_and_is_counted(tmp_path: Path) -> None:
    looked = without_network(tmp_path, sys.executable, "-c", LOOK_AROUND)
    assert looked.succeeded, looked.written
    assert "['lo']" in looked.written
    assert "no way: " in looked.written
    assert looked.num_tries == 1


def test_a_build_and_its_report_need_no_network_and_try_none(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(ORDERS)
    variables = QUICK | {
        "dataset": "mine",
        "orders_location": str(tmp_path / "orders.csv"),
        "order_columns": COLUMNS,
    }
    command = ["customer-segmentation", "build", "--vars", yaml.safe_dump(variables)]
    built = without_network(tmp_path, *command)
    assert built.succeeded, built.written
    reported = without_network(
        tmp_path, "customer-segmentation", "report", "--site", str(tmp_path / "site")
    )
    assert reported.succeeded, reported.written
    assert (tmp_path / "site" / "report" / "index.html").is_file()
    assert (built.num_tries, reported.num_tries) == (0, 0)
