"""Stars written out, for engines without ``* replace``, ``by name`` and ``qualify``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlglot import exp

Columns = Callable[[str, str], Sequence[str] | None]
"""Columns of a table by its schema and name, in their order; None if it is not known."""


def write_out_stars(tree: exp.Expr, columns: Columns) -> exp.Expr:
    """Replace every star by the columns that it stands for, and union by name by union.

    Raises ``ValueError`` if the columns of a relation are not known.
    """
    whole = exp.Subquery(this=tree)
    _Scope(columns, {}).query(whole)
    written: exp.Expr = whole.this
    return written


class _Scope:
    """The relations that a query can name."""

    def __init__(self, columns: Columns, named: Mapping[str, list[str]]) -> None:
        self.columns, self.named = columns, dict(named)

    def query(self, tree: exp.Expr) -> list[str]:
        """Write out a query's stars; returns its columns."""
        inner = _Scope(self.columns, self.named)
        with_ = tree.args.get("with_")
        for cte in with_.expressions if with_ else []:
            found = inner.query(cte.this)
            names = [name.name for name in cte.args["alias"].columns] or found
            inner.named[cte.alias.lower()] = names
        if isinstance(tree, exp.Subquery):
            return inner.query(tree.this)
        if isinstance(tree, exp.SetOperation):
            return inner.set_operation(tree)
        if isinstance(tree, exp.Pivot):
            return inner.unpivot(tree)
        if isinstance(tree, exp.Values):
            return list(tree.alias_column_names)
        return inner.select(tree)

    def set_operation(self, tree: exp.SetOperation) -> list[str]:
        if not tree.args.get("by_name"):
            left = self.query(tree.this)
            self.query(tree.expression)
            return left
        sides = _sides(tree)
        columns = [self.query(side) for side in sides]
        wanted = list(dict.fromkeys(name for names in columns for name in names))
        pairs = list(zip(sides, columns, strict=True))
        filled = [_in_order(side, names, wanted) for side, names in pairs]
        if not any(len(names) == len(wanted) for _, names in pairs):
            filled.insert(0, _none_of(pairs, wanted))
        else:
            # Whoever has all the columns goes first, so that a null elsewhere takes their types.
            first = next(i for i, (_, names) in enumerate(pairs) if len(names) == len(wanted))
            filled.insert(0, filled.pop(first))
        union = filled[0]
        for side in filled[1:]:
            union = exp.Union(this=union, expression=side, distinct=bool(tree.args.get("distinct")))
        for key in ("with_", "order", "limit"):
            if tree.args.get(key):
                union.set(key, tree.args[key])
        tree.replace(union)
        return wanted

    def unpivot(self, tree: exp.Pivot) -> list[str]:
        """Write ``unpivot (query) on a, b into name n value v`` as a join with its values."""
        names = self.relation(tree.this)
        turned = [column.name for column in tree.expressions]
        into = tree.args["into"]
        name, value = into.this.name, into.expressions[0].name
        kept = [column for column in names if column not in turned]
        rows = exp.Values(
            expressions=[
                exp.Tuple(expressions=[exp.Literal.string(column), exp.column(column, "turned")])
                for column in turned
            ],
            alias=exp.TableAlias(
                this=exp.to_identifier("pairs"),
                columns=[exp.to_identifier(name), exp.to_identifier(value)],
            ),
        )
        source = tree.this.copy()
        source.set("alias", exp.TableAlias(this=exp.to_identifier("turned")))
        select = (
            exp.select(
                *[exp.column(column, "turned") for column in kept],
                exp.column(name, "pairs"),
                exp.column(value, "pairs"),
            )
            .from_(source)
            .join(exp.Lateral(this=rows), join_type="cross")
            .where(exp.Not(this=exp.Is(this=exp.column(value, "pairs"), expression=exp.Null())))
        )
        tree.replace(select)
        return [*kept, name, value]

    def select(self, select: exp.Expr) -> list[str]:
        sources = self.sources(select)
        for nested in select.find_all(exp.Query):
            if nested.find_ancestor(exp.Select) is select and not isinstance(
                nested.parent, (exp.CTE, exp.From, exp.Join, exp.Lateral)
            ):
                self.query(nested)
        projections: list[exp.Expr] = []
        for unpacked in [
            node for projection in select.expressions for node in projection.find_all(exp.Columns)
        ]:
            call = unpacked.parent
            listed = self.written_out(unpacked.this, sources, select)
            call.set("expressions", listed)
        for projection in select.expressions:
            projections += self.written_out(projection, sources, select)
        select.set("expressions", projections)
        names = [_name_of(projection) for projection in projections]
        if select.args.get("qualify"):
            self.qualify(select, names, sources)
        return names

    def qualify(self, select: exp.Expr, names: list[str], sources: dict[str, list[str]]) -> None:
        """Write a condition on windows as one on a column of the query below."""
        condition = select.args["qualify"].this.copy()
        known = {name.lower() for columns in sources.values() for name in columns}
        meant = {
            projection.alias.lower(): projection.this
            for projection in select.expressions
            if isinstance(projection, exp.Alias) and projection.alias.lower() not in known
        }
        for column in list(condition.find_all(exp.Column)):
            if not column.table and column.name.lower() in meant:
                column.replace(meant[column.name.lower()].copy())
        inner = select.copy()
        inner.set("qualify", None)
        for key in ("with_", "order", "limit"):
            inner.set(key, None)
        inner.append("expressions", exp.alias_(condition, "is_kept"))
        outer = (
            exp.select(*[exp.column(exp.to_identifier(name, quoted=True)) for name in names])
            .from_(
                exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier("qualified")))
            )
            .where(exp.column("is_kept"))
        )
        for key in ("with_", "order", "limit"):
            if select.args.get(key):
                outer.set(key, select.args[key])
        select.replace(outer)

    def sources(self, select: exp.Expr) -> dict[str, list[str]]:
        """Columns by the name of each relation of a select."""
        found: dict[str, list[str]] = {}
        from_ = select.args.get("from_")
        relations = [from_.this] if from_ else []
        relations += [join.this for join in select.args.get("joins") or []]
        relations += list(select.args.get("laterals") or [])
        for relation in relations:
            found[relation.alias_or_name.lower()] = self.relation(relation)
            for join in relation.args.get("joins") or []:
                found[join.this.alias_or_name.lower()] = self.relation(join.this)
        return found

    def relation(self, relation: exp.Expr) -> list[str]:
        if isinstance(relation, exp.Subquery):
            names = self.query(relation.this)
        elif isinstance(relation, exp.Table) and isinstance(relation.this, exp.Identifier):
            if not relation.db and relation.name.lower() in self.named:
                names = self.named[relation.name.lower()]
            else:
                names = list(self.columns(relation.db, relation.name) or [])
        else:
            for nested in relation.find_all(exp.Select):
                self.query(nested)
            names = []
        return relation.alias_column_names or names

    def written_out(
        self, projection: exp.Expr, sources: dict[str, list[str]], select: exp.Expr
    ) -> list[exp.Expr]:
        table = None
        star = projection
        if isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star):
            table, star = projection.table.lower(), projection.this
        if not isinstance(star, exp.Star):
            return [projection]
        left_out = {e.name.lower() for e in star.args.get("except_") or []}
        replaced = {e.alias.lower(): e for e in star.args.get("replace") or []}
        for new in replaced.values():
            for nested in new.find_all(exp.Subquery):
                self.query(nested)
        renamed = {e.this.name.lower(): e.alias for e in star.args.get("rename") or []}
        merged: set[str] = set()
        for join in select.args.get("joins") or []:
            merged |= {name.name.lower() for name in join.args.get("using") or []}
        has_outer = any(join.side in ("FULL", "RIGHT") for join in select.args.get("joins") or [])
        one_sided = {
            join.this.alias_or_name.lower()
            for join in select.args.get("joins") or []
            if join.kind in ("SEMI", "ANTI") or join.side in ("SEMI", "ANTI")
        }
        out: list[exp.Expr] = []
        seen: set[str] = set()
        for source, names in sources.items():
            if (table and source != table) or source in one_sided:
                continue
            if not names:
                raise ValueError(f"the columns of '{source}' are not known")
            for name in names:
                lower = name.lower()
                if lower in left_out or (lower in merged and lower in seen):
                    continue
                seen.add(lower)
                if lower in replaced:
                    out.append(replaced[lower].copy())
                else:
                    is_merged_of_both = lower in merged and has_outer
                    column = exp.column(
                        exp.to_identifier(name, quoted=True),
                        source if source and len(sources) > 1 and not is_merged_of_both else None,
                    )
                    out.append(
                        exp.alias_(column, renamed[lower], quoted=True)
                        if lower in renamed
                        else column
                    )
        return out


def _sides(tree: exp.Expr) -> list[exp.Expr]:
    """List the queries of a chain of unions by name."""
    if isinstance(tree, exp.SetOperation) and tree.args.get("by_name"):
        return _sides(tree.this) + _sides(tree.expression)
    return [tree]


def _name_of(projection: exp.Expr) -> str:
    return str(projection.alias_or_name or projection.output_name)


def _none_of(pairs: list[tuple[exp.Expr, list[str]]], wanted: list[str]) -> exp.Expr:
    """Write a query of all the columns and no row, for their types."""
    home = {name.lower(): i for i, (_, names) in reversed(list(enumerate(pairs))) for name in names}
    sides = [
        exp.Subquery(this=side.copy(), alias=exp.TableAlias(this=exp.to_identifier(f"side_{i}")))
        for i, (side, _) in enumerate(pairs)
    ]
    select = exp.select(
        *[
            exp.column(exp.to_identifier(name, quoted=True), f"side_{home[name.lower()]}")
            for name in wanted
        ]
    ).from_(sides[0])
    for side in sides[1:]:
        select = select.join(side, join_type="cross")
    return select.where(exp.false())


def _in_order(side: exp.Expr, names: list[str], wanted: list[str]) -> exp.Expr:
    """Write a query whose columns stand in the wanted order; null for those that it lacks."""
    have = {name.lower() for name in names}
    projections = [
        exp.column(exp.to_identifier(name, quoted=True))
        if name.lower() in have
        else exp.alias_(exp.Null(), name, quoted=True)
        for name in wanted
    ]
    return exp.select(*projections).from_(
        exp.Subquery(this=side.copy(), alias=exp.TableAlias(this=exp.to_identifier("side")))
    )
