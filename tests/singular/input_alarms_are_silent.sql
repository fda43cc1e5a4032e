{{ config(severity='warn') }}
-- Something is probably wrong with the orders or customers: the sentences say what and what to do. The limits are
-- vars; the report begins with the same sentences.
select
    alarm,
    sentence
from {{ ref('customer_segmentation', 'input_alarms') }}
