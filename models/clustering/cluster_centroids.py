from customer_segmentation.schemas import CLUSTER_CENTROIDS
from customer_segmentation.versions import existing_versions, new_rows, rows_so_far


def model(dbt, session):
    """One row per version, cluster and feature: the fitted clustering."""
    sample = dbt.ref("clustering_sample").join(dbt.ref("sample_stages"), "customer_id")
    features = dbt.ref("clustering_features").order("model_version, feature").df()
    selected = dbt.ref("clustering_candidates").filter("is_selected").df()
    lifecycle_stages = dbt.ref("lifecycle_stages").df()
    restored = dbt.ref("restored_registry").filter("record = 'centroid'").df()
    fitted = rows_so_far(dbt, session, restored)
    settings = dict(
        random_seed=dbt.config.meta_get("random_seed"),
        min_segment_share=dbt.config.meta_get("min_segment_share"),
    )

    def rows_of(version):
        from customer_segmentation.fitting import fit_version
        from customer_segmentation.stages import joins_of

        return fit_version(
            version,
            sample.order("customer_id").df(),
            features,
            fitted,
            selected,
            joins=joins_of(lifecycle_stages),
            **settings,
        )

    return new_rows(
        dbt.ref("model_versions").df(),
        existing_versions(dbt, session),
        rows_of,
        CLUSTER_CENTROIDS,
        restored,
    )
