-- One row per attribution model and basis that figures exist for.
-- grain: model, basis
-- column: model | attribution model
-- column: position | order in `attribution.yaml`; 1 is shown first
-- column: is_influence | an influence figure (participation): never summed over campaigns, no ROI
-- column: why | the reason given for an own model
-- column: basis | pipeline, signed, invoiced, cash
with basis as (
    select basis from core.deal_amounts
    union
    select unnest(['pipeline', 'signed', 'cash'])
)
select attribution.model, attribution.position, attribution.is_influence, attribution.why, basis.basis
from rules.attribution
cross join basis
