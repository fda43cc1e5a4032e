from customer_segmentation.schemas import CLUSTER_ARCHETYPES
from customer_segmentation.versions import existing_versions, new_rows, version_before


def model(dbt, session):
    """One row per version and cluster: the archetype whose name and strategy it takes."""
    levels = dbt.ref("cluster_levels")
    archetypes = dbt.ref("segment_archetypes")
    restored = dbt.ref("restored_registry").filter("cluster_id is not null").df()
    named = session.sql(f"from {dbt.this}").df() if dbt.is_incremental else restored
    archetype_max_distance = dbt.config.meta_get("archetype_max_distance")

    def rows_of(version):
        from customer_segmentation.naming import match_archetypes

        return match_archetypes(
            levels.df(),
            archetypes.df(),
            archetype_max_distance=archetype_max_distance,
            previous=version_before(named, version),
        )

    return new_rows(
        dbt.ref("model_versions").df(),
        existing_versions(dbt, session),
        rows_of,
        CLUSTER_ARCHETYPES,
        restored.assign(distance=float("nan")),
    )
