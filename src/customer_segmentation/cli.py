"""The command line: ``customer-segmentation report`` and ``customer-segmentation docs``."""

from __future__ import annotations

import time
from pathlib import Path

import click

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
    """Publish what a build left behind."""


def not_writable(site: Path, problem: OSError) -> click.ClickException:
    """Say that nothing can be written into ``site``."""
    return click.ClickException(
        f"'{site}' can't be written: {problem.strerror}. Name another folder with --site."
    )


@main.command()
@click.option(
    "--database",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="DUCKDB_PATH",
    default=Path("customer_segmentation.duckdb"),
    show_default=True,
    help="The database that dbt built; DUCKDB_PATH names it too.",
)
@site_option
def report(database: Path, site: Path) -> None:
    """Write the report for marketing.

    It is one HTML file that needs no network; its plots are beside it as SVG.
    """
    started = time.perf_counter()
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
@site_option
def docs(target: Path, site: Path) -> None:
    """Write the dbt docs as one page, and the lineage as a picture beside it.

    The folders of this machine are taken out of it.
    """
    from customer_segmentation.docs import publish
    from customer_segmentation.report.page import write_index

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
