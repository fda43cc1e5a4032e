"""Columns and types of the tables that Python models write.

Apart from the functions that make their rows, so that a build which fits nothing needs not wait for
scikit-learn to be imported.
"""

SOURCE_FILES = {
    "source": "string",
    "file": "string",
    "kind": "string",
    "encoding": "string",
    "delimiter": "string",
    "num_lines_above_header": "Int64",
    "columns": "string",
    "missing_columns": "string",
    "columns_of_fields": "string",
    "num_rows": "Int64",
    "num_unreadable_rows": "Int64",
    "unreadable_rows": "string",
    "read_with": "string",
    "note": "string",
    "problem": "string",
}

CLUSTERING_FEATURES = {
    "model_version": "int32",
    "stage": "string",
    "feature": "string",
    "lower_limit": "float64",
    "upper_limit": "float64",
    "transform": "string",
    "skewness": "float64",
    "centre": "float64",
    "scale": "float64",
    "variance_inflation": "float64",
    "is_selected": "bool",
    "reason": "string",
    "deciles": "string",
    "decile_shares": "string",
}

VALLEYS = {
    "valley_p_value": "float64",
    "least_valley_p_value": "float64",
    "greatest_valley_p_value": "float64",
    "num_splits_with_valleys": "Int32",
}
"""What the dip tests say of a k: ``boundaries.valleys_by_k``."""

CLUSTERING_CANDIDATES = {
    "model_version": "int32",
    "stage": "string",
    "algorithm": "string",
    "k": "int32",
    "allocation": "string",
    "inertia": "float64",
    "is_elbow": "bool",
    "silhouette": "float64",
    "davies_bouldin": "float64",
    "calinski_harabasz": "float64",
    "bootstrap_adjusted_rand": "float64",
    "bootstrap_jaccard": "float64",
    "prediction_strength": "float64",
    **VALLEYS,
    "smallest_cluster_share": "float64",
    "is_reproduced": "boolean",
    "agreement_with_kmeans": "float64",
    "agreement_with_stages": "float64",
    "noise_share": "float64",
    "bic": "float64",
    "resampling_share": "float64",
    "brier_score": "float64",
    "log_spend_error": "float64",
    "seconds": "float64",
    "is_selected": "bool",
    "reason": "string",
    "verdict": "string",
}

JUDGEMENTS = (
    "is_reproduced",
    "resampling_share",
    "brier_score",
    "log_spend_error",
    "is_selected",
    "reason",
    "verdict",
)
"""Columns of ``CLUSTERING_CANDIDATES`` that the rule for k gives."""

SCORES = {
    name: kind
    for name, kind in CLUSTERING_CANDIDATES.items()
    if name not in ("model_version", "stage", *VALLEYS, *JUDGEMENTS)
}
"""The others: what is measured of an algorithm at a k."""

CLUSTER_CENTROIDS = {
    "model_version": "int32",
    "stage": "string",
    "cluster_id": "int32",
    "feature": "string",
    "centroid": "float64",
    "share_at_fit": "float64",
    "overlap": "float64",
    "parents": "string",
}

DIP_TEST = {
    "cluster_id": "int32",
    "other_cluster_id": "int32",
    "num_customers_tested": "int32",
    "dip": "float64",
    "p_value": "float64",
    "is_valley": "bool",
}
"""What is measured of a pair of clusters."""

CLUSTER_BOUNDARIES = {
    "model_version": "int32",
    "stage": "string",
    **DIP_TEST,
    "boundary": "string",
}

SEGMENT_NAMES = {
    "model_version": "int32",
    "cluster_id": "int32",
    "as_of_date": "object",
    "archetype": "string",
    "claims": "string",
    "range_metric": "string",
    "range_above": "float64",
    "range_up_to": "float64",
    "segment": "string",
    "named_because": "string",
}
"""A day is a Python date, which DuckDB takes for one."""

SEGMENT_RULES = {
    "rule": "int32",
    "segment_id": "string",
    "segment": "string",
    "condition": "string",
    "num_customers": "int64",
    "coverage": "float64",
    "precision": "float64",
    "recall": "float64",
    "fidelity": "float64",
}

SEGMENT_OUTCOMES = {
    "model_version": "int32",
    "as_of_date": "datetime64[us]",
    "outcomes_until": "datetime64[us]",
    "segment_id": "string",
    "segment": "string",
    "num_customers": "int64",
    "num_ordered": "int64",
    "share_ordered": "float64",
    "share_ordered_low": "float64",
    "share_ordered_high": "float64",
    "predicted_share": "float64",
    "num_orders": "int64",
    "revenue": "float64",
    "revenue_per_customer": "float64",
    "revenue_per_customer_low": "float64",
    "revenue_per_customer_high": "float64",
}

SEGMENTATION_QUALITY = {
    "model_version": "int32",
    "as_of_date": "datetime64[us]",
    "outcomes_until": "datetime64[us]",
    "way": "string",
    "measure": "string",
    "num_groups": "Int64",
    "num_customers": "int64",
    "value": "float64",
    "value_low": "float64",
    "value_high": "float64",
    "gain_of_segments": "float64",
    "gain_low": "float64",
    "gain_high": "float64",
    "segments_are": "string",
}
