"""What models ask of an engine's relations means what it means to DuckDB's."""

from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from customer_segmentation.engines.local import Asked

CUSTOMERS = "select * from customers"


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(
        """
        create table customers as from (values
            ('a', 'Loyal', 1, true), ('b', 'Loyal', 2, true), ('c', 'Lapsed', 3, false),
            ('d', 'Lapsed', 3, true)
        ) as t (customer_id, segment, num_orders, has_ordered);
        create table sample as from (values ('a', 1), ('c', 2), ('d', 3)) as t (customer_id, place)
        """
    )
    return connection


@pytest.mark.parametrize(
    "question",
    [
        lambda customers, _: customers.filter("num_orders > 1"),
        lambda customers, _: customers.select("segment, num_orders * 2 as twice"),
        lambda customers, _: customers.select("segment").distinct(),
        lambda customers, sample: sample.join(customers, "customer_id"),
        lambda customers, _: customers.aggregate("max(num_orders)"),
        lambda customers, _: customers.aggregate(
            "segment, case when num_orders > 1 then 2 end as rule, count(*) as num_customers"
        ),
        lambda customers, _: customers.aggregate(
            "round(avg(num_orders) filter (where has_ordered) / 2, 1) as half, segment"
        ),
        lambda customers, sample: (
            customers.filter("has_ordered")
            .select("customer_id, row_number() over (order by customer_id desc) as position")
            .filter("position <= 2")
            .join(sample, "customer_id")
            .order("place")
            .select("customer_id, place")
        ),
    ],
)
def test_a_question_means_what_it_means_to_duckdb(
    connection: duckdb.DuckDBPyConnection, question: Callable[[Any, Any], Any]
) -> None:
    asked = question(
        Asked(CUSTOMERS, connection.sql), Asked("select * from sample", connection.sql)
    )
    there = question(connection.table("customers"), connection.table("sample"))
    assert asked.columns == there.columns
    assert sorted(asked.fetchall(), key=str) == sorted(there.fetchall(), key=str)
    assert len(there.fetchall())


def test_only_what_is_taken_is_copied(connection: duckdb.DuckDBPyConnection) -> None:
    copied = []

    def answer(sql: str) -> duckdb.DuckDBPyRelation:
        copied.append(connection.sql(sql))
        return copied[-1]

    customers = Asked(CUSTOMERS, answer).filter("has_ordered").select("customer_id, segment")
    assert not copied
    assert customers.aggregate("segment, count(*) as num_customers").df().shape == (2, 2)
    assert [relation.shape for relation in copied] == [(2, 2)]
