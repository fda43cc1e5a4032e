from customer_segmentation.schemas import CLUSTER_BOUNDARIES
from customer_segmentation.versions import existing_versions, new_rows, of_version


def model(dbt, session):
    """One row per version and pair of clusters: whether there is a valley between them."""
    sample = dbt.ref("clustering_sample").order("customer_id")
    features = dbt.ref("clustering_features").order("feature").df()
    centroids = dbt.ref("cluster_centroids").df()
    settings = dict(
        evidence_sample_size=dbt.config.meta_get("evidence_sample_size"),
        max_valley_p_value=dbt.config.meta_get("max_valley_p_value"),
        random_seed=dbt.config.meta_get("random_seed"),
    )

    def rows_of(version):
        from customer_segmentation.evidence import find_boundaries

        return find_boundaries(
            sample.df(), of_version(features, version), of_version(centroids, version), **settings
        )

    return new_rows(
        dbt.ref("model_versions").df(),
        existing_versions(dbt, session),
        rows_of,
        CLUSTER_BOUNDARIES,
    )
