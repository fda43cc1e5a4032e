from customer_segmentation.schemas import CLUSTER_BOUNDARIES
from customer_segmentation.versions import existing_versions, new_rows, of_version


def model(dbt, session):
    """One row per version and pair of a stage's clusters: whether a valley is between them."""
    sample = dbt.ref("customer_segmentation", "clustering_sample").join(
        dbt.ref("customer_segmentation", "sample_stages"), "customer_id"
    )
    features = dbt.ref("customer_segmentation", "clustering_features").order("feature").df()
    centroids = dbt.ref("customer_segmentation", "cluster_centroids").df()
    lifecycle_stages = dbt.ref("customer_segmentation", "lifecycle_stages").df()
    settings = dict(
        evidence_sample_size=dbt.config.meta_get("evidence_sample_size"),
        max_valley_p_value=dbt.config.meta_get("max_valley_p_value"),
        random_seed=dbt.config.meta_get("random_seed"),
    )

    def rows_of(version):
        from customer_segmentation.evidence import find_boundaries
        from customer_segmentation.stages import joins_of

        return find_boundaries(
            sample.order("customer_id").df(),
            of_version(features, version),
            of_version(centroids, version),
            joins=joins_of(lifecycle_stages),
            **settings,
        )

    return new_rows(
        dbt.ref("customer_segmentation", "model_versions").df(),
        existing_versions(dbt, session),
        rows_of,
        CLUSTER_BOUNDARIES,
    )
