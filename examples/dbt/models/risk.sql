-- Who brings much and may leave: a table for the BI tool. Pseudonyms; join them with private/customers.csv where that may be.
select
    customer,
    churn_12m,
    clv,
    ntile(10) over (order by clv desc) as clv_decile,
    churn_12m >= 0.20 as at_risk
from {{ source('akb', 'scores') }}
