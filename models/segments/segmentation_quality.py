from customer_segmentation.schemas import SEGMENTATION_QUALITY
from customer_segmentation.versions import in_types, ungraded, with_days


def model(dbt, session):
    """One row per version, day, way to look at customers and measure: how much it foretold."""
    customers = ungraded(
        dbt,
        session,
        dbt.ref("customer_segmentation", "graded_customers").filter("sample_position <= 10000"),
    )
    days = customers.select("model_version, as_of_date, outcomes_until").distinct()
    rows = []
    for day in days.order("as_of_date").df().to_dict("records"):
        from customer_segmentation.quality import compare_ways

        of_day = customers.filter(f"as_of_date = date '{day['as_of_date']:%Y-%m-%d}'")
        compared = compare_ways(
            of_day.order("customer_id").df(),
            dbt.config.meta_get("candidate_features"),
            random_seed=dbt.config.meta_get("random_seed"),
        )
        rows.append(compared.assign(**day))
    return with_days(session, in_types(rows, SEGMENTATION_QUALITY))
