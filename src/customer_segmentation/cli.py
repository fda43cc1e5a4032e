"""The command line: ``customer-segmentation build``, ``editions``, ``report`` and their like."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import yaml

site_option = click.option(
    "--site",
    type=click.Path(path_type=Path),
    default=Path("site"),
    show_default=True,
    help="Folder that a static host can serve.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="customer_segmentation")
def main() -> None:
    """Build customer segments, and publish them."""
    if sys.getfilesystemencoding() == "ascii":
        # Where the locale is C and Python is told to heed it, names would lose their umlauts.
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"PYTHONUTF8": "1"})
    # Closed ones, as after >&-: else the next file that is opened takes their place.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115


vars_file_option = click.option(
    "--vars-file",
    envvar="SHOP_VARS",
    type=click.Path(readable=False, path_type=Path),
    help="A YAML file of vars. The database is named like it unless DUCKDB_PATH is set.",
)


def database_of(vars_file: Path | None) -> Path:
    """Name the database: as DUCKDB_PATH says, else like the vars file."""
    from customer_segmentation.trouble import UNUSABLE

    if given := os.environ.get("DUCKDB_PATH"):
        return Path(given).expanduser()
    name = UNUSABLE.sub("_", f"{vars_file.stem}_segments") if vars_file else "customer_segmentation"
    return Path(f"{name}.duckdb")


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
    """Read the vars of a shop."""
    from customer_segmentation.building import vars_of

    return vars_of(vars_file, orders, customers, further)


@main.command(context_settings={"ignore_unknown_options": True})
@shop_options
@click.option(
    "--project-dir",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Folder of the dbt project.  [default: this folder]",
)
@click.option("--wait", is_flag=True, help="If another process builds this database, wait for it.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[DBT'S ARGUMENTS]...")
def build(project_dir: Path, wait: bool, arguments: tuple[str, ...], **shop: Any) -> None:
    """Build an edition of the segments, and publish it if every test passed.

    dbt builds in a copy of the database, with short progress and a failure in one sentence; who
    reads the database is never locked out. All arguments of dbt build may be given, such as
    --select staging or --full-refresh. The project's unit tests, which no orders can change, are
    left to dbt build and make test.
    """
    if os.name == "nt":
        raise click.ClickException(
            "Windows can't replace a file that is open: use WSL or dbt build."
        )
    from customer_segmentation.building import build_edition

    variables, database = shop_vars(**shop), database_of(shop["vars_file"])
    with said_in_a_sentence(database):
        status = build_edition(arguments, variables, project_dir, database, wait)
    raise SystemExit(status)


@main.command()
@click.argument("orders")
@click.option(
    "--project-dir",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Folder of the dbt project.  [default: this folder]",
)
@click.option("--yes", is_flag=True, help="Ask nothing: take the first answer to each question.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="The file of vars to write.  [default: named like the export, .yml]",
)
def init(orders: str, project_dir: Path, yes: bool, output: Path | None) -> None:
    """Look at an export, ORDERS (a CSV or Parquet file or glob), and propose a file of vars.

    Exports of Shopify, WooCommerce, Stripe and others are recognised; of any other, names and
    values of the columns say what each is. What they don't say is asked, on a terminal.
    """
    import tempfile

    import duckdb

    from customer_segmentation.proposal import Export, lines_of, propose
    from customer_segmentation.sources import Problem

    # This project itself, or one that has it as a package.
    homes = (project_dir, project_dir / "dbt_packages" / "customer_segmentation")
    project = next((home for home in homes if (home / "examples" / "shopify.yml").exists()), None)
    if project is None:
        raise click.ClickException(
            f"'{project_dir}' is not the folder of this project. Run it there, or name the folder:"
            " --project-dir path/to/customer_segmentation."
        )
    known = yaml.safe_load((project / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    with tempfile.TemporaryDirectory() as copies, duckdb.connect() as connection:
        try:
            export = Export(connection, orders, Path(copies))
            output = output or Path(f"{export.name}.yml")
            if output.exists():
                raise Problem(f"'{output}' is there already. Name another file with --output.")
            proposal = propose(export, project / "examples", known)
        except Problem as problem:
            said = str(problem).removeprefix("orders_location: ")
            raise click.ClickException(said) from problem
        click.echo(
            f"{orders}: {export.num_rows:,} rows"
            + (f", known as an export of {proposal.known_as}." if proposal.known_as else ".")
        )
        asks = not yes and sys.stdin.isatty() and sys.stdout.isatty()
        for question in proposal.questions:
            labels = list(question.answers)
            click.echo(f"\n{question.sentence}")
            for number, label in enumerate(labels, 1):
                is_taken = not asks and number == 1
                click.echo(f"  {number}  {label}{'  (taken, unasked)' if is_taken else ''}")
            chosen = (
                click.prompt("Which", type=click.IntRange(1, len(labels)), default=1) if asks else 1
            )
            proposal.answer(question, labels[chosen - 1])
        lines = lines_of(proposal, export)
    output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    click.echo("\n" + "\n".join(lines))
    click.echo(
        f"\n{output} is written. Read it, then: customer-segmentation build --vars-file {output}"
    )


def run_reading(arguments: list[str], shop: dict[str, Any]) -> None:
    """Run dbt on a database that was built, without writing it; exit if that fails."""
    from customer_segmentation.building import run
    from customer_segmentation.database import Database

    variables, database = shop_vars(**shop), database_of(shop["vars_file"])
    with said_in_a_sentence(database):
        with Database(database) as built:
            built.expect_one_edition()
        made = run(arguments, variables, Path(), database, reads_only=True)
    if failed := made.tell(database):
        raise SystemExit(failed)


@contextmanager
def said_in_a_sentence(database: Path) -> Iterator[None]:
    """End with the sentence of what people can mend, not with a stack trace."""
    from customer_segmentation.database import NotReadable
    from customer_segmentation.editions import NotPossible
    from customer_segmentation.trouble import trouble_of

    try:
        yield
    except (NotPossible, NotReadable) as problem:
        raise click.ClickException(str(problem)) from problem
    except click.ClickException:
        raise
    except Exception as problem:
        if said := trouble_of(problem, database, os.environ):
            raise click.ClickException(said) from problem
        raise


database_option = click.option(
    "--database",
    type=click.Path(path_type=Path),
    help="The database that was built.  [default: DUCKDB_PATH, the one named like the vars file,"
    " or customer_segmentation.duckdb]",
)


@main.command()
@database_option
@vars_file_option
def editions(database: Path | None, vars_file: Path | None) -> None:
    """List the editions of a database: which is served, and which can be switched to."""
    from customer_segmentation.editions import Editions

    database = database or database_of(vars_file)
    with said_in_a_sentence(database):
        rows = Editions.of(database).listed()
    for row in rows.to_dict("records"):
        click.echo(line_of(row))


def line_of(edition: dict[Any, Any]) -> str:
    """Write an edition in one line."""
    missing = {name for name, value in edition.items() if value is None or value != value}
    pinned = "" if "pinned_model_version" in missing else ", pinned"
    outcome = {
        "whole": "",
        "untested": "without its tests",
        "part": "a part was built",
        "failed": "the build failed",
    }
    parts = [
        f"{edition['edition_id']:>5}  {edition['file'] or '-':<6}",
        f"{edition['started_at']:%Y-%m-%d %H:%M} UTC",
        "" if "dataset" in missing else edition["dataset"],
        "" if "as_of_date" in missing else f"as of {edition['as_of_date']:%Y-%m-%d}",
        "" if "model_version" in missing else f"version {int(edition['model_version'])}{pinned}",
        "the build did not end" if "outcome" in missing else outcome[edition["outcome"]],
    ]
    return "  ".join(part for part in parts if part)


@main.command()
@database_option
@vars_file_option
@click.option(
    "--release", is_flag=True, help="Score with the newest version again, from the next build on."
)
@click.argument("edition", type=int, required=False)
def rollback(
    database: Path | None, vars_file: Path | None, release: bool, edition: int | None
) -> None:
    """Serve an earlier edition again: that of before, or EDITION, which may also be a later one.

    Later builds score with its model version until --release.
    """
    from customer_segmentation.editions import Editions

    path = database or database_of(vars_file)
    with said_in_a_sentence(path):
        shelf = Editions.of(path)
        with shelf.locked(False, click.echo):
            if release:
                version = shelf.release()
                what = (
                    "no version was pinned" if version is None else f"version {version} is released"
                )
                click.echo(f"{path}: {what}; the next build scores with the newest.")
                return
            switched, pinned = shelf.switch(edition)
    click.echo(
        f"{path}: edition {switched} is served again."
        + (
            f" Later builds score with its version {pinned}, until"
            " customer-segmentation rollback --release."
            if pinned is not None
            else ""
        )
    )


def not_writable(site: Path, problem: OSError) -> click.ClickException:
    """Say that nothing can be written into ``site``."""
    return click.ClickException(
        f"'{site}' can't be written: {problem.strerror}. Name another folder with --site."
    )


@main.command()
@shop_options
@click.argument("path", default="registry.csv")
def export_registry(path: str, **shop: Any) -> None:
    """Write the fitted versions to PATH, a CSV that another machine can score with."""
    arguments = ["run-operation", "export_registry", "--args", yaml.safe_dump({"path": path})]
    run_reading(arguments, shop)


@main.command()
@database_option
@vars_file_option
@site_option
def report(database: Path | None, vars_file: Path | None, site: Path) -> None:
    """Write the report for marketing.

    It is one HTML file that needs no network; its plots are beside it as SVG.
    """
    started = time.perf_counter()
    database = database or database_of(vars_file)
    from customer_segmentation.report.page import write_report
    from customer_segmentation.report.shop import Shop

    def progress(message: str) -> None:
        click.echo(f"{time.perf_counter() - started:5.1f} s  {message}")

    with said_in_a_sentence(database):
        click.echo(f"Reading {database} ...")
        shop = Shop(database)
        shop.expect_one_edition()
        try:
            page = write_report(shop, site, progress)
        except BrokenPipeError:
            # Nobody reads the progress any more.
            raise
        except OSError as problem:
            raise not_writable(site, problem) from problem
        except KeyError as problem:
            if shop.served_edition.edition_id > 0:
                raise
            raise click.ClickException(
                f"'{database}' was built by an earlier version of this project, and lacks"
                f" {problem}. Build it again (make build)."
            ) from problem
    progress(f"{page}: {page.stat().st_size / 1e6:.1f} MB, ready to open or to send.")


@main.command()
@database_option
@vars_file_option
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("export"),
    show_default=True,
    help="Where the files go; those of an earlier export are replaced.",
)
@click.option(
    "--key", default="customer_id", show_default=True, help="The header of the customers' ids."
)
def export(database: Path | None, vars_file: Path | None, folder: Path, key: str) -> None:
    """Write the lists as files: CSV for importers, XLSX for people.

    All target lists, customer_segments and the changes since last month began, with consent, and a
    manifest of them. Whole or not at all, and readable by you alone.
    """
    database = database or database_of(vars_file)
    from customer_segmentation.database import Database
    from customer_segmentation.exporting import export

    with said_in_a_sentence(database), Database(database) as built:
        built.expect_one_edition()
        try:
            manifest = export(built, folder, key, click.echo)
        except (FileExistsError, ValueError) as problem:
            raise click.ClickException(str(problem)) from problem
        except OSError as problem:
            raise click.ClickException(
                f"'{folder}' can't be written: {problem.strerror or problem}. Name another folder"
                " with --folder."
            ) from problem
    click.echo(
        f"{folder}: {len(manifest['files'])} files of edition {manifest['edition']}, as of"
        f" {manifest['as_of_date']}; manifest.json has their rows and hashes."
    )


@main.command()
@click.argument("database", type=click.Path(path_type=Path))
@click.option("--target", required=True, help="One of profiles.yml, as in postgres or spark.")
@click.option("--schema-prefix", default="", help="The schema_prefix of the vars there.")
@click.option(
    "--project-dir",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Folder of the dbt project.  [default: this folder]",
)
def fetch(database: Path, target: str, schema_prefix: str, project_dir: Path) -> None:
    """Copy what people read from another engine into DATABASE, a DuckDB file.

    Report, export and notebooks take it with --database.
    """
    from customer_segmentation.building import engine_elsewhere, run
    from customer_segmentation.engines.fetching import tables_that_are_read

    if not engine_elsewhere(["--target", target], project_dir):
        raise click.ClickException(
            f"'{target}' is no target of profiles.yml on another engine: there is nothing to fetch."
        )
    tables = tables_that_are_read(project_dir)
    asked = {"database": str(database.absolute()), "prefix": schema_prefix, "tables": tables}
    command = ["run-operation", "fetch_what_is_read", "--target", target]
    made = run(
        [*command, "--args", yaml.safe_dump(asked)],
        {},
        project_dir,
        Path(target),
        computes_here=False,
    )
    if not made.success:
        sys.exit(made.tell(Path(target)))
    click.echo(f"{database}: {len(tables)} tables.")


@main.command()
@click.option(
    "--target",
    type=click.Path(path_type=Path),
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
    from customer_segmentation.database import Database
    from customer_segmentation.docs import publish
    from customer_segmentation.report.page import write_index

    if generate:
        # Of several threads, one that goes on hides why another one failed.
        run_reading(["docs", "generate", "--static", "--threads", "1"], shop)
    made = target / "static_index.html"
    if not made.exists():
        raise click.ClickException(
            f"There is no '{made}'. Make it first: dbt docs generate --static (make docs does)."
        )
    if not generate and (database := database_of(shop["vars_file"])).exists():
        with said_in_a_sentence(database), Database(database) as built:
            built.expect_one_edition()
    page = site / "docs" / "index.html"
    try:
        publish(made, page, target.absolute(), Path.cwd(), Path.home())
        write_index(site)
    except ValueError as problem:
        raise click.ClickException(f"'{made}': {problem}") from problem
    except OSError as problem:
        raise not_writable(site, problem) from problem
    click.echo(f"{page}: {page.stat().st_size / 1e6:.1f} MB, ready for a static host.")
