"""The command line: ``customer-segmentation build``, ``report`` and ``docs``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import yaml

site_option = click.option(
    "--site",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("site"),
    show_default=True,
    help="Folder that a static host can serve.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="customer_segmentation")
def main() -> None:
    """Build customer segments, and publish them."""


vars_file_option = click.option(
    "--vars-file",
    envvar="SHOP_VARS",
    type=click.Path(path_type=Path),
    help="A YAML file of vars. The database is named like it unless DUCKDB_PATH is set.",
)


def database_of(vars_file: Path | None) -> Path:
    """Name the database: as DUCKDB_PATH says, else like the vars file."""
    name = f"{vars_file.stem}_segments" if vars_file is not None else "customer_segmentation"
    return Path(os.environ.get("DUCKDB_PATH") or f"{name}.duckdb")


def shop_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Say which shop: a file of vars, and locations beside it."""
    for option in (
        click.option("--vars", "further", help="More vars, as YAML; they win over the file's."),
        click.option(
            "--customers",
            envvar="SHOP_CUSTOMERS",
            help="Where the customers are (customers_location).",
        ),
        click.option(
            "--orders", envvar="SHOP_ORDERS", help="Where the orders are (orders_location)."
        ),
        vars_file_option,
    ):
        command = option(command)
    return command


def shop_vars(
    vars_file: Path | None, orders: str | None, customers: str | None, further: str | None
) -> dict[str, Any]:
    """Read the vars of a shop, and name its database like its file."""
    from customer_segmentation.building import vars_of

    variables = vars_of(vars_file, orders, customers, further)
    os.environ["DUCKDB_PATH"] = str(database_of(vars_file))
    return variables


@main.command(context_settings={"ignore_unknown_options": True})
@shop_options
@click.option(
    "--project-dir",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Folder of the dbt project.  [default: this folder]",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[DBT'S ARGUMENTS]...")
def build(project_dir: Path, arguments: tuple[str, ...], **shop: Any) -> None:
    """Build the segments: dbt build with short progress and a failure in one sentence.

    All arguments of dbt build may be given, such as --select staging or --full-refresh. The
    project's unit tests, which no orders can change, are left to dbt build and make test.
    """
    from customer_segmentation.building import run

    raise SystemExit(run(["build", *arguments], shop_vars(**shop), project_dir))


def not_writable(site: Path, problem: OSError) -> click.ClickException:
    """Say that nothing can be written into ``site``."""
    return click.ClickException(
        f"'{site}' can't be written: {problem.strerror}. Name another folder with --site."
    )


@main.command()
@shop_options
@click.argument("path", type=click.Path(dir_okay=False), default="registry.csv")
def export_registry(path: str, **shop: Any) -> None:
    """Write the fitted versions to PATH, a CSV that another machine can score with."""
    from customer_segmentation.building import run

    arguments = ["run-operation", "export_registry", "--args", yaml.safe_dump({"path": path})]
    raise SystemExit(run(arguments, shop_vars(**shop), Path()))


@main.command()
@click.option(
    "--database",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The database that was built.  [default: DUCKDB_PATH, the one named like the vars file,"
    " or customer_segmentation.duckdb]",
)
@vars_file_option
@site_option
def report(database: Path | None, vars_file: Path | None, site: Path) -> None:
    """Write the report for marketing.

    It is one HTML file that needs no network; its plots are beside it as SVG.
    """
    started = time.perf_counter()
    database = database or database_of(vars_file)
    click.echo(f"Reading {database} ...")
    from customer_segmentation.database import NotReadable
    from customer_segmentation.report.page import write_report
    from customer_segmentation.report.shop import Shop

    def progress(message: str) -> None:
        click.echo(f"{time.perf_counter() - started:5.1f} s  {message}")

    try:
        page = write_report(Shop(database), site, progress)
    except NotReadable as problem:
        raise click.ClickException(str(problem)) from problem
    except OSError as problem:
        raise not_writable(site, problem) from problem
    progress(f"{page}: {page.stat().st_size / 1e6:.1f} MB, ready to open or to send.")


@main.command()
@click.option(
    "--target",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="DBT_TARGET_PATH",
    default=Path("target"),
    show_default=True,
    help="Where `dbt docs generate --static` wrote.",
)
@click.option("--generate", is_flag=True, help="Let dbt make them first, of this shop.")
@shop_options
@site_option
def docs(target: Path, site: Path, generate: bool, **shop: Any) -> None:
    """Write the dbt docs as one page, and the lineage as a picture beside it.

    The folders of this machine are taken out of it.
    """
    from customer_segmentation.docs import publish
    from customer_segmentation.report.page import write_index

    if generate:
        from customer_segmentation.building import run

        if failed := run(["docs", "generate", "--static"], shop_vars(**shop), Path()):
            raise SystemExit(failed)
    made = target / "static_index.html"
    if not made.exists():
        raise click.ClickException(
            f"There is no '{made}'. Make it first: dbt docs generate --static (make docs does)."
        )
    page = site / "docs" / "index.html"
    try:
        publish(made, page, target.absolute(), Path.cwd(), Path.home())
        write_index(site)
    except ValueError as problem:
        raise click.ClickException(f"'{made}': {problem}") from problem
    except OSError as problem:
        raise not_writable(site, problem) from problem
    click.echo(f"{page}: {page.stat().st_size / 1e6:.1f} MB, ready for a static host.")
