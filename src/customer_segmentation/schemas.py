"""Columns and types of the tables that Python models append to.

Apart from the functions that make their rows, so that a build which fits nothing needs not wait for
scikit-learn to be imported.
"""

CLUSTERING_FEATURES = {
    "model_version": "int32",
    "feature": "string",
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

SCORES = {
    "algorithm": "str",
    "k": "int32",
    "inertia": "float64",
    "is_elbow": "bool",
    "silhouette": "float64",
    "davies_bouldin": "float64",
    "calinski_harabasz": "float64",
    "bootstrap_adjusted_rand": "float64",
    "bootstrap_jaccard": "float64",
    "prediction_strength": "float64",
    "smallest_cluster_share": "float64",
    "agreement_with_kmeans": "float64",
    "noise_share": "float64",
    "resampling_share": "float64",
    "seconds": "float64",
}

CLUSTERING_CANDIDATES = {
    "model_version": "int32",
    **SCORES,
    "algorithm": "string",
    "is_selected": "bool",
    "reason": "string",
    "verdict": "string",
}

CLUSTER_CENTROIDS = {
    "model_version": "int32",
    "cluster_id": "int32",
    "feature": "string",
    "centroid": "float64",
    "share_at_fit": "float64",
    "overlap": "float64",
}

CLUSTER_BOUNDARIES = {
    "model_version": "int32",
    "cluster_id": "int32",
    "other_cluster_id": "int32",
    "num_customers_tested": "int32",
    "dip": "float64",
    "p_value": "float64",
    "is_valley": "bool",
    "boundary": "string",
}

CLUSTER_ARCHETYPES = {
    "model_version": "int32",
    "cluster_id": "int32",
    "archetype": "string",
    "distance": "float64",
}
