import ast
from collections import Counter

import pytest

from mutations import (
    NUM_MUTATIONS,
    PROJECT,
    SUBJECTS,
    Mutation,
    draw,
    mutations_of,
    python_mutations,
    sql_mutations,
)

FILES = [path for subject in SUBJECTS.values() for path in subject.files]


@pytest.mark.parametrize("path", FILES)
def test_each_mutation_changes_one_place_of_its_file(path: str) -> None:
    text = (PROJECT / path).read_text()
    found = mutations_of(path)
    assert found
    for mutation in found:
        mutated, end = mutation.applied(text), mutation.position + len(mutation.before)
        assert mutation.before != mutation.after
        assert mutated.startswith(text[: mutation.position] + mutation.after)
        assert mutated.endswith(text[end:])
        if path.endswith(".py"):
            assert ast.dump(ast.parse(mutated)) != ast.dump(ast.parse(text))


def test_the_same_seed_draws_the_same_and_another_others() -> None:
    drawn = draw(NUM_MUTATIONS, 1)
    assert list(drawn.items()) == list(draw(NUM_MUTATIONS, 1).items())
    assert drawn.keys() != draw(NUM_MUTATIONS, 2).keys()


def test_mutations_are_spread_evenly_and_no_place_is_drawn_twice() -> None:
    drawn = draw(20, 3)
    assert sorted(Counter(drawn.values()).values()) == [2, 3, 3, 3, 3, 3, 3]
    assert set(drawn.values()) == set(SUBJECTS)
    assert len({(mutation.path, mutation.position) for mutation in drawn}) == 20


def test_of_python_no_import_annotation_or_text_is_changed() -> None:
    text = (
        '"""Is 1 < 2?"""\n'
        "from a import min\n"
        "def f(x: int | None = None, *, y: bool) -> tuple[1, 2]:\n"
        "    # not 3\n"
        "    z: list[4] = f'{5 + 6}'\n"
        "    if x is None or (x) < 7.5 and not y:\n"
        "        return max(z)\n"
    )
    changes = {(found.before, found.after) for found in python_mutations("f.py", text)}
    assert changes == {
        ("is", "is not"), ("or", "and"), ("<", "<="), ("7.5", "11.25"), ("and", "or"),
        ("not ", ""), ("max", "min"),
    }  # fmt: skip


def test_of_sql_no_comment_text_or_setting_is_changed() -> None:
    text = (
        "{{ config(materialized='table') }}\n{%- set a = 1 == 1 %}\n"
        "select *, -- 1 < 2 and not 3\n"
        "    coalesce(a, f(b, 4)) as c, 'd or e' as f, cast(g as decimal(5, 6)) as g,\n"
        "    row_number() over (partition by h order by i desc, j nulls first, k) as l\n"
        "from m left join n on m.o >= -n.o\nwhere p is not null and q between 'r' and 's'\n"
    )
    changes = {(found.before.strip(), found.after) for found in sql_mutations("f.sql", text)}
    assert changes == {
        ("f(b, 4)", "null"), ("4", "5"), ("4", "3"), ("desc", "asc"), (", k", ""), ("-", ""),
        ("i desc,", ""), ("nulls first", "nulls last"), ("left join", "inner join"),
        (">=", ">"), ("is not null", "is null"), ("and", "or"),
    }  # fmt: skip


def test_a_file_that_has_changed_since_is_left_alone() -> None:
    mutation = Mutation("f.sql", "comparison", 2, "<", "<=")
    with pytest.raises(ValueError, match=r"f\.sql is not what it was"):
        mutation.applied("a > b")
