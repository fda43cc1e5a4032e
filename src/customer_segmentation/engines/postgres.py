"""DuckDB's SQL, in which the project is written, as Postgres understands it.

sqlglot writes most of it; what it leaves as it is, or writes as something that means something
else, is corrected here. Functions that Postgres lacks stand in ``postgres.sql``.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres

from customer_segmentation.engines.translating import Translator, is_list_in_text, json_path

FUNCTIONS = (Path(__file__).parent / "postgres.sql").read_text(encoding="utf-8")
"""SQL that makes the schema ``from_duckdb``."""


class Write(Postgres):
    """Postgres, whose lists count from 1 as DuckDB's do."""

    INDEX_OFFSET = 0


def compute_once(tree: exp.Expr) -> None:
    """Keep what is dear from being computed wherever a later query names it.

    Postgres takes a query that is named once into the one that names it, with every expression.
    """
    for cte in tree.find_all(exp.CTE):
        if isinstance(cte.this, exp.Select) and any(
            is_dear(node) for column in cte.this.expressions for node in column.walk()
        ):
            cte.set("materialized", True)


def is_dear(node: exp.Expr) -> bool:
    """Tell regular expressions and casts that may fail."""
    return isinstance(node, (exp.RegexpLike, exp.RegexpILike, exp.RegexpReplace)) or (
        isinstance(node, exp.Dot) and node.expression.name.startswith("try_")
    )


TRANSLATOR = Translator(Write, compute_once)

correction, silent_correction = TRANSLATOR.correction, TRANSLATOR.silent_correction
written, translated = TRANSLATOR.written, TRANSLATOR.translated


def call(name: str, *arguments: exp.Expr) -> exp.Expr:
    """Call a function of the schema ``from_duckdb``."""
    function = exp.Anonymous(this=name, expressions=list(arguments))
    return exp.Dot(this=exp.to_identifier("from_duckdb"), expression=function)


def of_literal(number: int) -> exp.Expr:
    """Write a number."""
    return exp.Literal.number(number)


@silent_correction
def rounded(node: exp.Expr) -> exp.Expr | None:
    """Round halves of doubles away from zero; Postgres takes the even, or no digits at all."""
    if isinstance(node, exp.Round):
        return call(
            "round", node.this, *([node.args["decimals"]] if node.args.get("decimals") else [])
        )
    return None


@silent_correction
def quotient_to_decimal(node: exp.Expr) -> exp.Expr | None:
    """Round a quotient as the double that it is, not as the number printed."""
    if (
        isinstance(node, exp.Cast)
        and node.to.this == exp.DataType.Type.DECIMAL
        and node.to.expressions
        and node.this.find(exp.Div)
    ):
        scale = node.to.expressions[1].this if len(node.to.expressions) > 1 else of_literal(0)
        return call("to_decimal", node.this, scale)
    return None


@correction
def functions_by_name(node: exp.Expr) -> exp.Expr | None:
    """Call functions that ``postgres.sql`` has, or that have another name."""
    if not isinstance(node, exp.Anonymous):
        return None
    name = node.name.lower()
    if name == "isfinite":
        return call(name, *node.expressions)
    if name == "error":
        # A branch of a case takes the type of the others.
        case = node.find_ancestor(exp.Case)
        others = (
            []
            if case is None or case.find_ancestor(exp.Select) is not node.find_ancestor(exp.Select)
            else [
                branch
                for branch in [
                    *(if_.args["true"] for if_ in case.args["ifs"]),
                    case.args.get("default"),
                ]
                if branch is not None
                and not branch.find(exp.Anonymous)
                and not branch.find(exp.Dot)
            ]
        )
        return call(name, *node.expressions, *others[:1])
    if name == "getvariable":
        key = exp.Literal.string(f"from_duckdb.{node.expressions[0].name}")
        return exp.Anonymous(this="current_setting", expressions=[key, exp.true()])
    if name == "list_position":
        return exp.Anonymous(this="array_position", expressions=node.expressions)
    if name == "list_has_all":
        return exp.Paren(
            this=exp.ArrayContainsAll(this=node.expressions[0], expression=node.expressions[1])
        )
    if name == "list_extract":
        return _index(*node.expressions)
    if name == "nfc_normalize":
        return exp.Anonymous(this="normalize", expressions=node.expressions)
    if name == "hash":
        return _hash(node.expressions)
    return None


def _hash(arguments: list[exp.Expr]) -> exp.Expr:
    texts = [exp.cast(argument, "text") for argument in arguments]
    row = texts[0] if len(texts) == 1 else exp.cast(exp.Tuple(expressions=texts), "text")
    # Without a sign, as parts of all are taken by the rest of a division.
    return written("(hashtextextended(row, 0) & 9223372036854775807)", row=row)


@correction
def typeof(node: exp.Expr) -> exp.Expr | None:
    """Give types DuckDB's names, or no branch would match."""
    return call("typeof", node.this) if isinstance(node, exp.Typeof) else None


@correction
def skewness(node: exp.Expr) -> exp.Expr | None:
    """Compute the skewness, corrected for bias; Postgres has none."""
    if not isinstance(node, exp.Skewness) and not (
        isinstance(node, exp.Anonymous) and node.name.lower() == "skewness"
    ):
        return None
    x = exp.cast(
        node.this if isinstance(node, exp.Skewness) else node.expressions[0], "double precision"
    )
    return call(
        "skewness",
        written("count(x)", x=x),
        written("sum(x)", x=x),
        written("sum(x * x)", x=x),
        written("sum(x * x * x)", x=x),
    )


@silent_correction
def quantiles(node: exp.Expr) -> exp.Expr | None:
    """Take the seventh of 100 rows at 0.07, and interpolate as DuckDB does, to the last digit."""
    if isinstance(node, (exp.PercentileDisc, exp.PercentileCont)) and node.expression is not None:
        ordered = written("array_agg(x order by x) filter (where x is not null)", x=node.this)
        name = "quantile_disc" if isinstance(node, exp.PercentileDisc) else "quantile_cont"
        return call(name, ordered, node.expression)
    return None


@correction
def least_of_many(node: exp.Expr) -> exp.Expr | None:
    """List the n least for ``min(x, n)``."""
    if isinstance(node, (exp.Min, exp.Max)) and (node.args.get("count") or node.expressions):
        count = node.args.get("count") or node.expressions[0]
        down = " desc" if isinstance(node, exp.Max) else ""
        return written(
            f"(array_agg(x order by x{down}) filter (where x is not null))[1:n]",
            x=node.this,
            n=count,
        )
    return None


@correction
def argument_of_the_most(node: exp.Expr) -> exp.Expr | None:
    """Take the first in an order for ``arg_max`` and ``arg_min``."""
    if isinstance(node, (exp.ArgMax, exp.ArgMin)):
        down = " desc" if isinstance(node, exp.ArgMax) else ""
        return written(
            f"from_duckdb.first_of(x order by y{down})"
            " filter (where x is not null and y is not null)",
            x=node.this,
            y=node.expression,
        )
    return None


@correction
def filters_of_what_is_written_anew(node: exp.Expr) -> exp.Expr | None:
    """Put a filter at the aggregate that an expression is made of."""
    if not isinstance(node, exp.Filter) or isinstance(
        node.this, (exp.AggFunc, exp.WithinGroup, exp.Anonymous)
    ):
        return None
    condition = node.expression.this
    whole: exp.Expr = node.this.copy()
    own: exp.Expr = whole.this if isinstance(whole, exp.Column) else whole
    if isinstance(whole, exp.Dot) and whole.expression.name.startswith("quantile_"):
        own = whole.expression.expressions[0]
    if isinstance(own, exp.Filter):
        own.set("expression", exp.Where(this=exp.and_(own.expression.this, condition.copy())))
        return whole
    inner = [
        aggregate
        for aggregate in whole.find_all(exp.AggFunc)
        if not aggregate.find_ancestor(exp.AggFunc)
    ] + [a for a in whole.find_all(exp.Dot) if a.expression.name == "flatten"]
    if not inner:
        return None
    for aggregate in inner:
        outer = aggregate.parent
        if isinstance(outer, exp.Filter):
            outer.set(
                "expression", exp.Where(this=exp.and_(outer.expression.this, condition.copy()))
            )
        else:
            filtered = exp.Filter(
                this=aggregate.copy(), expression=exp.Where(this=condition.copy())
            )
            if aggregate is whole:
                return filtered
            aggregate.replace(filtered)
    return whole


@correction
def rows_as_values(node: exp.Expr) -> exp.Expr | None:
    """List a relation's rows as JSON objects."""
    if not isinstance(node, exp.ArrayAgg):
        return None
    item = node.this.this if isinstance(node.this, exp.Order) else node.this
    select = node.find_ancestor(exp.Select)
    if isinstance(item, exp.Column) and not item.table and select is not None:
        names = {
            relation.alias_or_name
            for relation in [(select.args.get("from_") or select).this]
            + [join.this for join in select.args.get("joins") or []]
            if isinstance(relation, (exp.Table, exp.Subquery))
        }
        if item.name in names:
            item.replace(exp.Anonymous(this="to_jsonb", expressions=[item.copy()]))
    return None


@correction
def structs(node: exp.Expr) -> exp.Expr | None:
    """Write a struct as a JSON object, with fields that are doubles where no cast is around."""
    if isinstance(node, exp.Struct):
        pairs: list[exp.Expr] = []
        for field in node.expressions:
            pairs += [exp.Literal.string(field.name), field.expression]
        return exp.Anonymous(this="jsonb_build_object", expressions=pairs)
    if isinstance(node, exp.Bracket) and len(node.expressions) == 1:
        (index,) = node.expressions
        if isinstance(index, exp.Literal) and index.is_string:
            return _field(node, node.this, index)
    if isinstance(node, exp.StructExtract):
        return _field(node, node.this, node.expression)
    return None


def _field(node: exp.Expr, struct: exp.Expr, index: exp.Expr) -> exp.Expr:
    text = exp.Paren(
        this=exp.JSONExtractScalar(
            this=_in_brackets(struct), expression=index, only_json_types=True
        )
    )
    if isinstance(node.parent, exp.Cast):
        return text
    return exp.cast(text, "double precision")


def _in_brackets(node: exp.Expr) -> exp.Expr:
    return (
        node if isinstance(node, (exp.Column, exp.Identifier, exp.Paren)) else exp.Paren(this=node)
    )


def _index(array: exp.Expr, index: exp.Expr) -> exp.Expr:
    return exp.Bracket(this=_in_brackets(array), expressions=[index])


@correction
def indices(node: exp.Expr) -> exp.Expr | None:
    """Put what is not a column in brackets before an index."""
    if isinstance(node, exp.Bracket) and not isinstance(
        node.this, (exp.Column, exp.Identifier, exp.Paren)
    ):
        node.set("this", exp.Paren(this=node.this))
    return None


@correction
def lambdas(node: exp.Expr) -> exp.Expr | None:
    """Write functions over lists as queries over their elements, in their order."""
    if isinstance(node, (exp.ArrayFilter, exp.Transform)):
        body = node.expression
        if not isinstance(body, exp.Lambda):
            return None
        name = body.expressions[0].name
        if node.meta.get("flat"):
            return written(
                f"array(select inner_element from unnest(list) with ordinality"
                f" as elements({name}, elements_position)"
                " cross join lateral unnest(body) with ordinality"
                " as inner_elements(inner_element, inner_position)"
                " order by elements_position, inner_position)",
                list=node.this,
                body=body.this,
            )
        kept = "where keep" if isinstance(node, exp.ArrayFilter) else ""
        taken = "x" if isinstance(node, exp.ArrayFilter) else "keep"
        return written(
            f"array(select {taken} from unnest(list) with ordinality"
            f" as elements({name}, elements_position) {kept} order by elements_position)",
            list=node.this,
            x=exp.column(name),
            keep=body.this,
        )
    if (
        isinstance(node, exp.Array)
        and len(node.expressions) == 1
        and isinstance(node.expressions[0], exp.Comprehension)
    ):
        inner = node.expressions[0]
        name = inner.expression.name
        return written(
            f"array(select body from unnest(list) as elements({name}))",
            body=inner.this,
            list=inner.args["iterator"],
        )
    return None


@correction
def series(node: exp.Expr) -> exp.Expr | None:
    """End ``range`` before its end, and give no time zone to the days of a series."""
    if isinstance(node, exp.GenerateSeries) and not isinstance(node, exp.ExplodingGenerateSeries):
        if node.args.get("is_end_exclusive"):
            node.set(
                "end", exp.Sub(this=exp.Paren(this=node.args["end"]), expression=of_literal(1))
            )
            node.set("is_end_exclusive", False)
        if isinstance(node.args.get("step"), exp.Interval) or (
            node.args.get("step") is not None and node.args["step"].find(exp.Interval)
        ):
            node.set("start", exp.cast(node.args["start"], "timestamp"))
            node.set("end", exp.cast(node.args["end"], "timestamp"))
        if not isinstance(node.parent, (exp.Explode, exp.Unnest, exp.Table, exp.From, exp.Join)):
            return written(
                "array(select generate_series(x, y))", x=node.args["start"], y=node.args["end"]
            )
    if isinstance(node, (exp.Explode, exp.Unnest)) and isinstance(node.this, exp.GenerateSeries):
        return exp.Anonymous(
            this="generate_series",
            expressions=[
                node.this.args[key] for key in ("start", "end", "step") if node.this.args.get(key)
            ],
        )
    return None


@correction
def lists(node: exp.Expr) -> exp.Expr | None:
    """Call functions of lists by their names here."""
    if isinstance(node, exp.ArraySort):
        return call("list_sort", node.this)
    if isinstance(node, exp.ArrayDistinct):
        return call("list_distinct", node.this)
    if isinstance(node, exp.ArrayMin):
        return call("list_min", node.this)
    if isinstance(node, exp.Flatten) and isinstance(node.this, exp.ArrayAgg):
        return call("flatten", node.this.this)
    if (
        isinstance(node, exp.Flatten)
        and isinstance(node.this, exp.Filter)
        and isinstance(node.this.this, exp.ArrayAgg)
    ):
        return exp.Filter(
            this=call("flatten", node.this.this.this), expression=node.this.expression
        )
    if isinstance(node, exp.Split):
        return exp.Anonymous(this="string_to_array", expressions=[node.this, node.expression])
    if isinstance(node, exp.ArrayContains):
        return exp.Paren(
            this=exp.EQ(this=node.expression, expression=exp.Any(this=exp.Paren(this=node.this)))
        )
    if isinstance(node, exp.Array) and not node.expressions:
        return exp.Literal.string("{}")
    if isinstance(node, exp.Length):
        return call("length", node.this)
    return None


@correction
def regular_expressions(node: exp.Expr) -> exp.Expr | None:
    """Match from the beginning to the end, and write out RE2's classes."""
    if isinstance(node, exp.RegexpFullMatch):
        options = node.args.get("options")
        pattern = node.expression
        whole = (
            exp.Literal.string(f"^(?:{_pattern(pattern.name)})$")
            if isinstance(pattern, exp.Literal)
            else written("'^(?:' || p || ')$'", p=pattern)
        )
        kind = exp.RegexpILike if options is not None and "i" in options.name else exp.RegexpLike
        return exp.Paren(this=kind(this=_in_brackets(node.this), expression=_in_brackets(whole)))
    if isinstance(node, (exp.RegexpLike, exp.RegexpReplace, exp.RegexpExtract)) and isinstance(
        node.expression, exp.Literal
    ):
        node.set("expression", exp.Literal.string(_pattern(node.expression.name)))
    if isinstance(node, exp.RegexpLike):
        return exp.Paren(
            this=exp.RegexpLike(this=_in_brackets(node.this), expression=node.expression)
        )
    if isinstance(node, exp.RegexpExtract):
        # Group 0 is the whole match.
        group = int(node.args["group"].name) if node.args.get("group") else 0
        pattern = node.expression if group else exp.Literal.string(f"({node.expression.name})")
        return written(
            "coalesce((regexp_match(x, p))[n], '')",
            x=node.this,
            p=pattern,
            n=of_literal(group or 1),
        )
    return None


CURRENCY = "".join(chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == "Sc")
"""Unicode's currency symbols, which RE2 calls ``\\p{Sc}``."""


def _pattern(pattern: str) -> str:
    pattern = pattern.replace(r"\p{Sc}", f"[{CURRENCY}]").replace(r"\x{a0}", "\u00a0")
    return pattern.replace(r"\#", "#").replace(r"\!", "!").replace(r"\<", "<").replace(r"\ ", " ")


@correction
def casts_that_may_fail(node: exp.Expr) -> exp.Expr | None:
    """Give null for ``try_cast`` of a value that is not of a form that DuckDB reads."""
    if not isinstance(node, exp.TryCast):
        return None
    kinds = {
        exp.DataType.Type.DATE: "try_date",
        exp.DataType.Type.TIMESTAMP: "try_timestamp",
        exp.DataType.Type.TIMESTAMPNTZ: "try_timestamp",
        exp.DataType.Type.TIMESTAMPTZ: "try_timestamptz",
        exp.DataType.Type.DOUBLE: "try_double",
        exp.DataType.Type.INT: "try_integer",
        exp.DataType.Type.BIGINT: "try_integer",
        exp.DataType.Type.DECIMAL: "try_decimal",
        exp.DataType.Type.BOOLEAN: "try_boolean",
    }
    if node.to.this in (exp.DataType.Type.VARCHAR, exp.DataType.Type.TEXT):
        return exp.cast(node.this, "text")
    name = kinds.get(node.to.this)
    if name is None:
        return None
    tried = call(name, exp.cast(node.this, "text"))
    if node.to.this == exp.DataType.Type.INT:
        return exp.cast(tried, "integer")
    return exp.cast(tried, node.to) if node.to.this == exp.DataType.Type.DECIMAL else tried


@correction
def tries(node: exp.Expr) -> exp.Expr | None:
    """Let casts fail in ``try(x)``."""
    if not isinstance(node, exp.Try):
        return None
    inner: exp.Expr = node.this.transform(
        lambda part: (
            exp.TryCast(this=part.this, to=part.to)
            if isinstance(part, exp.Cast) and not isinstance(part, exp.TryCast)
            else part
        )
    )
    return inner.transform(lambda part: casts_that_may_fail(part) or part)


@silent_correction
def days_between(node: exp.Expr) -> exp.Expr | None:
    """Count days as a bigint, as the contract of a table says."""
    if isinstance(node, exp.DateDiff) and node.args["unit"].name.lower() == "day":
        return written(
            "cast(cast(y as date) - cast(x as date) as bigint)", y=node.this, x=node.expression
        )
    return None


@correction
def days_as_intervals(node: exp.Expr) -> exp.Expr | None:
    """Write a number of days as an interval."""
    if isinstance(node, exp.ToDays):
        return written("make_interval(days => cast(x as integer))", x=node.this)
    return None


@correction
def dates_of_numbers(node: exp.Expr) -> exp.Expr | None:
    """Give ``make_date`` integers, as a whole quotient is."""
    if isinstance(node, exp.DateFromParts):
        parts = [exp.cast(node.args[key], "integer") for key in ("year", "month", "day")]
        return exp.Anonymous(this="make_date", expressions=parts)
    return None


FRAMES = {
    exp.Lead: "1 following and unbounded following",
    exp.Lag: "unbounded preceding and 1 preceding",
    exp.LastValue: "unbounded preceding and current row",
}
"""What each function of a window looks at, row by row."""


@silent_correction
def nulls_passed_over(node: exp.Expr) -> exp.Expr | None:
    """Pass over nulls where a window ignores them, which would be dropped."""
    if isinstance(node, exp.IgnoreNulls) and isinstance(node.this, exp.AnyValue):
        return node.this
    if not (isinstance(node, exp.Window) and isinstance(node.this, exp.IgnoreNulls)):
        return None
    function = node.this.this
    frame = FRAMES.get(type(function))
    if frame is None:
        return None
    # The nearest of those in the frame: the first that follow, the last of those before.
    window = node.copy()
    window.set("this", written("array_agg(x) filter (where x is not null)", x=function.this))
    window.set("spec", written(f"count(x) over (rows between {frame})").args["spec"])
    at = (
        of_literal(1)
        if isinstance(function, exp.Lead)
        else exp.Anonymous(this="cardinality", expressions=[window.copy()])
    )
    return exp.Bracket(this=exp.Paren(this=window), expressions=[at])


@correction
def texts_as_json(node: exp.Expr) -> exp.Expr | None:
    """Read JSON so that it can be compared, and by paths."""
    if isinstance(node, exp.ParseJSON):
        return exp.cast(node.this, "jsonb")
    if isinstance(node, (exp.JSONExtract, exp.JSONExtractScalar)) and not node.args.get(
        "only_json_types"
    ):
        found = written(
            "jsonb_path_query_first(cast(x as jsonb), cast(p as jsonpath))",
            x=node.this,
            p=json_path(node),
        )
        if isinstance(node, exp.JSONExtractScalar):
            return written("(found #>> '{}')", found=found)
        return found
    if isinstance(node, exp.FromJson):
        return written("array(select jsonb_array_elements(cast(x as jsonb)))", x=node.this)
    return None


@correction
def lists_in_text(node: exp.Expr) -> exp.Expr | None:
    """Read the text ``[1, 2]`` as a list, which is ``{1, 2}`` here."""
    if isinstance(node, exp.Cast) and is_list_in_text(node):
        return exp.cast(written("translate(cast(x as text), '[]', '{}')", x=node.this), node.to)
    return None


@correction
def hashes(node: exp.Expr) -> exp.Expr | None:
    """Write SHA-256 in hexadecimal."""
    if isinstance(node, exp.SHA2):
        return written("encode(sha256(convert_to(x, 'UTF8')), 'hex')", x=node.this)
    return None


@correction
def parts_of_texts(node: exp.Expr) -> exp.Expr | None:
    """Ask whether a text has another in it."""
    if isinstance(node, exp.Contains):
        return exp.Paren(this=written("position(y in x) > 0", x=node.this, y=node.expression))
    return None


@correction
def formats(node: exp.Expr) -> exp.Expr | None:
    """Write numbers as people do."""
    if isinstance(node, exp.Format):
        return call("format", node.this, exp.cast(node.expressions[0], "double precision"))
    return None


@correction
def semi_joins(node: exp.Expr) -> exp.Expr | None:
    """Write a semi or anti join by columns of one name as one by a condition."""
    if isinstance(node, exp.Join) and (node.kind in ("SEMI", "ANTI")) and node.args.get("using"):
        left = node.parent.args["from_"].this.alias_or_name if node.parent else ""
        right = node.this.alias_or_name
        node.set(
            "on",
            exp.and_(
                *[
                    exp.EQ(
                        this=exp.column(name.name, left), expression=exp.column(name.name, right)
                    )
                    for name in node.args["using"]
                ]
            ),
        )
        node.set("using", None)
    return None
