"""The ways that benchmark.py compares, each in its own process: ``baselines.py NAME ORDERS``."""

import sys
import time


def bare(orders: str) -> None:
    """Group by customer over the file in DuckDB alone, nothing kept."""
    import duckdb

    connection = duckdb.connect(config={"memory_limit": "4GB"})
    connection.sql(
        f"""
        select count(*), sum(total), sum(num_orders), max(last_order) from (
            select
                customer_id,
                sum(amount) as total,
                count(*) as num_orders,
                max(ordered_at) as last_order
            from '{orders}'
            group by customer_id
        )
        """
    ).fetchall()


def with_polars(orders: str) -> None:
    """Group by customer in polars, streaming."""
    import polars

    column = polars.col
    by_customer = (
        polars.scan_parquet(orders)
        .group_by("customer_id")
        .agg(
            column("amount").sum().alias("total"),
            polars.len().alias("num_orders"),
            column("ordered_at").max().alias("last_order"),
        )
    )
    by_customer.select(
        polars.len(), column("total").sum(), column("num_orders").sum(), column("last_order").max()
    ).collect(engine="streaming")


def notebook(orders: str, n_init: int | str) -> None:
    """Do what most notebooks do: pandas, StandardScaler, KMeans for k = 2..10, then one k.

    DuckDB reads the Parquet file for pandas, which favours the notebook.
    """
    import duckdb
    import pandas as pd
    from sklearn.cluster import KMeans
    from sklearn.preprocessing import StandardScaler

    frame = duckdb.connect().sql(f"from '{orders}'").df()
    today = frame["ordered_at"].max() + pd.Timedelta(days=1)
    customers = frame.groupby("customer_id").agg(
        total_amount=("amount", "sum"),
        num_orders=("order_id", "nunique"),
        last_order=("ordered_at", "max"),
    )
    customers["avg_order_value"] = customers["total_amount"] / customers["num_orders"]
    customers["days_since_last_order"] = (today - customers["last_order"]).dt.days
    features = StandardScaler().fit_transform(customers.drop(columns="last_order"))
    for k in range(2, 11):
        KMeans(n_clusters=k, n_init=n_init, random_state=42).fit(features)
        print(f"  k = {k} after {time.perf_counter() - STARTED:.0f} s", file=sys.stderr, flush=True)
    customers["cluster"] = KMeans(n_clusters=4, n_init=n_init, random_state=42).fit_predict(
        features
    )


WAYS = {
    "bare": bare,
    "polars": with_polars,
    "notebook": lambda orders: notebook(orders, "auto"),
    "notebook10": lambda orders: notebook(orders, 10),
}

if __name__ == "__main__":
    STARTED = time.perf_counter()
    WAYS[sys.argv[1]](sys.argv[2])
