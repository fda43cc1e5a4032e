{{ eligible_targets('cross_sell') }}
