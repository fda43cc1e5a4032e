from customer_segmentation.versions import rows_so_far


def model(dbt, session):
    """One row per version, cluster and day: the name, and the claims that it makes."""
    from customer_segmentation.naming import add_names

    (as_of,) = dbt.ref("customer_segmentation", "as_of").df().to_dict("records")
    ((version,),) = (
        dbt.ref("customer_segmentation", "customer_clusters")
        .aggregate("max(model_version)")
        .fetchall()
    )
    versions = (
        dbt.ref("customer_segmentation", "model_versions")
        .filter("origin = 'restored'")
        .select("model_version")
        .df()
    )
    restored = dbt.ref("customer_segmentation", "restored_registry").filter("record = 'name'").df()
    restored = restored[restored["model_version"].isin(versions["model_version"])]
    graded = (
        dbt.ref("customer_segmentation", "graded_clusters")
        .select("as_of_date, model_version")
        .distinct()
        .df()
    )
    return add_names(
        rows_so_far(dbt, session, restored),
        restored.head(0) if dbt.is_incremental else restored,
        dbt.ref("customer_segmentation", "cluster_claims").df(),
        fits=dbt.ref("customer_segmentation", "archetype_fits").df(),
        quantiles=dbt.ref("customer_segmentation", "cluster_quantiles").df(),
        archetypes=dbt.ref("customer_segmentation", "segment_archetypes").df(),
        words=dbt.ref("customer_segmentation", "claims").df(),
        model_version=version,
        as_of_date=as_of["as_of_date"].date(),
        graded_versions=dict(graded.itertuples(index=False)),
        currency=as_of["currency"],
        min_claim_share=dbt.config.meta_get("min_claim_share"),
        min_claim_contrast=dbt.config.meta_get("min_claim_contrast"),
    )
