"""What the project's SQL means, a query each, for every engine.

Each gives DuckDB's rows; without the correction that a case names it fails, or, if the correction
is silent, answers something else.
"""

CASES: list[tuple[str | None, str]] = [
    (
        "rounded",
        r"""
        select round(x) as y from (values (0.125::double), (2.5::double), (-2.5::double),
        (186.5::double)) as t (x)
        """,
    ),
    (
        None,
        r"""
        select round(x, 2) as y from (values (0.125::double), (-2.675::double), (186.775::double))
        as t (x)
        """,
    ),
    (
        "quotient_to_decimal",
        r"""
        select cast(a / b as decimal(38, 4)) as y from (values (1867577.5::double, 10000),
        (652305.0::double, 4000), (815.381, 5)) as t (a, b)
        """,
    ),
    (
        "functions_by_name",
        r"""
        select isfinite(x) as y, list_position([3, 1, 2], 2) as p, list_has_all(['a', 'b'], ['b']) as h from (values (1.0::double), ('nan'::double)) as t (x)
        """,
    ),
    (
        "typeof",
        r"""
        select typeof(x) = 'VARCHAR' as y, typeof(n) in ('DOUBLE', 'FLOAT') as z from (values ('a'::varchar, 1.5::double)) as t (x, n)
        """,
    ),
    (
        "skewness",
        r"""
        select round(skewness(x), 6) as y from (values (1.0::double), (2.0::double),
        (2.5::double), (30.0::double)) as t (x)
        """,
    ),
    (
        "quantiles",
        r"""
        select quantile_cont(x, [0.25, 0.333]) as c, quantile_cont(x, 0.5) filter (where x > 7) as
        m, quantile_disc(x, [0.07, 0.14, 0.28, 0.56, 1.0]) as y, quantile_disc(x, 0.29) as z,
        quantile_disc(x, [e / 200 for e in range(112, 114)]) as d from range(1, 101) as t (x)
        """,
    ),
    (
        "least_of_many",
        r"""
        select min(x, 2) as y, min(x, 2) filter (where x != 'a') as z from (values ('b'), ('a'), ('c'), (null)) as t (x)
        """,
    ),
    (
        "argument_of_the_most",
        r"""
        select arg_max(x, y) as a, arg_min(x, y) filter (where y > 1) as b from (values ('a', 1), ('b', 2), ('c', 3), ('d', null)) as t (x, y)
        """,
    ),
    (
        "filters_of_what_is_written_anew",
        r"""
        select quantile_disc(x, 0.5) filter (where x > 2) as y from range(1, 8) as t (x)
        """,
    ),
    (
        "rows_as_values",
        r"""
        select cast(l[1]['a'] as varchar) as y from (select list(t order by b desc) as l from (select 'p' as a, 1 as b union all select 'q', 2) as t) as u
        """,
    ),
    (
        "structs",
        r"""
        select l[1]['a'] + 1 as y from (select [{'a': 1.5, 'b': 'x'}] as l) as t
        """,
    ),
    (
        "indices",
        r"""
        select string_split(x, ' ')[2] as y from (values ('a b')) as t (x)
        """,
    ),
    (
        "lambdas",
        r"""
        select list_filter(l, lambda e: e > 1) as y, list_transform(l, lambda e: e * 2 + a) as z,
        [e / 2 for e in range(1, 4)] as c from (select [3, 1, 2] as l, 10 as a) as t
        """,
    ),
    (
        None,
        r"""
        select flatten(list_transform(l, lambda e: range(1, e))) as y from (select [3, 1, 4] as l)
        as t
        """,
    ),
    (
        "series",
        r"""
        select cast(unnest(generate_series(date '2024-01-31' - 30, date '2024-03-02', interval 1
        month)) as date) as y
        """,
    ),
    (
        "lists",
        r"""
        select list_sort(list_distinct(['b', 'a', 'b', null])) as y, string_split('a b', ' ') as s, list_contains(['a'], 'a') as c, len([1, 2]) as l, list_min([3, 1]) as m
        """,
    ),
    (
        "regular_expressions",
        r"""
        select regexp_full_match(x, '[a-z]\d+') as y, regexp_full_match(x, 'A\d+', 'i') as z, regexp_matches(x, '\p{Sc}') as s, regexp_extract(x, '(\d)(\d)', 2) as e from (values ('a12'), ('a12b'), ('€ 12')) as t (x)
        """,
    ),
    (
        "casts_that_may_fail",
        r"""
        select try_cast(x as date) as d, try_cast(x as double) as n, try_cast(x as timestamp) as t
        from (values ('2024-02-30'), ('2024-02-03'), ('today'), ('1e3'), ('12,5'), ('2024-02-03 04:05:06'), ('20240203'), ('now'), ('1'), ('2024/2/3'), (' 2024-02-03 '), ('2024-02-03T04:05'), ('2024-02-03 25:00:00')) as t (x)
        """,
    ),
    (
        "tries",
        r"""
        select try(cast(x as double)) as y from (values ('12'), ('a')) as t (x)
        """,
    ),
    (
        "days_between",
        r"""
        select typeof(datediff('day', date '2024-01-31', date '2024-02-01')) = 'BIGINT' as y, datediff('day', timestamp '2024-01-31 23:00', timestamp '2024-02-01 01:00') as d, datediff('month', date '2024-01-31', date '2024-02-01') as m
        """,
    ),
    (
        "days_as_intervals",
        r"""
        select cast(date '2024-01-31' + to_days(x) as date) as y from (values (3)) as t (x)
        """,
    ),
    (
        "dates_of_numbers",
        r"""
        select make_date(2020 + x // 40, 2, 1) as y from (values (85)) as t (x)
        """,
    ),
    (
        "nulls_passed_over",
        r"""
        select i, lead(x ignore nulls) over (order by i) as y, lag(x ignore nulls) over (order by
        i) as z from (values (1, 'a'), (2, null), (3, 'c')) as t (i, x)
        """,
    ),
    (
        "texts_as_json",
        r"""
        select json('[1, 2]') = json('[1,2]') as y, s ->> '$.a' as z from (select '{"a": "b"}' as
        s) as t
        """,
    ),
    (
        "lists_in_text",
        r"""
        select cast(x as double[]) as y from (values ('[1.5, 2]')) as t (x)
        """,
    ),
    (
        "hashes",
        r"""
        select sha256(x) as y from (values ('a')) as t (x)
        """,
    ),
    (
        "parts_of_texts",
        r"""
        select contains(x, '.') as y from (values ('a.b'), ('ab')) as t (x)
        """,
    ),
    (
        "formats",
        r"""
        select format('{:g} %', x) as y, format('{:,}', n) as z from (values (12.5::double,
        1234567), (0.1::double, 1)) as t (x, n)
        """,
    ),
    (
        "semi_joins",
        r"""
        select t.a from (select 1 as a union all select 2) as t semi join (select 2 as a) as u
        using (a)
        """,
    ),
    (
        None,
        r"""
        select * replace (a + 1 as a) from (select 1 as a, 2 as b) as t
        """,
    ),
    (
        None,
        r"""
        select * exclude (b) from (select 1 as a, 2 as b) as t
        """,
    ),
    (
        None,
        r"""
        select 1 as a, 'x' as b union all by name select 'y' as b, 2.5 as c union all by name
        select 3 as a
        """,
    ),
    (
        None,
        r"""
        select a from (values (1, 2), (2, 1)) as t (a, b) qualify row_number() over (order by b) =
        1
        """,
    ),
    (
        None,
        r"""
        unpivot (select 1 as id, 2.5 as a, 3.5 as b) on a, b into name metric value amount
        """,
    ),
    (
        None,
        r"""
        select t.*, u.c from (select 1 as a, 2 as b) as t left join (select 1 as a, 3 as c) as u
        using (a)
        """,
    ),
]
