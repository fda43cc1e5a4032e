from customer_segmentation.schemas import CLUSTERING_FEATURES
from customer_segmentation.versions import (
    CHOOSES,
    GRADES,
    SERVES,
    existing_versions,
    names_or_none,
    new_rows,
    rows_so_far,
    sample_of,
    version_before,
)


def model(dbt, session):
    """One row per version, set of features and candidate: transform, scaling, selected or not."""
    today = dbt.ref("customer_segmentation", "clustering_sample").join(
        dbt.ref("customer_segmentation", "sample_stages"), "customer_id"
    )
    past = dbt.ref("customer_segmentation", "past_samples")
    settings = dict(
        segmentation=dbt.config.meta_get("segmentation"),
        candidate_features=dbt.config.meta_get("candidate_features"),
        selected_features=names_or_none(dbt.config.meta_get("selected_features")),
        feature_transforms=dbt.config.meta_get("feature_transforms"),
        feature_limits=dbt.config.meta_get("feature_limits"),
        scaler=dbt.config.meta_get("scaler"),
        max_skewness=dbt.config.meta_get("max_skewness"),
        max_variance_inflation=dbt.config.meta_get("max_variance_inflation"),
    )

    restored = (
        dbt.ref("customer_segmentation", "restored_registry").filter("record = 'feature'").df()
    )
    known = rows_so_far(dbt, session, restored)

    def rows_of(version):
        from customer_segmentation.features import describe_feature_sets
        from customer_segmentation.processes import start

        # What is fitted is weighed next.
        start("customer_segmentation.evidence")
        return describe_feature_sets(
            sample_of(version, today, past), before=version_before(known, version), **settings
        )

    return new_rows(
        dbt.ref("customer_segmentation", "model_versions").df(),
        existing_versions(dbt, session),
        rows_of,
        CLUSTERING_FEATURES,
        restored,
        (SERVES, GRADES, CHOOSES),
    )
