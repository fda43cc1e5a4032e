{#- The last lines of a run: which version scores if it is new or not what the settings ask for, and what is probably
    wrong with the orders. -#}
{% macro tell_at_the_end() -%}
    {%- set versions = ref('customer_segmentation', 'model_versions') if not execute else load_relation(ref('customer_segmentation', 'model_versions')) -%}
    {%- for result in results if execute and result.status == 'success' and result.node.package_name == 'customer_segmentation' -%}
        {%- if result.node.name == 'segment_profiles' -%}
            {%- do tell_what_came_of_it(result.node.relation_name) -%}
        {%- elif result.node.name == 'setting_changes' -%}
            {%- set changed = asked(
                "select is_fitted, string_agg(setting, ', ' order by setting) as settings from " ~ result.node.relation_name
                ~ " where model_version >= (select max(model_version) from " ~ versions ~ ") group by is_fitted"
            ).rows -%}
            {%- set newest = asked(
                "select model_version, due_because, fitted_on from " ~ versions
                ~ " order by model_version desc limit 1"
            ).rows[0] -%}
            {%- for row in changed if row.is_fitted and newest.due_because == 'settings changed' -%}
                {%- do log("Version " ~ newest.model_version ~ " was fitted on " ~ newest.fitted_on
                    ~ ", since settings had changed: " ~ row.settings ~ ".", info=true) -%}
            {%- endfor -%}
            {%- for row in changed if not row.is_fitted -%}
                {%- do exceptions.warn("Settings changed since the fit, and the segments are still those of version "
                    ~ (pinned_version() or newest.model_version) ~ ": " ~ row.settings ~ ". Build once with refit: true.") -%}
            {%- endfor -%}
        {%- elif result.node.name == 'input_alarms' -%}
            {%- for row in asked(
                "select sentence || coalesce(' Seen: ' || nullif(" ~ in_a_row('examples') ~ ", '') || '.', '') as told from "
                ~ result.node.relation_name ~ " where sentence is not null order by alarm"
            ).rows -%}
                {%- do exceptions.warn(row.told) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- Orders, customers and revenue, and what was left out, so that nobody has to look for them. -#}
{% macro tell_what_came_of_it(profiles) -%}
    {%- set customers = table_at_the_start('segments', 'customer_segments') -%}
    {%- set exclusions = table_at_the_start('staging', 'order_exclusions') -%}
    {%- set row = asked(
        "select (select cast(sum(customers.num_orders) as bigint) from "
        ~ customers ~ " as customers), cast(sum(num_customers) as bigint),"
        ~ " sum(revenue), count(*) from " ~ profiles
    ).rows[0] -%}
    {#- Of a run that was asked for the segments alone the ledger is not there. -#}
    {%- set left_out = asked(
        "select num_rows, exclusion_reason from " ~ exclusions
        ~ " where num_rows > 0 and exclusion_reason != 'accepted' order by num_rows desc, exclusion_reason"
    ).rows if exclusions else none -%}
    {%- set reasons = [] -%}
    {%- for reason in left_out or [] -%}
        {%- do reasons.append("{:,}".format(reason[0]) ~ " as " ~ reason[1] | replace('_', ' ')) -%}
    {%- endfor -%}
    {%- do log("{:,} orders of {:,} customers, {}{:,.2f} net, in {} segments.".format(
        row[0], row[1], (var('currency') or '') ~ (' ' if (var('currency') or '') | length > 1 else ''), row[2], row[3]
    ) ~ (" Rows left out: " ~ reasons | join(', ') ~ "." if reasons else '' if left_out is none else " No row was left out."),
        info=true) -%}
{%- endmacro %}
