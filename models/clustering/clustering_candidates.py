from customer_segmentation.schemas import CLUSTERING_CANDIDATES
from customer_segmentation.versions import existing_versions, new_rows, of_version


def model(dbt, session):
    """One row per version, algorithm and k: the evidence, and which k was selected and why."""
    sample = dbt.ref("clustering_sample").order("customer_id")
    features = dbt.ref("clustering_features").order("feature").df()
    settings = dict(
        segment_count=dbt.config.meta_get("segment_count"),
        segment_count_range=dbt.config.meta_get("segment_count_range"),
        evidence_sample_size=dbt.config.meta_get("evidence_sample_size"),
        thresholds=dbt.config.meta_get("thresholds"),
        num_bootstraps=dbt.config.meta_get("num_bootstraps"),
        num_resamples=dbt.config.meta_get("num_resamples"),
        random_seed=dbt.config.meta_get("random_seed"),
    )

    def rows_of(version):
        from customer_segmentation.evidence import weigh_candidates

        return weigh_candidates(sample.df(), of_version(features, version), **settings)

    return new_rows(
        dbt.ref("model_versions").df(),
        existing_versions(dbt, session),
        rows_of,
        CLUSTERING_CANDIDATES,
    )
