{{ eligible_targets('win_back') }}
