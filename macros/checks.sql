{#- A var that must be a whole number, so that a typo is a sentence and not an SQL error. -#}
{% macro whole_number(name) -%}
    {%- set value = var(name) -%}
    {%- if not modules.re.match('^[0-9]+$', value | string) -%}
        {{ exceptions.raise_compiler_error(name ~ ": '" ~ value ~ "' is no whole number.") }}
    {%- endif -%}
    {{ value }}
{%- endmacro %}

{#- A var that must be true or false. -#}
{% macro true_or_false(name) -%}
    {%- if var(name) is not boolean -%}
        {{ exceptions.raise_compiler_error(name ~ ": '" ~ var(name) ~ "' is neither true nor false.") }}
    {%- endif -%}
    {{ var(name) | lower }}
{%- endmacro %}

{#- A var that must be a day. -#}
{% macro day(name) -%}
    {%- if not modules.re.match('^[0-9]{4}-[0-9]{2}-[0-9]{2}$', var(name) | string) -%}
        {{ exceptions.raise_compiler_error(name ~ ": '" ~ var(name) ~ "' is no day. Write it as YYYY-MM-DD.") }}
    {%- endif -%}
    date '{{ var(name) }}'
{%- endmacro %}
