-- What DuckDB's functions mean, for Postgres 16 and later. Made when a run starts, in a schema of their own. Single
-- expressions, no more immutable than what they call, are written into the plan; others cost a call for each row.
create schema if not exists from_duckdb;

-- Halves go away from zero, as of the double, not of the number that is printed.
create or replace function from_duckdb.round(double precision) returns double precision
language sql immutable parallel safe as $$
    select case
        when abs($1) < 1e15 then trunc($1) + case when abs($1 - trunc($1)) >= 0.5 then sign($1) else 0 end else $1
    end
$$;
create or replace function from_duckdb.round(double precision, integer) returns double precision
language sql immutable parallel safe as $$
    select case
        when abs($1 * 10::double precision ^ $2) < 1e15
            then from_duckdb.round($1 * 10::double precision ^ $2) / 10::double precision ^ $2
        else $1
    end
$$;

create or replace function from_duckdb.to_decimal(double precision, integer) returns numeric
language sql immutable parallel safe as $$
    select round(cast(cast(from_duckdb.round($1 * 10::double precision ^ $2) as bigint) as numeric) / 10::numeric ^ $2, $2)
$$;

create or replace function from_duckdb.isfinite(double precision) returns boolean
language sql immutable parallel safe as $$ select $1 not in ('Infinity', '-Infinity', 'NaN') $$;
create or replace function from_duckdb.isfinite(timestamp) returns boolean
language sql immutable parallel safe as $$ select isfinite($1) $$;
create or replace function from_duckdb.isfinite(date) returns boolean
language sql immutable parallel safe as $$ select isfinite($1) $$;

-- Compared as types, which are numbers: their names are looked up in the catalog.
create or replace function from_duckdb.typeof(anyelement) returns text
language sql stable parallel safe as $$
    select case pg_typeof($1)
        when 'text'::regtype then 'VARCHAR'
        when 'double precision'::regtype then 'DOUBLE'
        when 'timestamp'::regtype then 'TIMESTAMP'
        when 'integer'::regtype then 'INTEGER'
        when 'numeric'::regtype then 'DECIMAL(38,4)'
        when 'date'::regtype then 'DATE'
        when 'bigint'::regtype then 'BIGINT'
        when 'character varying'::regtype then 'VARCHAR'
        when 'real'::regtype then 'FLOAT'
        when 'timestamptz'::regtype then 'TIMESTAMP WITH TIME ZONE'
        else upper(cast(pg_typeof($1) as text))
    end
$$;

create or replace function from_duckdb.list_sort(anyarray) returns anyarray
language sql immutable parallel safe as $$ select array(select x from unnest($1) as u (x) order by x nulls last) $$;

create or replace function from_duckdb.list_distinct(anyarray) returns anyarray
language sql immutable parallel safe as $$ select array(select distinct x from unnest($1) as u (x) where x is not null) $$;

create or replace function from_duckdb.list_min(anyarray) returns anyelement
language sql immutable parallel safe as $$ select min(x) from unnest($1) as u (x) $$;

create or replace function from_duckdb.error(text) returns text
language plpgsql immutable as $$ begin raise exception using message = $1, errcode = 'P0001'; end $$;

create or replace function from_duckdb.error(text, anyelement) returns anyelement
language plpgsql immutable as $$ begin raise exception using message = $1, errcode = 'P0001'; end $$;

create or replace function from_duckdb.format(text, double precision) returns text
language sql immutable parallel safe as $$
    select case
        when $1 like '%{:,.2f}%' then replace($1, '{:,.2f}', trim(to_char($2, '999,999,999,999,999,990.00')))
        when $1 like '%{:,}%' then replace($1, '{:,}', trim(to_char($2, '999,999,999,999,999,999')))
        when $2 = 0 then replace($1, '{:g}', '0')
        else replace(
            $1, '{:g}',
            cast(trim_scale(round(cast($2 as numeric), 5 - cast(floor(log(abs($2))) as integer))) as text)
        )
    end
$$;

create or replace function from_duckdb.skewness(bigint, double precision, double precision, double precision)
returns double precision language sql immutable parallel safe as $$
    -- Of a count and the sums of first, second and third powers; corrected for bias.
    select case
        when $1 > 2 and $3 - $2 * $2 / $1 > 0
            then sqrt(cast($1 as double precision) * ($1 - 1)) / ($1 - 2) / $1
                * ($4 - 3 * $3 * $2 / $1 + 2 * $2 ^ 3 / $1 ^ 2)
                / sqrt((($3 - $2 * $2 / $1) / $1) ^ 3)
    end
$$;

-- Of values in their order: the one that as many are at most as the share says, by DuckDB's arithmetic.
create or replace function from_duckdb.quantile_disc(anyarray, double precision) returns anyelement
language sql immutable parallel safe as $$
    select ($1)[greatest(1, cardinality($1) - cast(floor(cardinality($1) - $2 * cardinality($1)) as integer))]
$$;
create or replace function from_duckdb.quantile_disc(anyarray, numeric) returns anyelement
language sql immutable parallel safe as $$
    select ($1)[greatest(1, cardinality($1) - cast(floor(cardinality($1) - $2 * cardinality($1)) as integer))]
$$;
create or replace function from_duckdb.quantile_disc(anyarray, numeric[]) returns anyarray
language sql immutable parallel safe as $$
    select array(
        select from_duckdb.quantile_disc($1, share) from unnest($2) with ordinality as shares (share, position) order by position
    )
    where cardinality($1) > 0
$$;
create or replace function from_duckdb.quantile_disc(anyarray, double precision[]) returns anyarray
language sql immutable parallel safe as $$
    select array(
        select from_duckdb.quantile_disc($1, share) from unnest($2) with ordinality as shares (share, position) order by position
    )
    where cardinality($1) > 0
$$;

create or replace function from_duckdb.quantile_cont(anyarray, double precision) returns double precision
language sql immutable parallel safe as $$
    select lower * (1 - part) + upper * part
    from (
        select
            place - floor(place) as part,
            cast(($1)[cast(floor(place) as integer) + 1] as double precision) as lower,
            cast(($1)[cast(ceil(place) as integer) + 1] as double precision) as upper
        from (select $2 * (cardinality($1) - 1) as place) as placed
    ) as neighbours
$$;
create or replace function from_duckdb.quantile_cont(anyarray, double precision[]) returns double precision[]
language sql immutable parallel safe as $$
    select array(
        select from_duckdb.quantile_cont($1, share) from unnest($2) with ordinality as shares (share, position) order by position
    )
    where cardinality($1) > 0
$$;

-- Days and times in the forms that DuckDB reads; Postgres reads more of them, as today and 20240203.
create or replace function from_duckdb.with_hyphens(text) returns text
language sql immutable parallel safe as $$
    select regexp_replace($1, '^(\s*\d+)[-/ \\](\d{1,2})[-/ \\](\d{1,2})', '\1-\2-\3')
$$;

create or replace function from_duckdb.try_date(text) returns date
language sql stable parallel safe as $$
    select case
        when $1 ~ '^\s*\d+([-/ \\])\d{1,2}\1\d{1,2}(\s*$|[ T]\d)' and pg_input_is_valid(from_duckdb.with_hyphens($1), 'date')
            then cast(from_duckdb.with_hyphens($1) as date)
    end
$$;

create or replace function from_duckdb.try_timestamp(text) returns timestamp
language sql stable parallel safe as $$
    select case
        when $1 ~ '^\d+([-/ \\])\d{1,2}\1\d{1,2}($|[ T]\d)' and pg_input_is_valid(from_duckdb.with_hyphens($1), 'timestamp')
            then cast(from_duckdb.with_hyphens($1) as timestamp)
    end
$$;

create or replace function from_duckdb.try_timestamptz(text) returns timestamptz
language sql stable parallel safe as $$
    select case
        when $1 ~ '^\d+([-/ \\])\d{1,2}\1\d{1,2}($|[ T]\d)' and pg_input_is_valid(from_duckdb.with_hyphens($1), 'timestamptz')
            then cast(from_duckdb.with_hyphens($1) as timestamptz)
    end
$$;

create or replace function from_duckdb.length(text) returns bigint
language sql immutable parallel safe as $$ select char_length($1) $$;
create or replace function from_duckdb.length(anyarray) returns bigint
language sql immutable parallel safe as $$ select cardinality($1) $$;

create or replace function from_duckdb.try_double(text) returns double precision
language sql stable parallel safe as $$
    select case when pg_input_is_valid($1, 'double precision') and $1 !~* '[xp_]' then cast($1 as double precision) end
$$;

create or replace function from_duckdb.try_integer(text) returns bigint
language sql stable parallel safe as $$
    select case when pg_input_is_valid($1, 'numeric') then cast(from_duckdb.round(cast($1 as double precision)) as bigint) end
$$;

create or replace function from_duckdb.try_decimal(text) returns numeric
language sql stable parallel safe as $$
    select case when pg_input_is_valid($1, 'numeric') and $1 !~* 'nan|inf|[x_]' then cast($1 as numeric) end
$$;

create or replace function from_duckdb.try_boolean(text) returns boolean
language sql immutable parallel safe as $$
    select case lower($1) when 'true' then true when 't' then true when '1' then true when 'false' then false when 'f' then false
        when '0' then false end
$$;

create or replace function from_duckdb.first_state(anyelement, anyelement) returns anyelement
language sql immutable strict parallel safe as $$ select $1 $$;

do $$ begin
    create aggregate from_duckdb.first_of(anyelement) (sfunc = from_duckdb.first_state, stype = anyelement);
exception when duplicate_function then null; end $$;

do $$ begin
    create aggregate from_duckdb.flatten(anycompatiblearray) (
        sfunc = array_cat, stype = anycompatiblearray, initcond = '{}'
    );
exception when duplicate_function then null; end $$;
