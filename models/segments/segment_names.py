from customer_segmentation.versions import rows_so_far


def model(dbt, session):
    """One row per version, cluster and day: the name, and the claims that it makes."""
    from customer_segmentation.naming import add_names

    (as_of,) = dbt.ref("as_of").df().to_dict("records")
    version = dbt.ref("customer_clusters").max("model_version").fetchall()[0][0]
    versions = dbt.ref("model_versions").filter("origin = 'restored'").select("model_version").df()
    restored = dbt.ref("restored_registry").filter("record = 'name'").df()
    restored = restored[restored["model_version"].isin(versions["model_version"])]
    graded = dbt.ref("graded_clusters").select("as_of_date, model_version").distinct().df()
    return add_names(
        rows_so_far(dbt, session, restored),
        restored.head(0) if dbt.is_incremental else restored,
        dbt.ref("cluster_claims").df(),
        fits=dbt.ref("archetype_fits").df(),
        quantiles=dbt.ref("cluster_quantiles").df(),
        archetypes=dbt.ref("segment_archetypes").df(),
        words=dbt.ref("claims").df(),
        model_version=version,
        as_of_date=as_of["as_of_date"].date(),
        graded_versions=dict(graded.itertuples(index=False)),
        currency=as_of["currency"],
        min_claim_share=dbt.config.meta_get("min_claim_share"),
        min_claim_contrast=dbt.config.meta_get("min_claim_contrast"),
    )
