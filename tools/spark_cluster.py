"""A Spark cluster on this machine: a master and workers on the loopback interface.

    python tools/spark_cluster.py [--workers 2] [--memory 3g] -- command ...

runs a command with SPARK_MASTER set, and stops the cluster after it.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SECONDS_TO_START = 60


@contextmanager
def cluster(num_workers: int = 2, cores: int = 1, memory: str = "3g") -> Iterator[str]:
    """Start a master and its workers: yields its address.

    Raises ``TimeoutError`` if they do not start.
    """
    import pyspark

    home = Path(pyspark.__file__).parent
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"spark://127.0.0.1:{port}"
    started: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "cluster.log"
        environment = os.environ | {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"}

        def start(name: str, *arguments: str) -> None:
            command = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}"]
            with log.open("ab") as stream:
                started.append(
                    subprocess.Popen(
                        [*command, "--host", "127.0.0.1", "--webui-port", "0", *arguments],
                        env=environment, cwd=folder, stdout=stream, stderr=stream,
                        start_new_session=True,
                    )
                )  # fmt: skip

        try:
            start("master.Master", "--port", str(port))
            for number in range(num_workers):
                work = str(Path(folder) / f"worker_{number}")
                start(
                    "worker.Worker", "--cores", str(cores), "--memory", memory, "-d", work, address
                )
            wait_for(log, num_workers)
            yield address
        finally:
            for process in started:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
            for process in started:
                process.wait()


def wait_for(log: Path, num_workers: int) -> None:
    """Wait until the master knows its workers."""
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        said = log.read_text(errors="replace") if log.exists() else ""
        if said.count("Registering worker") >= num_workers:
            return
        time.sleep(0.2)
    raise TimeoutError(f"The cluster did not start: {said[-2000:]}")


def main() -> None:
    """Run a command with a cluster."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--memory", default="3g")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    with cluster(options.workers, options.cores, options.memory) as address:
        environment = os.environ | {"SPARK_MASTER": address, "SPARK_LOCAL_IP": "127.0.0.1"}
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)


if __name__ == "__main__":
    main()
