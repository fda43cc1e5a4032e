def model(dbt, session):
    """One row per rule: a SQL condition that tells a segment's customers from the others."""
    from customer_segmentation.rules import choose_rules

    customers = dbt.ref("customer_segmentation", "customer_segments").filter("is_clusterable")
    sampled = (
        dbt.ref("customer_segmentation", "clustering_sample")
        .filter("sample_position <= 10000")
        .select("customer_id")
    )
    features = ", ".join(dbt.config.meta_get("candidate_features"))

    def count(rule):
        counted = "segment_id, count(*) as num_customers"
        return customers.aggregate(f"{rule} as rule, {counted}").df()

    return choose_rules(
        sampled.join(customers, "customer_id")
        .select(f"customer_id, segment_id, segment, lifecycle_stage, {features}")
        .order("customer_id")
        .df()
        .drop(columns="customer_id"),
        count,
        min_rule_fidelity=dbt.config.meta_get("min_rule_fidelity"),
        max_rules=dbt.config.meta_get("max_rules"),
        random_seed=dbt.config.meta_get("random_seed"),
    )
