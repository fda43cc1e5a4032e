from pathlib import Path

from customer_segmentation.database import home_of
from customer_segmentation.sources import Source, look_at_sources


def model(dbt, session):
    """One row per file of your orders and customers: how it is read, and what of it is no row."""
    # It waits for what can be said of the seeds, and everything else waits for it.
    dbt.ref("customer_segmentation", "seed_guards")
    # dbt reads names of models from this text, where the var's can't stand: its pre-hook has it.
    read_model, project = dbt.ref, dbt.config.meta_get("project")

    def table_of(name):
        """Give the table of a host's model."""
        parts = name.split(".") if "." in name else [project, name]
        return read_model(*parts).sql_query()[len("select * from ") :]

    orders_model = dbt.config.meta_get("orders_model")
    customers_model = dbt.config.meta_get("customers_model")
    orders_location = dbt.config.meta_get("orders_location")
    customers_location = dbt.config.meta_get("customers_location")
    share = dbt.config.meta_get("max_unreadable_share")
    allow_network = dbt.config.meta_get("allow_network")
    orders = Source(
        "orders",
        location=table_of(orders_model) if orders_model else orders_location,
        model=orders_model,
        columns=dbt.config.meta_get("order_columns"),
        custom_columns=dbt.config.meta_get("custom_order_columns"),
        rows_are=dbt.config.meta_get("rows_are"),
        csv_options=dbt.config.meta_get("csv_options"),
        order_rows=dbt.config.meta_get("order_rows"),
        max_unreadable_share=share,
        allow_network=allow_network,
    )
    customers = Source(
        "customers",
        location=table_of(customers_model) if customers_model else customers_location,
        model=customers_model,
        columns=dbt.config.meta_get("customer_columns"),
        csv_options=dbt.config.meta_get("customers_csv_options"),
        max_unreadable_share=share,
        allow_network=allow_network,
    )
    rates = Source(
        "currency_rates",
        location=dbt.config.meta_get("currency_rates_location"),
        columns={"currency": "currency", "month": "month", "rate": "rate"},
        max_unreadable_share=0,
        allow_network=allow_network,
    )
    identities = Source(
        "customer_identities",
        location=dbt.config.meta_get("customer_identities_location"),
        columns=dbt.config.meta_get("customer_identity_columns"),
        max_unreadable_share=share,
        allow_network=allow_network,
    )
    ((database,),) = session.execute(
        "select path from duckdb_databases() where database_name = current_database()"
    ).fetchall()
    given = [
        source for source in (orders, customers, rates, identities) if source.location is not None
    ]
    home = home_of(Path(database))
    copies = home.with_name(f"{home.name}.transcoded")
    return look_at_sources(session, given, copies, others_use_copies=home != Path(database))
