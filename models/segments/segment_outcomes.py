from customer_segmentation.schemas import SEGMENT_OUTCOMES
from customer_segmentation.versions import in_types, ungraded, with_days


def model(dbt, session):
    """One row per version, day and segment: what its customers did in the window after the day."""
    customers = ungraded(dbt, session, dbt.ref("customer_segmentation", "graded_customers"))
    counts = customers.aggregate(
        """
        model_version, as_of_date, outcomes_until, segment_id, any_value(segment) as segment,
        count(*) as num_customers,
        count(*) filter (where has_ordered_next) as num_ordered,
        round(count(*) filter (where has_ordered_next) / count(*), 6) as share_ordered,
        round(avg(cast(repurchase_probability as decimal(9, 6))), 6) as predicted_share,
        sum(num_orders_next) as num_orders,
        sum(revenue_next) as revenue,
        round(sum(revenue_next) / count(*), 4) as revenue_per_customer
        """
    )
    rows = counts.order("model_version, as_of_date, segment_id").df()
    if len(rows):
        from customer_segmentation.outcomes import MAX_CUSTOMERS, add_intervals

        revenues = customers.select(
            """
            model_version, as_of_date, segment_id, customer_id, revenue_next as revenue,
            row_number() over (
                partition by model_version, as_of_date, segment_id order by sample_position
            ) as position
            """
        ).filter(f"position <= {MAX_CUSTOMERS}")
        rows = add_intervals(
            rows,
            revenues.order("customer_id").df(),
            random_seed=dbt.config.meta_get("random_seed"),
        )
    return with_days(session, in_types([rows], SEGMENT_OUTCOMES))
