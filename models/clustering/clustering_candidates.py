from customer_segmentation.schemas import CLUSTERING_CANDIDATES
from customer_segmentation.versions import (
    CHOOSES,
    existing_versions,
    fit_of,
    new_rows,
    of_version,
    sample_of,
    why_allocated_anew,
)


def model(dbt, session):
    """One row per version, algorithm and k: the evidence, and which k was selected and why."""
    sample = dbt.ref("customer_segmentation", "clustering_sample").join(
        dbt.ref("customer_segmentation", "sample_stages"), "customer_id"
    )
    past_samples = dbt.ref("customer_segmentation", "past_samples")
    features = dbt.ref("customer_segmentation", "clustering_features").order("feature").df()
    versions = dbt.ref("customer_segmentation", "model_versions").df()
    previous_stages = dbt.ref("customer_segmentation", "previous_stages").df()
    lifecycle_stages = dbt.ref("customer_segmentation", "lifecycle_stages").df()
    settings = dict(
        segmentation=dbt.config.meta_get("segmentation"),
        segment_count=dbt.config.meta_get("segment_count"),
        segment_count_range=dbt.config.meta_get("segment_count_range"),
        segment_count_by=dbt.config.meta_get("segment_count_by"),
        evidence_sample_size=dbt.config.meta_get("evidence_sample_size"),
        thresholds=dbt.config.meta_get("thresholds"),
        num_bootstraps=dbt.config.meta_get("num_bootstraps"),
        num_resamples=dbt.config.meta_get("num_resamples"),
        random_seed=dbt.config.meta_get("random_seed"),
    )

    def rows_of(version):
        from customer_segmentation.evidence import PastFit, weigh_candidates
        from customer_segmentation.stages import joins_of

        chooses = fit_of(versions, version, CHOOSES)
        past = None
        if chooses is not None:
            past = PastFit(sample_of(chooses, sample, past_samples), of_version(features, chooses))
        before = dict(previous_stages[["stage", "num_clusters"]].itertuples(index=False))
        return weigh_candidates(
            sample_of(version, sample, past_samples),
            of_version(features, version),
            joins=joins_of(lifecycle_stages),
            before=before,
            anew_because=why_allocated_anew(versions, version),
            past=past,
            **settings,
        )

    return new_rows(versions, existing_versions(dbt, session), rows_of, CLUSTERING_CANDIDATES)
