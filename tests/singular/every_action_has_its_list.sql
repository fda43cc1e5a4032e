{%- set models = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | map(attribute='name') -%}
-- An action without a view that lists its customers: write models/marketing/targets_<action>.sql with the one line
-- of its neighbours. Or a list without an action: give actions.csv a row.
with

models as (

    select unnest({{ models | sort }}) as list

),

lists as (

    select list from models
    where starts_with(list, 'targets_')

),

actions as (

    select
        action,
        'targets_' || action as list
    from {{ ref('customer_segmentation', 'actions') }}
    where action != 'none'

)

select
    actions.action,
    lists.list
from actions
full join lists using (list)
where actions.list is null or lists.list is null
