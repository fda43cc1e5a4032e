{#- The pieces of cleaning that several fields share. -#}

{#- Text without outer spaces, tabs, line ends and no-break spaces; null when nothing is left.
    Text that starts and ends with a printable ASCII character is left as it is, which costs half. -#}
{% macro trimmed(column) -%}
    nullif(
        case
            when left({{ column }}, 1) between '!' and '~' and right({{ column }}, 1) between '!' and '~' then {{ column }}
            else trim({{ column }}, ' ' || chr(9) || chr(10) || chr(13) || chr(160))
        end,
        ''
    )
{%- endmacro %}

{#- A pattern that fits each of the values, for a match of the whole text without regard to case. Space, hyphen and
    underscore are alike in words. A pattern and no `in (...)`: DuckDB makes a join of a long list, for which it reads
    the column even where nobody asks for it. -#}
{% macro pattern_of(values, are_words=false) -%}
    {%- set patterns = [] -%}
    {%- for value in values -%}
        {%- set pattern = modules.re.escape(value | string | trim) -%}
        {%- do patterns.append(modules.re.sub('\\\\?[ _-]', '[ _-]', pattern) if are_words else pattern) -%}
    {%- endfor -%}
    {{ return(patterns | join('|')) }}
{%- endmacro %}

{#- Whether a trimmed text is one of the values. -#}
{% macro is_one_of(column, values) -%}
    {%- if values -%}
        regexp_full_match({{ column }}, {{ sql_text(pattern_of(values)) }}, 'i')
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro %}

{#- A timestamp on the shop's clock. What carries a zone (the type, or a zone or offset in the text, with or
    without a space before it) is converted to the timezone var; what carries none is taken as local already.
    Text must begin with a year of four digits: day-first and two-digit years are read in one way by some and
    in another by others, so they are left to your expression. A letter or sign after the minutes is a zone or
    nothing: DuckDB's cast to a timestamp would ignore it. Null if unreadable.
    typeof() is known when the query is planned, so branches that can't apply cost nothing. -#}
{% macro local_timestamp(column) -%}
    case
        when typeof({{ column }}) = 'TIMESTAMP WITH TIME ZONE'
            then timezone({{ sql_text(var('timezone')) }}, try_cast({{ column }} as timestamptz))
        when typeof({{ column }}) != 'VARCHAR' then try_cast({{ column }} as timestamp)
        when not regexp_matches(cast({{ column }} as varchar), '^\s*\d{4}[-/]') then null
        when regexp_matches(cast({{ column }} as varchar), ':\d{2}.*[A-Za-z+-]')
            then timezone({{ sql_text(var('timezone')) }}, try_cast({{ with_a_plain_zone('cast(' ~ column ~ ' as varchar)') }} as timestamptz))
        else try_cast({{ column }} as timestamp)
    end
{%- endmacro %}

{#- The text of a timestamp with its zone as the cast reads it: 'T' and 'Z' in capitals, no white space, UTC or GMT
    before an offset, no zone in brackets after it. Null for offsets of more than 15 hours, which are no time zone's. -#}
{% macro with_a_plain_zone(text) -%}
    case
        when not regexp_matches({{ text }}, '[+-](1[6-9]|[2-9]\d)(:?\d\d)?\s*(\[.*\])?\s*$')
            then regexp_replace(
                regexp_replace(upper(trim({{ text }}, ' ' || chr(9) || chr(160))), '\s*(UTC|GMT)?\s*([+-]\d{2}(:?\d{2})?)\s*(\[.*\])?$', '\2'),
                '\s*(Z|UTC|GMT)$', 'Z'
            )
    end
{%- endmacro %}

{#- Why a row does not count: for the reason that it gives by itself, or for its day (or moment), which the shop's life
    and the as-of date, columns of `as_of`, leave out. Null if it counts. -#}
{% macro reason_with_day(row_reason, moment, as_of) -%}
    case
        when {{ row_reason }} is not null then {{ row_reason }}
        when {{ moment }} < {{ as_of }}.first_day_of_life or {{ moment }} >= {{ as_of }}.last_day_of_life + 1
            then 'isolated_date'
        when {{ moment }} >= {{ as_of }}.as_of_date then 'future_date'
    end
{%- endmacro %}

{#- Whether several ids may be one customer. -#}
{% macro identities_are_known() -%}
    {{ return(var('customer_identities_location') is not none or checked_var('merge_customers_by') | length > 0) }}
{%- endmacro %}

{#- The hash of an e-mail address, null for what is none. Its key is a variable of the connection, which connecting.py
    takes from CUSTOMER_EMAIL_KEY: a key in the SQL would stand in the database and in the logs. -#}
{% macro hashed_email(address) -%}
    case
        when {{ address }} like '%_@_%'
            then sha256(getvariable('email_key') || sha256(getvariable('email_key') || lower({{ trimmed(address) }})))
    end
{%- endmacro %}

{#- Whether an id, cleaned, is missing or a guest's. -#}
{% macro has_no_id(id) -%}
    ({{ id }} is null or {{ is_one_of(id, checked_var('guest_customer_ids')) }})
{%- endmacro %}

{#- What of a line was given back: a negative line, and what was refunded of it, which its amount is without. -#}
{% macro returned_of_line(lines=none) -%}
    {%- set of = lines ~ '.' if lines else '' -%}
    greatest(-{{ of }}amount - {{ of }}refunded_amount, 0) + {{ of }}refunded_amount
{%- endmacro %}

{#- True, false, or null for an empty field. What can't be read is `otherwise`. The words come from
    yes_or_no_words(). -#}
{% macro yes_or_no(column, words, otherwise) -%}
    case
        when {{ trimmed(column) }} is null then null
        when {{ is_word(trimmed(column), words.yes) }} then true
        when {{ is_word(trimmed(column), words.no) }} then false
        else {{ otherwise }}
    end
{%- endmacro %}

{#- Words for yes and no: those of booleans, and what tools write about a subscription, which for the question
    whether somebody opted out is the other way round. -#}
{% macro yes_or_no_words(field) -%}
    {%- set yes = ['true', 't', 'yes', 'y', '1', '1.0', 'on'] -%}
    {%- set no = ['false', 'f', 'no', 'n', '0', '0.0', 'off'] -%}
    {%- if field == 'has_consent' -%}
        {{ return({'yes': yes + checked_var('consent_words'), 'no': no + checked_var('refusal_words')}) }}
    {%- else -%}
        {{ return({'yes': yes + checked_var('refusal_words'), 'no': no + checked_var('consent_words')}) }}
    {%- endif -%}
{%- endmacro %}

{#- Whether a status or an answer, which is trimmed, is one of the words; `prefix` is a pattern that may stand before
    them. -#}
{% macro is_word(column, words, prefix='') -%}
    {%- if words -%}
        regexp_full_match({{ column }}, {{ sql_text(prefix ~ '(' ~ pattern_of(words, are_words=true) ~ ')') }}, 'i')
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro %}

{#- What a row of this status, which is trimmed, counts as; with or without WooCommerce's prefix. No status at all is
    a purchase, as in a shop that has none. -#}
{% macro counted_as(status) -%}
    case
        when {{ is_word(status, checked_var('excluded_statuses'), prefix='(wc[ _-])?') }} then 'no_purchase'
        when {{ status }} is null or {{ is_word(status, checked_var('counted_statuses'), prefix='(wc[ _-])?') }} then 'purchase'
        else 'unknown'
    end
{%- endmacro %}

{#- An id that was trimmed: null where a program wrote that there is none, without the mark that keeps a
    spreadsheet from reading it as a number, and without the point that a column of whole numbers got from gaps
    elsewhere in it, if value_formats found that the column is one. -#}
{% macro cleaned_id(column, reading) -%}
    case
        when {{ is_one_of(column, checked_var('missing_id_values')) }} then null
        when left({{ column }}, 1) = '''' and substr({{ column }}, 2, 1) between '0' and '9' then substr({{ column }}, 2)
        when {{ reading }} = 'whole number' and contains({{ column }}, '.') then regexp_replace({{ column }}, '[.]0+$', '')
        else {{ column }}
    end
{%- endmacro %}

{#- An amount by the reading that value_formats decided on for its column. What the cast reads is the fast path; the
    type is known when the query is planned, so that columns of numbers pay nothing. Null if unreadable. -#}
{% macro read_amount(column, reading) -%}
    {%- set text = 'cast(' ~ column ~ ' as varchar)' -%}
    {%- set plain = 'try_cast(' ~ column ~ ' as decimal(18, 4))' -%}
    case
        when typeof({{ column }}) != 'VARCHAR' then {{ plain }}
        when {{ reading }} = 'plain numbers'
            then case when not regexp_matches({{ text }}, '^\s*[+-]?[1-9]\d{0,2}[.]\d{3}\s*$') then {{ plain }} end
        when {{ reading }} = 'decimal comma' and regexp_matches({{ text }}, '[.,]')
            then {{ parsed_amount(text, 'decimal comma') }}
        -- What has no separator is the same whatever the column's are.
        when {{ reading }} = 'decimal point' or not regexp_matches({{ text }}, '[.,]')
            then coalesce({{ plain }}, {{ parsed_amount(text, 'decimal point') }})
    end
{%- endmacro %}

{#- The amount that a text with signs, currency or separators means with a decimal point or comma; null if it can't
    mean one. -#}
{% macro parsed_amount(text, reading) -%}
    {%- set digits = amount_digits(text) -%}
    {%- set other = 'decimal comma' if reading == 'decimal point' else 'decimal point' -%}
    case
        when {{ amount_kind(text) }} not in ('unreadable', '{{ other }}')
            then case when regexp_matches({{ text }}, '[-−–(]') then -1 else 1 end
                * try_cast(
                    {% if reading == 'decimal point' -%}
                    regexp_replace({{ digits }}, '[, '']', '', 'g')
                    {%- else -%}
                    replace(regexp_replace({{ digits }}, '[. '']', '', 'g'), ',', '.')
                    {%- endif %} as decimal(18, 4)
                )
    end
{%- endmacro %}

{#- What the separators of an amount show: 'decimal point' (1,234.5 or 12.50), 'decimal comma' (1.234,5 or 12,50),
    'ambiguous' (1,234 or 1.234: thousands or three decimals), 'no separator', or 'unreadable'. -#}
{% macro amount_kind(text) -%}
    {%- set digits = amount_digits(text) -%}
    {%- set currency = currency_pattern() -%}
    {%- set number = '[0-9.,]([0-9., \']*[0-9.,])?' -%}
    case
        when not regexp_full_match(
            {{ unified_amount(text) }},
            {{ sql_text(
                '([+-]? ?(' ~ currency ~ ')? ?[+-]? ?' ~ number ~ ' ?(' ~ currency ~ ')? ?-? ?(' ~ currency ~ ')?'
                ~ '|(' ~ currency ~ ')? ?[(] ?(' ~ currency ~ ')? ?' ~ number ~ ' ?(' ~ currency ~ ')? ?[)] ?(' ~ currency ~ ')?)'
            ) }}
        ) then 'unreadable'
        when length(regexp_replace({{ unified_amount(text) }}, '[^+-]', '', 'g')) > 1 then 'unreadable'
        -- 12,- is 12,00 where it is written, and no minus.
        when regexp_matches({{ unified_amount(text) }}, '[.,] ?-') then 'unreadable'
        when regexp_full_match({{ digits }}, '\d+|\d{1,3}([ '']\d{3})+') then 'no separator'
        when regexp_full_match({{ digits }}, '[1-9]\d{0,2}[.,]\d{3}') then 'ambiguous'
        when regexp_full_match({{ digits }}, '(\d*|\d{1,3}([ '']\d{3})+|\d{1,3}(,\d{2,3})*,\d{3})[.]\d+|\d+[.]|\d{1,3}(,\d{2,3})+,\d{3}')
            then 'decimal point'
        when regexp_full_match({{ digits }}, '(\d*|\d{1,3}([ '']\d{3})+|\d{1,3}([.]\d{3})+),\d+|\d+,|\d{1,3}([.]\d{3}){2,}')
            then 'decimal comma'
        else 'unreadable'
    end
{%- endmacro %}

{#- The digits and separators of an amount, without signs and currency. -#}
{% macro amount_digits(text) -%}
    trim(regexp_replace(regexp_replace({{ unified_amount(text) }}, '[A-Za-z]+[.] ?', ''), '[^0-9., '']', '', 'g'))
{%- endmacro %}

{#- An amount with one kind of minus, space and apostrophe, and no outer white space. -#}
{% macro unified_amount(text) -%}
    trim(translate({{ text }}, '−–’' || chr(160) || chr(8239) || chr(8201) || chr(9), '--''    '))
{%- endmacro %}

{#- A currency as it stands at an amount: a sign, perhaps with the country's letters, a code, or an abbreviation. -#}
{% macro currency_pattern() -%}
    [A-Z]{0,3}\p{Sc}|[A-Z]{3}|[Kk]r[.]?|zł|Kč|Ft|[Ll]ei|R|RM|Rp[.]?|Rs[.]?|Fr[.]?
{%- endmacro %}

{#- How many distinct values, of which there are few. Beside other aggregates DuckDB would write every row down for a
    count(distinct ...), to read them twice. -#}
{% macro num_distinct_of_few(value) -%}
    {{ 'coalesce(cardinality(histogram(' ~ value ~ ')), 0)' if is_duckdb() else 'count(distinct ' ~ value ~ ')' }}
{%- endmacro %}

{#- For value_formats: how many ids end in .0, how many are no whole number, with or without .0 (ids that stand for
    nobody aside), and how many a spreadsheet has cut to 4.4E+11. What costs: white space is part of the patterns, so
    that no id is trimmed, and what few ids contain is asked first (`case` stops there, `and` doesn't). -#}
{% macro id_counts(field) -%}
    {%- set space = '[\s\\x{a0}]*' -%}
    {%- set nobody = pattern_of(checked_var('missing_id_values') + checked_var('guest_customer_ids')) -%}
    {%- set no_other = space ~ "(|'?\\d+([.]0+)?|" ~ nobody ~ ")" ~ space -%}
    count(
        case
            when contains({{ field }}, '.0')
                then nullif(regexp_full_match({{ field }}, '{{ space }}\d+[.]0+{{ space }}'), false)
        end
    ) as num_{{ field }}_point_zero,
    count(*) filter (
        where not regexp_full_match({{ field }}, {{ sql_text(no_other) }}, 'i')
    ) as num_{{ field }}_other,
    count(
        case
            when contains({{ field }}, 'E+')
                then nullif(regexp_full_match({{ field }}, '{{ space }}\d([.,]\d+)?E[+]\d+{{ space }}'), false)
        end
    ) as num_{{ field }}_scientific
{%- endmacro %}
