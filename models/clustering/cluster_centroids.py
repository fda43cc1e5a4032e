from customer_segmentation.fitting import fit_centroids


def model(dbt, session):
    """One row per cluster and feature: its centroid, and how to transform and scale the feature."""
    return fit_centroids(
        dbt.ref("clustering_sample").order("customer_id").df(),
        features=dbt.config.meta_get("features"),
        segment_count=dbt.config.meta_get("segment_count"),
        segment_count_range=dbt.config.meta_get("segment_count_range"),
        evidence_sample_size=dbt.config.meta_get("evidence_sample_size"),
        seed=dbt.config.meta_get("random_seed"),
    )
