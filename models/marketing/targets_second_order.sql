{{ eligible_targets('second_order') }}
