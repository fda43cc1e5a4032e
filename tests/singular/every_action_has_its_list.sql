-- An action without a view that lists its customers: write models/marketing/targets_<action>.sql with the one line
-- of its neighbours. Or a list without an action: give actions.csv a row.
{%- set lists = [] %}
{%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name.startswith('targets_') %}
    {%- do lists.append(node.name) %}
{%- endfor %}
with

lists as (

    select unnest({{ lists | sort }}) as list

),

actions as (

    select
        action,
        'targets_' || action as list
    from {{ ref('actions') }}
    where action != 'none'

)

select
    actions.action,
    lists.list
from actions
full join lists using (list)
where actions.list is null or lists.list is null
