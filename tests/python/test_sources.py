"""Files as they are: what is found of each, which of its rows are none, and what is refused."""

import gzip
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from customer_segmentation.sources import Source, look_at, look_at_sources, relation_of

COLUMNS = {"customer_id": "customer", "order_id": "no", "ordered_at": "day", "amount": "amount"}
HEADER = "customer,no,day,amount\n"
ROWS = "Zoë,1,2024-01-01,5\nb,2,2024-01-02,6\n"


def looked_at(location: Path | str, **further: Any) -> Any:
    """The single file of a location, and the rows that DuckDB then reads."""
    connection = duckdb.connect()
    columns = further.pop("columns", COLUMNS)
    source = Source("orders", str(location), columns, **further)
    files = look_at(connection, source, Path(str(location) + ".copies"))
    rows = connection.sql(relation_of(files)).fetchall() if not files[0].problem else []
    return files[0], rows


def write(folder: Path, data: str | bytes, name: str = "orders.csv") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ((HEADER + ROWS).encode("utf-8"), "utf-8"),
        ((HEADER + ROWS).encode("utf-8-sig"), "utf-8-sig"),
        ((HEADER + ROWS).encode("utf-16"), "utf-16"),
        ((HEADER + ROWS).encode("utf-16-le"), "utf-16-le"),
        ((HEADER + ROWS).encode("windows-1252"), "windows-1252"),
        ((HEADER + ROWS).encode("latin-1") + b"\x81,3,2024-01-03,7\n", "latin-1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_encodings_are_found_and_read(tmp_path: Path, data: bytes, encoding: str) -> None:
    file, rows = looked_at(write(tmp_path, data))
    assert (file.problem, file.encoding) == (None, encoding)
    assert rows[:2] == [("Zoë", "1", "2024-01-01", "5"), ("b", "2", "2024-01-02", "6")]
    assert (file.note or "").endswith("was read as " + encoding + ".") == ("utf-8" not in encoding)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_line_ends_and_delimiters(tmp_path: Path, line_end: str, delimiter: str) -> None:
    text = (HEADER + ROWS).replace(",", delimiter).replace("\n", line_end)
    file, rows = looked_at(write(tmp_path, text))
    assert (file.delimiter, file.num_rows, len(rows)) == (delimiter, 2, 2)


def test_mixed_line_ends_lose_nothing(tmp_path: Path) -> None:
    text = HEADER + "a,1,2024-01-01,5\r\nb,2,2024-01-02,6\nc,3,2024-01-03,7\r"
    file, rows = looked_at(write(tmp_path, text))
    assert (file.num_rows, len(rows)) == (3, 3)
    assert "has carriage returns as line ends, alone or among others" in file.note


def test_lines_above_the_header_are_passed_over_and_told(tmp_path: Path) -> None:
    file, rows = looked_at(write(tmp_path, 'Sales by customer\n"Shop, Inc"\n\n' + HEADER + ROWS))
    assert (file.num_lines_above_header, len(rows)) == (3, 2)
    assert "has 3 lines above its header" in file.note


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("Total,11", "has 2 columns where the header has 4"),
        ("c,3,2024-01-03,7,x", "has 5 columns where the header has 4"),
        ("# end of export", "has 1 columns where the header has 4"),
        ('"c"x,3,2024-01-03,7', "has text beside a quoted value, or a quote within it that"),
    ],
)
def test_a_line_that_is_no_row_is_known_by_its_number(
    tmp_path: Path, line: str, problem: str
) -> None:
    quoted = '"two\nlines",3,2024-01-03,7\n'
    file, rows = looked_at(write(tmp_path, HEADER + quoted + ROWS + line + "\n"))
    assert (file.num_rows, len(rows)) == (3, 3)
    (unreadable,) = file.unreadable_rows
    assert unreadable["line"] == 6
    assert problem in unreadable["problem"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            HEADER + ROWS * 20 + "c,3,2024-01-03,7,x\n" * 20,
            "line 42 has 5 columns where the header has 4, and 19 more of its 60 rows are like",
        ),
        (
            HEADER + ROWS + '"c,3,2024-01-03,7\n' + ROWS,
            "has a quote in line 4 that is never closed",
        ),
        (
            HEADER + 'a,"1,2024-01-01,5\nb,2",2024-01-02,6\n' + ROWS,
            "has a quoted field from line 2 to line 3 that looks like several rows",
        ),
        (HEADER + "a\0,1,2024-01-01,5\n", "has a NUL byte in line 2"),
        (
            (HEADER + ROWS * 9).encode() + "ë,1,2024-01-01,5\n".encode()[1:],
            "is UTF-8, but damaged in line 20",
        ),
        ("x,y\n1,2\n", "names a column 'customer' that doesn't exist"),
        ("customer,no,day,amount,Amount\na,1,b,5,6\n", "has several columns called 'amount'."),
        (HEADER, "has a header but no row"),
        ("", "is empty. Export it again"),
    ],
    ids=[
        "width",
        "open quote",
        "swallowed",
        "NUL",
        "damaged",
        "other columns",
        "two columns",
        "no row",
        "empty",
    ],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, data: str | bytes, said: str) -> None:
    file, _ = looked_at(write(tmp_path, data))
    assert said in file.problem
    assert "orders.csv" in file.problem
    assert "\n" not in file.problem


def test_archives_are_checked_to_their_end(tmp_path: Path) -> None:
    packed = gzip.compress((HEADER + ROWS).encode())
    file, rows = looked_at(write(tmp_path, packed, "orders.csv.gz"))
    assert (file.problem, len(rows)) == (None, 2)
    wrong_sum = packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]
    for damaged in (wrong_sum, packed[:-9]):
        file, _ = looked_at(write(tmp_path, damaged, "orders.csv.gz"))
        assert "is a damaged or incomplete gzip file" in file.problem


def test_options_say_what_a_file_without_a_header_is(tmp_path: Path) -> None:
    path = write(tmp_path, "exported\n" + ROWS.replace(",", "~"))
    names = ["customer", "no", "day", "amount"]
    file, rows = looked_at(path, csv_options={"names": names, "skip": 1, "delimiter": "~"})
    assert (file.problem, len(rows)) == (None, 2)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"encoding": "utf-16"}, "is not utf-16: line 1 has a byte that utf-16 doesn't know."),
        ({"delimeter": ";"}, "csv_options: there is no option 'delimeter'. The options are skip"),
        ({"delimiter": ";;"}, "csv_options: ';;' won't do for 'delimiter'. Give one character."),
        ({"skip": -1}, "csv_options: '-1' won't do for 'skip'. Give a whole number of lines."),
        ({"encoding": "utf-9"}, "csv_options: 'utf-9' won't do for 'encoding'. Give a name like"),
        ({"names": ["a", "A"]}, "won't do for 'names'. Give a list of column names."),
        ({"encoding": "ascii"}, "is not ascii: line 2 has a byte that ascii doesn't know."),
    ],
)
def test_options_that_cannot_be_are_refused(
    tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    file, _ = looked_at(write(tmp_path, HEADER + ROWS), csv_options=options)
    assert said in file.problem


def test_files_that_are_not_alike_are_read_right(tmp_path: Path) -> None:
    write(tmp_path, HEADER + ROWS, "a.csv")
    write(tmp_path, "amount;day;no;customer;colour\n7;2024-01-03;3;c;red\n", "b.csv")
    write(tmp_path, (HEADER + "d,4,2024-01-04,8\n").encode("utf-16"), "c.csv")
    _, rows = looked_at(tmp_path / "*.csv")
    assert sorted(row[:4] for row in rows) == [
        ("Zoë", "1", "2024-01-01", "5"), ("b", "2", "2024-01-02", "6"),
        ("c", "3", "2024-01-03", "7"), ("d", "4", "2024-01-04", "8"),
    ]  # fmt: skip


def test_a_file_that_lacks_a_column_is_named(tmp_path: Path) -> None:
    write(tmp_path, HEADER + ROWS, "a.csv")
    write(tmp_path, HEADER.replace("customer", "client") + ROWS, "b.csv")
    file, _ = looked_at(tmp_path / "*.csv")
    assert (
        "b.csv' has no column 'customer', which other files have and order_columns" in file.problem
    )
    file, rows = looked_at(
        tmp_path / "*.csv", columns=COLUMNS | {"customer_id": "coalesce(customer, client)"}
    )
    assert (file.problem, len(rows)) == (None, 4)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("amount *", "the expression for 'amount' is no valid SQL: amount * (syntax error"),
        ("amout", "names a column 'amout' that doesn't exist in"),
        ("amout", "Did you mean 'amount'?"),
        ("no * amount", "CSV columns are text: cast them, as in cast("),
        ("total(amount)", "can't be computed: Scalar Function with name total does not exist!"),
        ("sum(amount::double)", "looks at several rows"),
        ("lag(amount) over ()", "has a window function, which looks at other rows"),
        ("(select 1)", "looks at several rows"),
        (
            "Unit Price",
            "needs double quotes, and YAML single ones around them: amount: '\"Unit Price\"'",
        ),
        ("group", "needs double quotes"),
    ],
)
def test_each_expression_is_tried_by_itself(tmp_path: Path, expression: str, said: str) -> None:
    header = HEADER.replace("\n", ",Unit Price,group\n")
    path = write(tmp_path, header + "a,1,2024-01-01,5,6,7\n")
    file, _ = looked_at(path, columns=COLUMNS | {"amount": expression})
    assert said in file.problem


@pytest.mark.parametrize(
    "expression", [1, True, '"Unit Price"', "amount::double * 2", "'5' -- five"]
)
def test_numbers_and_quoted_names_are_expressions(tmp_path: Path, expression: Any) -> None:
    path = write(tmp_path, HEADER.replace("\n", ",Unit Price\n") + "a,1,2024-01-01,5,6\n")
    file, _ = looked_at(path, columns=COLUMNS | {"amount": expression})
    assert file.problem is None


@pytest.mark.parametrize(
    "table", ['"order-lines"', '"Bestellungen Köln"', "köln", '"a.b"', '"o""x"']
)
def test_any_name_of_a_table(tmp_path: Path, table: str) -> None:
    connection = duckdb.connect()
    connection.sql(f"attach '{tmp_path}/shop.duckdb' as \"my-shop\"")
    location = f'"my-shop".main.{table}'
    connection.sql(
        f"create table {location} as select 'a' as customer, 1 as no, 'd' as day, 5 as amount"
    )
    (file,) = look_at(connection, Source("orders", location, COLUMNS), tmp_path)
    assert (file.problem, file.kind) == (None, "table")


@pytest.mark.parametrize(
    ("expression", "columns"),
    [
        ("amount::double * 2", ["amount"]),
        ("list_sum([x::double for x in string_split(amount, '+')])", ["amount"]),
        ("coalesce(amount, day)", ["amount", "day"]),
        ("1", []),
    ],
)
def test_columns_that_an_expression_is_computed_from_are_known(
    tmp_path: Path, expression: str, columns: list[str]
) -> None:
    path = write(tmp_path, HEADER + ROWS)
    file, _ = looked_at(path, columns=COLUMNS | {"amount": expression})
    assert file.problem is None
    assert file.columns_of_fields["amount"] == columns


@pytest.mark.parametrize("name", ["http://127.0.0.1:9/orders.csv", "s3://shop/*.parquet"])
def test_the_network_is_read_only_if_one_says_so(tmp_path: Path, name: str) -> None:
    folder = str(tmp_path / "extensions")
    config = {"autoinstall_known_extensions": "false", "extension_directory": folder}
    connection = duckdb.connect(config=config)
    (file,) = look_at(connection, Source("orders", name, COLUMNS), tmp_path)
    assert "is on the network, which is read only if you say so: allow_network" in file.problem
    source = Source("orders", name, COLUMNS, allow_network=True)
    (file,) = look_at(connection, source, tmp_path)
    assert file.problem == (
        f"orders_location: '{name}' can't be read. This needs DuckDB's extension httpfs, which is"
        ' not installed. Install it once, which downloads it: python -c "import duckdb;'
        " duckdb.sql('install httpfs')\"."
    )


@pytest.mark.parametrize(("kind", "sign"), [("delta", "_delta_log"), ("iceberg", "metadata")])
def test_a_folder_that_is_a_table_is_known(tmp_path: Path, kind: str, sign: str) -> None:
    folder = tmp_path / "orders"
    (folder / sign).mkdir(parents=True)
    (folder / sign / "0.metadata.json").write_text("{}")
    config = {
        "autoinstall_known_extensions": "false",
        "extension_directory": str(tmp_path / "extensions"),
    }
    connection = duckdb.connect(config=config)
    (file,) = look_at(connection, Source("orders", str(folder), COLUMNS), tmp_path)
    assert f"This needs DuckDB's extension {kind}, which is not installed." in file.problem


def test_partitions_are_columns_of_text(tmp_path: Path) -> None:
    """A leading zero stays, a value that is no number too, and so does a day."""
    for shop, day in (("007", "2024-01-01"), ("n/a", "2024-01-02")):
        folder = tmp_path / "orders" / f"shop={shop.replace('/', '%2F')}" / f"day={day}"
        folder.mkdir(parents=True)
        path = folder / "part.parquet"
        duckdb.sql(f"copy (select 'a' as customer, 1 as no, 5 as amount) to '{path}'")
    columns = COLUMNS | {"customer_id": "shop || customer"}
    for location in (tmp_path / "orders", tmp_path / "orders" / "*" / "*" / "*.parquet"):
        files = look_at(duckdb.connect(), Source("orders", str(location), columns), tmp_path)
        assert [file.problem for file in files] == [None, None]
        assert files[0].columns == ["customer", "no", "amount", "shop", "day"]
        rows = duckdb.sql(f"select shop, day from ({relation_of(files)}) order by all").fetchall()
        assert rows == [("007", "2024-01-01"), ("n/a", "2024-01-02")]


def test_where_rows_are_orders_no_order_id_is_needed(tmp_path: Path) -> None:
    columns = {name: e for name, e in COLUMNS.items() if name != "order_id"}
    path = write(tmp_path, HEADER + ROWS)
    file, _ = looked_at(path, columns=columns)
    assert "the field 'order_id' is not mapped" in file.problem
    file, _ = looked_at(path, columns=columns, rows_are="orders")
    assert file.problem is None


def test_copies_that_nothing_reads_any_more_are_taken_away(tmp_path: Path) -> None:
    path = write(tmp_path, (HEADER + ROWS).encode("utf-16"))
    copies = tmp_path / "copies"
    for data in ((HEADER + ROWS).encode("utf-16"), (HEADER + ROWS).encode()):
        path.write_bytes(data)
        frame = look_at_sources(duckdb.connect(), [Source("orders", str(path), COLUMNS)], copies)
        used = str(copies) in frame["read_with"][0]
        assert len(list(copies.glob("*"))) == used
    assert json.loads(frame["columns"][0]) == ["customer", "no", "day", "amount"]
