from customer_segmentation.naming import match_archetypes


def model(dbt, session):
    """One row per cluster: the archetype whose name and strategy it takes, if one fits."""
    return match_archetypes(
        dbt.ref("cluster_levels").order("cluster_id").df(),
        dbt.ref("segment_archetypes").order("archetype").df(),
        max_distance=dbt.config.meta_get("archetype_max_distance"),
    )
