"""DuckDB's SQL, in which the project is written, as Spark 4 understands it.

sqlglot writes most of it; what it leaves as it is, or writes as something that means something
else, is corrected here. Sessions are in ANSI mode, in UTC, and their timestamps have no zone.
"""

from __future__ import annotations

import re

from sqlglot import exp
from sqlglot.dialects.spark import Spark

from customer_segmentation.engines.translating import (
    ListLength,
    Translator,
    is_list_in_text,
    json_path,
)


class Write(Spark):
    """Spark, with indices as they are written."""

    INDEX_OFFSET = 0


def tidy(tree: exp.Expr) -> None:
    """Leave out what Spark has no word for, and move generators where it takes them."""
    for cte in tree.find_all(exp.CTE):
        cte.set("materialized", None)
    for select in list(tree.find_all(exp.Select)):
        _move_generators(select)


TRANSLATOR = Translator(Write, tidy)

correction, silent_correction = TRANSLATOR.correction, TRANSLATOR.silent_correction
written, translated = TRANSLATOR.written, TRANSLATOR.translated


def call(name: str, *arguments: exp.Expr) -> exp.Expr:
    """Call a function by Spark's name."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def _move_generators(select: exp.Select) -> None:
    """Write ``select unnest(a) as x`` as a lateral view; several side by side are one of pairs."""
    found = [
        node
        for projection in select.expressions
        for node in projection.find_all(exp.Explode, exp.Unnest)
        if node.find_ancestor(exp.Select) is select
    ]
    if not found:
        return
    lists = [node.this if isinstance(node, exp.Explode) else node.expressions[0] for node in found]
    names = [f"element_{i}" for i in range(len(found))]
    for node, name in zip(found, names, strict=True):
        column = exp.column(name, "elements")
        node.replace(exp.alias_(column, name) if isinstance(node.parent, exp.Select) else column)
    if len(lists) > 1:
        lists = [written("coalesce(x, array())", x=each) for each in lists]
    select.append("laterals", _view(call("inline", call("arrays_zip", *lists)), "elements", names))


def _view(generator: exp.Expr, table: str, columns: list[str]) -> exp.Expr:
    alias = exp.TableAlias(
        this=exp.to_identifier(table), columns=[exp.to_identifier(name) for name in columns]
    )
    return exp.Lateral(this=generator, view=True, alias=alias)


@correction
def functions_by_name(node: exp.Expr) -> exp.Expr | None:
    """Call functions by Spark's names."""
    if not isinstance(node, exp.Anonymous):
        return None
    name = node.name.lower()
    if name == "error":
        return call("raise_error", *node.expressions)
    if name == "getvariable":
        return exp.cast(exp.Null(), "string")
    if not node.expressions:
        return None
    x: exp.Expr = node.expressions[0]
    y: exp.Expr = node.expressions[-1]
    if name == "nfc_normalize":
        return x
    if name == "isfinite":
        return written("cast(x as string) not in ('NaN', 'Infinity', '-Infinity')", x=x)
    if name == "list_position":
        return written("cast(nullif(array_position(x, y), 0) as int)", x=x, y=y)
    if name == "list_has_all":
        return written("size(array_except(y, x)) = 0", x=x, y=y)
    if name == "list_extract":
        return call("try_element_at", x, y)
    if name == "timezone":
        return written(
            "convert_timezone(current_timezone(), x, cast(y as timestamp_ntz))", x=x, y=y
        )
    return None


@silent_correction
def hashes_of_rows(node: exp.Expr) -> exp.Expr | None:
    """Hash nulls, too, which Spark skips, and into numbers without a sign."""
    if isinstance(node, exp.Anonymous) and node.name.lower() == "hash":
        row = call("to_json", call("array", *[exp.cast(x, "string") for x in node.expressions]))
        return written("(xxhash64(row) & 9223372036854775807)", row=row)
    return None


@silent_correction
def characters(node: exp.Expr) -> exp.Expr | None:
    """Write characters by their number, of which Spark's ``chr`` takes the last eight bits."""
    if isinstance(node, exp.Chr):
        return exp.Literal.string("".join(chr(int(code.name)) for code in node.expressions))
    return None


@silent_correction
def typeof(node: exp.Expr) -> exp.Expr | None:
    """Give types DuckDB's names, or no branch would match."""
    if isinstance(node, exp.Typeof):
        return written(
            "decode(typeof(x), 'string', 'VARCHAR', 'int', 'INTEGER', 'timestamp_ntz', 'TIMESTAMP',"
            " 'timestamp', 'TIMESTAMP WITH TIME ZONE', upper(typeof(x)))",
            x=node.this,
        )
    return None


@silent_correction
def rounded_to_digits(node: exp.Expr) -> exp.Expr | None:
    """Round a double as it is, not the number that is printed."""
    if not (isinstance(node, exp.Round) and node.args.get("decimals")):
        return None
    return written(
        "case when typeof(x) = 'double' and abs(x) < 1e15"
        " then round(cast(x as double) * power(10D, n)) / power(10D, n)"
        " else cast(round(x, n) as double) end",
        x=node.this,
        n=node.args["decimals"],
    )


@silent_correction
def quotients(node: exp.Expr) -> exp.Expr | None:
    """Divide doubles, also where both sides are decimals."""
    if isinstance(node, exp.Div):
        node.set("this", exp.cast(node.this, "double"))
    return None


@silent_correction
def doubles_as_decimals(node: exp.Expr) -> exp.Expr | None:
    """Round a double to a decimal as it is, not the number that is printed."""
    if not (
        isinstance(node, exp.Cast)
        and node.to.this == exp.DataType.Type.DECIMAL
        and len(node.to.expressions) == 2
        and (isinstance(node.this, exp.Column) or node.this.find(exp.Div))
    ):
        return None
    scale = f"1{'0' * int(node.to.expressions[1].name)}"
    double = exp.cast(exp.cast(node.this, "string"), "double")
    whole = written(f"round(x * {scale}D)", x=double)
    as_decimal, as_it_is = node.copy(), node.copy()
    as_decimal.set("this", whole)
    as_decimal.set("to", exp.DataType.build("decimal(38, 0)"))
    quotient = written(f"x / cast({scale} as decimal(38, 0))", x=as_decimal)
    as_it_is.set("this", quotient)
    return written(
        "case when typeof(x) = 'double' then y else z end", x=node.this, y=as_it_is, z=node.copy()
    )


@silent_correction
def doubles_as_texts(node: exp.Expr) -> exp.Expr | None:
    """Write doubles from ten millions on without an exponent."""
    if (
        isinstance(node, exp.Cast)
        and node.to.is_type(*exp.DataType.TEXT_TYPES)
        and not isinstance(node.this, (exp.Literal, exp.Null))
    ):
        text = node.copy()
        return written(
            r"coalesce(case when typeof(x) in ('double', 'float') then regexp_replace("
            r"cast(try_cast(y as decimal(38, 20)) as string), '([.]\\d+?)0+$', '$1') end, y)",
            x=node.this,
            y=text,
        )
    return None


@silent_correction
def averages(node: exp.Expr) -> exp.Expr | None:
    """Take averages of decimals as doubles."""
    if isinstance(node, exp.Avg):
        node.set("this", exp.cast(node.this, "double"))
    return None


@silent_correction
def skewness(node: exp.Expr) -> exp.Expr | None:
    """Correct the skewness for bias, as DuckDB does."""
    if isinstance(node, exp.Skewness):
        return written(
            "case when count(x) > 2 then skewness(x)"
            " * sqrt(cast(count(x) as double) * (count(x) - 1)) / (count(x) - 2) end",
            x=exp.cast(node.this, "double"),
        )
    return None


@correction
def quantiles(node: exp.Expr) -> exp.Expr | None:
    """Take quantiles by DuckDB's arithmetic, several at once."""
    if not isinstance(node, (exp.PercentileDisc, exp.PercentileCont)) or node.expression is None:
        return None
    if isinstance(node, exp.PercentileDisc):
        one = "l[cast(greatest(1, size(l) - floor(size(l) - share * size(l))) as int) - 1]"
    else:
        place = "(cast(share as double) * (size(l) - 1))"
        one = (
            f"cast(l[cast(floor{place} as int)] as double) * (1D - ({place} - floor{place}))"
            f" + cast(l[cast(ceil{place} as int)] as double) * ({place} - floor{place})"
        )
    several = isinstance(node.expression, (exp.Array, exp.Transform, exp.Anonymous))
    body = (
        written(f"transform(shares, share -> {one})", shares=node.expression)
        if several
        else written(one, share=node.expression)
    )
    one_list = written(
        "transform(array(nullif(array_sort(collect_list(x)), array())),"
        " l -> case when l is not null then body end)",
        x=node.this,
        body=body,
    )
    return call("get", one_list, exp.Literal.number(0))


@correction
def least_of_many(node: exp.Expr) -> exp.Expr | None:
    """List the n least for ``min(x, n)``; none of no rows."""
    if isinstance(node, exp.Min) and node.args.get("count"):
        return written(
            "nullif(slice(array_sort(collect_list(x)), 1, n), array())",
            x=node.this,
            n=node.args["count"],
        )
    return None


@silent_correction
def argument_of_the_most(node: exp.Expr) -> exp.Expr | None:
    """Pass over rows without an argument in ``arg_max`` and ``arg_min``."""
    if isinstance(node, (exp.ArgMax, exp.ArgMin)):
        by = node.expression
        if isinstance(by, exp.Tuple):
            by = call("struct", *by.expressions)
        node.set("expression", written("case when x is not null then y end", x=node.this, y=by))
    return None


@silent_correction
def lists_in_order(node: exp.Expr) -> exp.Expr | None:
    """List nulls, too, in the order that is asked for, and rows as structs; none of no rows."""
    if not isinstance(node, exp.ArrayAgg):
        return None
    order = node.this if isinstance(node.this, exp.Order) else None
    item = order.this if order else node.this
    if isinstance(item, exp.Column) and not item.table and item.name in _relations(node):
        item = call("struct", exp.Column(this=exp.Star(), table=exp.to_identifier(item.name)))
    keys = order.expressions if order else []
    fields = [exp.alias_(key.this.copy(), f"key_{i}") for i, key in enumerate(keys)]
    row = call("struct", *fields, exp.alias_(item.copy(), "item"))
    listed: exp.Expr = written("nullif(collect_list(x), array())", x=row)
    if keys:
        # Nulls come last, whatever the direction.
        tests = "".join(
            f" when {first}.key_{i} < {second}.key_{i} then -1"
            f" when {first}.key_{i} > {second}.key_{i} then 1"
            f" when a.key_{i} is null and b.key_{i} is not null then 1"
            f" when b.key_{i} is null and a.key_{i} is not null then -1"
            for i, key in enumerate(keys)
            for first, second in [("b", "a") if key.args.get("desc") else ("a", "b")]
        )
        listed = written(f"array_sort(x, (a, b) -> case{tests} else 0 end)", x=listed)
    return written("transform(x, pair -> pair.item)", x=listed)


def _relations(node: exp.Expr) -> set[str]:
    """Name the relations of the select that a node is or stands in."""
    select = node if isinstance(node, exp.Select) else node.find_ancestor(exp.Select)
    if select is None or not select.args.get("from_"):
        return set()
    joined = [join.this for join in select.args.get("joins") or []]
    return {relation.alias_or_name for relation in [select.args["from_"].this, *joined]}


@correction
def columns_behind_names(node: exp.Expr) -> exp.Expr | None:
    """Say whose column is aggregated in an order or ``having``, not what is made of its name."""
    if not isinstance(node, exp.Select) or len(_relations(node)) != 1:
        return None
    (relation,) = _relations(node)
    made = {projection.alias for projection in node.expressions}
    for clause in filter(None, (node.args.get("order"), node.args.get("having"))):
        for column in clause.find_all(exp.Column):
            if column.name in made and not column.table and column.find_ancestor(exp.AggFunc):
                column.set("table", exp.to_identifier(relation))
    return None


@correction
def filters_of_what_is_written_anew(node: exp.Expr) -> exp.Expr | None:
    """Put a filter at the aggregate that an expression is made of."""
    if not isinstance(node, exp.Filter) or isinstance(node.this, exp.AggFunc):
        return None
    whole: exp.Expr = node.this.copy()
    aggregates = list(whole.find_all(exp.AggFunc))
    if not aggregates:
        return None
    for aggregate in aggregates:
        aggregate.replace(exp.Filter(this=aggregate.copy(), expression=node.expression.copy()))
    return whole


@silent_correction
def indices(node: exp.Expr) -> exp.Expr | None:
    """Count from 1 in lists, and cut them; a text in brackets is a field."""
    if isinstance(node, exp.StructExtract):
        return exp.Bracket(this=node.this, expressions=[node.expression])
    if not isinstance(node, exp.Bracket):
        return None
    (index,) = node.expressions
    if isinstance(index, exp.Slice):
        return written("slice(x, 1, n)", x=node.this, n=index.expression)
    if isinstance(index, exp.Literal) and index.is_string:
        return None
    return call("try_element_at", node.this, exp.cast(index, "int"))


@correction
def lists(node: exp.Expr) -> exp.Expr | None:
    """Call functions of lists by their names here."""
    if isinstance(node, ListLength):
        return call("size", node.this)
    if isinstance(node, exp.ArrayDistinct):
        return written("array_compact(array_distinct(x))", x=node.this)
    if isinstance(node, exp.Array) and len(node.expressions) == 1:
        (inner,) = node.expressions
        if isinstance(inner, exp.Comprehension):
            return exp.Transform(
                this=inner.args["iterator"],
                expression=exp.Lambda(this=inner.this, expressions=[inner.expression]),
            )
    if isinstance(node, exp.ArrayConcat):
        return written("flatten(array_compact(x))", x=call("array", node.this, *node.expressions))
    if isinstance(node, exp.Flatten) or node.meta.get("flat"):
        flat = node.this if isinstance(node, exp.Flatten) else node
        return written("flatten(array_compact(x))", x=flat)
    return None


@correction
def series(node: exp.Expr) -> exp.Expr | None:
    """End ``range`` before its end, and count none down."""
    if not isinstance(node, exp.GenerateSeries):
        return None
    start, end = node.args["start"], node.args["end"]
    if node.args.get("step") is not None:
        start, end = exp.cast(start, "timestamp_ntz"), exp.cast(end, "timestamp_ntz")
        listed = call("sequence", start, end, node.args["step"])
        return written(
            "case when y < x then cast(array() as array<timestamp_ntz>) else listed end",
            x=start, y=end, listed=listed,
        )  # fmt: skip
    start, end = exp.cast(start, "int"), exp.cast(end, "int")
    listed = written(
        "case when y > x then sequence(x, y - 1) else cast(array() as array<int>) end",
        x=start, y=end,
    )  # fmt: skip
    if isinstance(node.parent, (exp.Table, exp.From, exp.Join)):
        return call("explode", listed)
    return listed


@correction
def regular_expressions(node: exp.Expr) -> exp.Expr | None:
    """Match from the beginning to the end, and extract the whole match where no group is named."""
    if isinstance(node, exp.RegexpFullMatch):
        options = node.args.get("options")
        flags = "(?iu)" if options is not None and "i" in options.name else ""
        pattern = exp.Literal.string(rf"{flags}\A(?:{_pattern(node.expression.name)})\z")
        return exp.RegexpLike(this=node.this, expression=pattern)
    if isinstance(node, exp.RegexpLike):
        node.set("expression", exp.Literal.string(_pattern(node.expression.name)))
    if isinstance(node, exp.RegexpExtract):
        group = node.args.get("group") or exp.Literal.number(0)
        pattern = exp.Literal.string(_pattern(node.expression.name))
        return call("regexp_extract", node.this, pattern, group)
    return None


@silent_correction
def replacements(node: exp.Expr) -> exp.Expr | None:
    """Replace the first match where not all are asked for, and name groups as Spark does."""
    if not isinstance(node, exp.RegexpReplace):
        return None
    modifiers = node.args.get("modifiers")
    pattern, new = _pattern(node.expression.name), node.args["replacement"].name
    first = modifiers is None or "g" not in modifiers.name
    new = re.sub(r"\\(\d)", lambda part: f"${int(part[1]) + first}", new)
    if first:
        pattern, new = rf"\A((?s:.*?))(?:{pattern})", "$1" + new
    return call("regexp_replace", node.this, exp.Literal.string(pattern), exp.Literal.string(new))


def _pattern(pattern: str) -> str:
    """Write the end of a text, before which Java allows a line end."""
    return re.sub(r"(\\.|\[(?:\\.|[^]\\])+\])|\$", lambda part: part[1] or r"\z", pattern)


@silent_correction
def timestamps_with_zone(node: exp.Expr) -> exp.Expr | None:
    """Name the type that has a zone, as Spark's ``timestamp`` has none in these sessions."""
    if isinstance(node, exp.Cast) and node.to.this == exp.DataType.Type.TIMESTAMPTZ:
        node.set("to", exp.DataType.build("timestampltz"))
    return None


DAY = r"^\\s*(\\d{4})([-/ ])(\\d{1,2})\\2(\\d{1,2})"
TIME = r"( +|T)\\d{1,2}:\\d{1,2}"


@silent_correction
def casts_that_may_fail(node: exp.Expr) -> exp.Expr | None:
    """Give null for ``try_cast`` of a value that is not of a form that DuckDB reads."""
    if not isinstance(node, exp.TryCast):
        return None
    if node.to.this == exp.DataType.Type.DOUBLE:
        return written(
            r"case when not cast(x as string) rlike '[\\d.][dDfF]\\s*$' then y end",
            x=node.this,
            y=node.copy(),
        )
    if node.to.is_type(*exp.DataType.TEMPORAL_TYPES):
        tried = node.copy()
        tried.set(
            "this",
            written(
                f"regexp_replace(regexp_replace(cast(x as string), '{DAY}( +|T)?', '$1-$3-$4 '),"
                r" '(:\\d{1,2})(?<!:\\d{1,2}:\\d{1,2})(?![\\d:])', '$1:00')",
                x=node.this,
            ),
        )
        end = r"\\s*" if node.to.this == exp.DataType.Type.DATE else ""
        return written(
            f"case when cast(x as string) rlike '{DAY}({end}$|{TIME})' then y end",
            x=node.this,
            y=tried,
        )
    return None


@correction
def tries(node: exp.Expr) -> exp.Expr | None:
    """Let casts fail in ``try(x)``, and texts that are no date of the form that is named."""
    if not isinstance(node, exp.Try):
        return None
    tried: exp.Expr = node.copy()
    for part in reversed(list(tried.find_all(exp.StrToTime))):
        form = Write().generator().format_time(part)
        part.replace(written(f"try_to_timestamp(x, {form})", x=part.this))
    for cast in reversed(list(tried.find_all(exp.Cast))):
        if not isinstance(cast, exp.TryCast):
            new = exp.TryCast(this=cast.this, to=cast.to, safe=True)
            cast.replace(casts_that_may_fail(new) or new)
    inner: exp.Expr = tried.this
    return inner


@silent_correction
def days_between(node: exp.Expr) -> exp.Expr | None:
    """Count the days and months that begin, not the whole ones that pass."""
    if not isinstance(node, exp.DateDiff):
        return None
    x, y = node.expression, node.this
    if node.args["unit"].name.lower() == "month":
        return written("cast((year(y) - year(x)) * 12 + month(y) - month(x) as bigint)", x=x, y=y)
    return exp.cast(call("datediff", y, x), "bigint")


@correction
def days_as_intervals(node: exp.Expr) -> exp.Expr | None:
    """Write a number of days as an interval."""
    if isinstance(node, exp.ToDays):
        return call("make_dt_interval", exp.cast(node.this, "int"))
    return None


@silent_correction
def months_without_zone(node: exp.Expr) -> exp.Expr | None:
    """Cut timestamps without giving them a zone."""
    if isinstance(node, exp.TimestampTrunc):
        return exp.cast(node.copy(), "timestamp_ntz")
    return None


@silent_correction
def texts_as_json(node: exp.Expr) -> exp.Expr | None:
    """Read JSON so that it can be compared, and by paths."""
    if isinstance(node, exp.ParseJSON):
        return call("to_json", call("parse_json", node.this))
    if isinstance(node, exp.JSONExtract):
        found = call("try_variant_get", call("parse_json", node.this), json_path(node))
        return call("to_json", found)
    if isinstance(node, exp.JSONExtractScalar):
        return call("get_json_object", node.this, json_path(node))
    if isinstance(node, exp.FromJson):
        fields = re.findall(r'"(\w+)": "(\w+)"', node.expression.name)
        types = {"varchar": "string"}
        struct = ", ".join(f"{name}: {types.get(kind, kind)}" for name, kind in fields)
        return call("from_json", node.this, exp.Literal.string(f"array<struct<{struct}>>"))
    return None


@correction
def lists_in_text(node: exp.Expr) -> exp.Expr | None:
    """Read the text ``[1, 2]`` as a list."""
    if isinstance(node, exp.Cast) and is_list_in_text(node):
        return call("from_json", node.this, exp.Literal.string(node.to.sql("spark")))
    return None


@correction
def formats(node: exp.Expr) -> exp.Expr | None:
    """Write numbers as people do."""
    if not isinstance(node, exp.Format):
        return None
    forms = {
        "{:,.2f}": "format_number(x, 2)",
        "{:,}": "format_number(x, 0)",
        "{:g}": "regexp_replace(cast(cast(x as decimal(30, 6)) as string), '[.]?0+$', '')",
    }
    form = next(form for form in forms if form in node.this.name)
    number = written(forms[form], x=node.expressions[0])
    return written(f"replace(f, '{form}', number)", f=node.this, number=number)


@correction
def sums_in_texts(node: exp.Expr) -> exp.Expr | None:
    """Add up before a number is put at the end of a text."""
    if isinstance(node, exp.DPipe) and isinstance(node.expression, (exp.Add, exp.Sub)):
        node.set("expression", exp.Paren(this=node.expression))
    return None


@correction
def texts_joined(node: exp.Expr) -> exp.Expr | None:
    """Pass over nulls in ``concat``, also those of numbers."""
    if type(node) is exp.Concat:
        return call("concat_ws", exp.Literal.string(""), *node.expressions)
    return None


@correction
def days_without_end(node: exp.Expr) -> exp.Expr | None:
    """Give the first and the last day for those without end, which Spark lacks."""
    days = {"infinity": "9999-12-31", "-infinity": "0001-01-01"}
    if (
        isinstance(node, exp.Cast)
        and node.to.is_type("date", "timestamp", "timestampntz")
        and node.this.is_string
        and node.this.name in days
    ):
        return exp.cast(exp.Literal.string(days[node.this.name]), node.to)
    return None


@correction
def values_turned(node: exp.Expr) -> exp.Expr | None:
    """Write the values of a join that turns columns into rows as a view of lists side by side."""
    if not isinstance(node, exp.Join) or not isinstance(node.this, exp.Lateral):
        return None
    values, select = node.this.this, node.parent
    if not isinstance(values, exp.Values) or not isinstance(select, exp.Select):
        return None
    # A list takes the type that all its values have in common.
    columns = zip(*(row.expressions for row in values.expressions), strict=True)
    lists = [call("array", *column) for column in columns]
    node.pop()
    select.append(
        "laterals",
        _view(call("inline", call("arrays_zip", *lists)), values.alias, values.alias_column_names),
    )
    return None
