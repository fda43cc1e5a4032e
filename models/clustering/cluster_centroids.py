from customer_segmentation.schemas import CLUSTER_CENTROIDS
from customer_segmentation.versions import (
    GRADES,
    SERVES,
    existing_versions,
    new_rows,
    rows_so_far,
    sample_of,
)


def model(dbt, session):
    """One row per version, cluster and feature: the fitted clustering."""
    today = dbt.ref("customer_segmentation", "clustering_sample").join(
        dbt.ref("customer_segmentation", "sample_stages"), "customer_id"
    )
    past = dbt.ref("customer_segmentation", "past_samples")
    features = (
        dbt.ref("customer_segmentation", "clustering_features").order("model_version, feature").df()
    )
    selected = dbt.ref("customer_segmentation", "clustering_candidates").filter("is_selected").df()
    lifecycle_stages = dbt.ref("customer_segmentation", "lifecycle_stages").df()
    restored = (
        dbt.ref("customer_segmentation", "restored_registry").filter("record = 'centroid'").df()
    )
    fitted = rows_so_far(dbt, session, restored)
    versions = dbt.ref("customer_segmentation", "model_versions").df()
    settings = dict(
        random_seed=dbt.config.meta_get("random_seed"),
        min_segment_share=dbt.config.meta_get("min_segment_share"),
    )
    served = {}

    def rows_of(version):
        from customer_segmentation.fitting import fit_past, fit_version
        from customer_segmentation.stages import joins_of

        sample = sample_of(version, today, past)
        settings["joins"] = joins_of(lifecycle_stages)
        if version > 0:
            served[version] = fit_version(version, sample, features, fitted, selected, **settings)
            return served[version]
        ((served_version, rows),) = served.items()
        return fit_past(version, sample, features, rows, selected, served_version, **settings)

    return new_rows(
        versions,
        existing_versions(dbt, session),
        rows_of,
        CLUSTER_CENTROIDS,
        restored,
        (SERVES, GRADES),
    )
