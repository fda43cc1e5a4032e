{{ eligible_targets('retain') }}
