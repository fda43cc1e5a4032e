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
        "rounded_to_digits",
        r"""
        select round(x, 2) as y from (values (0.125::double), (-9563.925::double), (186.775::double))
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
        select arg_max(x, y) as a, arg_min(x, y) filter (where y > 1) as b
        from (values ('a', 1), ('b', 2), ('c', 3), ('d', null), (null, 4)) as t (x, y)
        """,
    ),
    (
        "filters_of_what_is_written_anew",
        r"""
        select quantile_disc(x, 0.5) filter (where x > 2) as y,
        round(skewness(x) filter (where x != 3), 6) as s from range(1, 8) as t (x)
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
        select string_split(x, ' ')[1] as y from (values ('a b')) as t (x)
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
        month)) as date) as y, x from range(0, 2) as t (x)
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
        from (values ('2024-02-30'), ('2024-02-03'), ('today'), ('1e3'), ('12,5'),
        ('2024-02-03 04:05:06'), ('20240203'), ('now'), ('1'), ('1d'), ('2024'), ('2024-02'),
        ('2024/2/3'), (' 2024-02-03 '), ('2024-02-03T04:05'), ('2024/02/03 14:15'), ('2024-02-03 04:05:06.5')) as t (x)
        """,
    ),
    (
        "tries",
        r"""
        select try(cast(x as double)) as y, try(cast(x || '0' as integer)) as z
        from (values ('12'), ('a')) as t (x)
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
        "values_turned",
        r"""
        unpivot (select 1 as id, 2 as a, 3.5::double as b) on a, b into name metric value amount
        """,
    ),
    (
        None,
        r"""
        select t.*, u.c from (select 1 as a, 2 as b) as t left join (select 1 as a, 3 as c) as u
        using (a)
        """,
    ),
    (
        "doubles_as_decimals",
        r"""
        select cast(a / b as decimal(38, 4)) as y, try_cast(d as decimal(10, 2)) as z
        from (values (652305.0::double, 4000, 1.005)) as t (a, b, d)
        """,
    ),
    (
        "doubles_as_texts",
        r"""
        select cast(x as varchar) as y, regexp_replace(cast(w as varchar), '[.]0$', '') as z
        from (values (123456789.25::double, 12345678::double), (0.0005, 3)) as t (x, w)
        """,
    ),
    (
        "quotients",
        r"""
        select 3 * (a / b) as y from (values (1.00, 3.00)) as t (a, b)
        """,
    ),
    (
        "averages",
        r"""
        select cast(avg(x) as double) as y from (values (0.000001), (0.000002), (0.000002)) as t (x)
        """,
    ),
    (
        "hashes_of_rows",
        r"""
        select hash(x, null) = hash(null, x) as y from (values (1)) as t (x)
        """,
    ),
    (
        None,
        r"""
        select min(hash(x)) >= 0 as y from (values ('a'), ('b'), ('c'), ('d'), ('e')) as t (x)
        """,
    ),
    (
        "characters",
        r"""
        select replace(x, chr(8203), '-') as y, trim(x, ' ' || chr(160)) as z
        from (values ('ÿ' || chr(8203) || chr(160))) as t (x)
        """,
    ),
    (
        None,
        r"""
        select any_value(x) filter (where i > 1) as y
        from (values (1, 'a'), (2, null), (3, 'c')) as t (i, x)
        """,
    ),
    (
        "lists_in_order",
        r"""
        select list(x order by k desc, i) as y, list(i order by x) as z,
        list(i) filter (where i > 9) as n
        from (values (1, 'a', 'p'), (2, null, 'q'), (3, 'c', 'q'), (4, 'd', null)) as t (i, x, k)
        """,
    ),
    (
        "replacements",
        r"""
        select regexp_replace(x, '[a-c]', '-') as y, regexp_replace(x, '([a-c])(\d)', '\2\1', 'g')
        as z, regexp_replace(x, '\s*([+-])(\d)$', '\2') as e
        from (values ('a1b2c3'), ('x'), ('ab +3')) as t (x)
        """,
    ),
    (
        "timestamps_with_zone",
        r"""
        select timezone('Europe/Berlin', try_cast(x as timestamptz)) as y
        from (values ('2024-06-03 04:05:06+05:00'), ('2024-06-03T04:05Z'), ('2024')) as t (x)
        """,
    ),
    (
        "months_without_zone",
        r"""
        select typeof(date_trunc('month', x)) = 'TIMESTAMP' as y, date_trunc('month', x) as m
        from (values (timestamp '2024-02-03 04:05:06')) as t (x)
        """,
    ),
    (
        "sums_in_texts",
        r"""
        select 'a ' || 1 + x || '.' as y from (values (2)) as t (x)
        """,
    ),
    (
        "texts_joined",
        r"""
        select concat(x, y, z) as y from (values (1, null, 'a'), (null, 2, null)) as t (x, y, z)
        """,
    ),
    (
        "days_without_end",
        r"""
        select coalesce(x, date 'infinity') as y, coalesce(x, date '-infinity') as z
        from (values (date '2024-01-01'), (null)) as t (x)
        """,
    ),
    (
        None,
        r"""
        with wide as (select 1 as id, 2 as a, cast(null as integer) as b)
        from (unpivot wide on a, b into name metric value amount)
        """,
    ),
    (
        None,
        r"""
        select string_split('a b c', ' ')[:2] as y, list_concat(['a'], null) as c
        """,
    ),
    (
        None,
        r"""
        select count(*) as y from (
            select unnest(generate_series(x, date '2024-01-01', interval 1 month))
            from (values (date '2024-02-01'), (date '2024-01-01'), (null)) as t (x)
        ) as u
        """,
    ),
    (
        None,
        r"""
        select flatten(list(l)) as y, list_sort(flatten(list(l))) as z
        from (values ([2, 1]), (null), ([3])) as t (l)
        """,
    ),
    (
        None,
        r"""
        select (s -> ('$.' || n)) = json(v) as y from (values ('{"a": [1, 2]}', 'a', '[1,2]'),
        ('{"a": "b"}', 'a', '"b"'), ('{"a": null}', 'b', '1')) as t (s, n, v)
        """,
    ),
    (
        None,
        r"""
        select x, row_number() over (order by x) as y, row_number() over (order by x desc) as z,
        sum(i) filter (where i > 1) over (order by i) as s
        from (values (1, 'b'), (2, null), (3, 'a')) as t (i, x)
        """,
    ),
    (
        None,
        r"""
        select string_agg(x, '; ' order by k desc, x) as y, array_to_string(list(x order by x), ', ')
        as z from (values ('a', 1), ('b', 2), (null, 3), ('c', 2)) as t (x, k)
        """,
    ),
    (
        None,
        r"""
        select 'a\d' as y, x like 'a%' as l, 'it''s' as q, x in ('a\b', 'c') as i
        from (values ('a\b')) as t (x)
        """,
    ),
    (
        None,
        r"""
        select greatest(1, x) as g, least(x, 2) as l, x is distinct from 1 as d, x || 'a' as t
        from (values (null), (3)) as t (x)
        """,
    ),
    (
        None,
        r"""
        select min(x, 2) as y, list(x) as l, quantile_cont(x, [0.5]) as q, any_value(x) as a,
        string_agg(cast(x as varchar), ',') as s, round(skewness(x), 4) as k
        from (values (1)) as t (x) where x > 1
        """,
    ),
    (
        None,
        r"""
        select a, unnest(l) as x, unnest(m) as y from (values ('p', [1, 2], ['u']), ('q', [], null),
        ('r', null, ['v', 'w'])) as t (a, l, m) where a != 'z'
        """,
    ),
    (
        None,
        r"""
        select regexp_full_match(x, 'a') as f, regexp_matches(x, 'a$') as m,
        regexp_full_match(x, 'Ä.*', 'i') as u from (values ('a'), (E'a\n'), ('äb')) as t (x)
        """,
    ),
    (
        None,
        r"""
        select cast(x as integer) as i, cast(b as integer) as b, -7 // 2 as q, -7 % 3 as m
        from (values (2.0::double, true)) as t (x, b)
        """,
    ),
    (
        "columns_behind_names",
        r"""
        select a, min(b) as b from (values (1, 2), (1, 2), (2, 3), (2, 4)) as t (a, b) group by a
        order by min(b), max(b)
        """,
    ),
    (
        None,
        r"""
        select a, min(b) as b, avg(max(c)) over () as c from (values (1, 2, 3), (1, 2, 3),
        (2, 3, 3), (2, 4, 3)) as t (a, b, c) group by a having min(b) = max(b)
        """,
    ),
    (
        None,
        r"""
        select concat_ws('-', x, y) as c, array_to_string([x, y], '|') as a
        from (values ('a', null), ('b', 'c')) as t (x, y)
        """,
    ),
]
