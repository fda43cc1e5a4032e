{#- Runs before a model that reads a location, and stops the build with one sentence when the location or its mapping
    can't work, as source_files found out of both: so bad customers can't leave targets behind that are older than
    their segments. What it found that is no fault is told. -#}
{% macro guard_locations() -%}
    {%- if execute and (var('orders_location') or var('orders_model') or var('customers_location') or var('customers_model')
        or var('currency_rates_location') or var('customer_identities_location')) -%}
        {%- set files = load_relation(ref('customer_segmentation', 'source_files')) -%}
        {%- set rows = asked("select problem, note from " ~ files ~ " where problem is not null or note is not null order by source desc, file").rows -%}
        {%- for row in rows if row.problem -%}
            {%- if loop.first %} {{ stop_with(row.problem) }} {%- endif -%}
        {%- else -%}
            {%- for row in rows[:10] if this.name == 'raw_order_lines' -%}
                {%- do log(row.note, info=true) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
