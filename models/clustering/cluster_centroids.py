from customer_segmentation.schemas import CLUSTER_CENTROIDS
from customer_segmentation.versions import existing_versions, new_rows, rows_so_far


def model(dbt, session):
    """One row per version, cluster and feature: the fitted clustering."""
    sample = dbt.ref("clustering_sample").order("customer_id")
    features = dbt.ref("clustering_features").order("model_version, feature").df()
    selected = dbt.ref("clustering_candidates").filter("is_selected").df()
    restored = dbt.ref("restored_registry").filter("record = 'centroid'").df()
    fitted = rows_so_far(dbt, session, restored)
    random_seed = dbt.config.meta_get("random_seed")

    def rows_of(version):
        from customer_segmentation.fitting import fit_version

        return fit_version(
            version, sample.df(), features, fitted, selected, random_seed=random_seed
        )

    return new_rows(
        dbt.ref("model_versions").df(),
        existing_versions(dbt, session),
        rows_of,
        CLUSTER_CENTROIDS,
        restored,
    )
