-- One row per deal with costs of its own (people, travel), month of spending and credit: the part of the cost that the
-- credit bears, to the cent by largest remainder, ties by touch. The parts of a deal's month add up to its cost by every
-- model and on every basis that credits it; of influence figures each stands for itself.
-- Lost deals earn no credit: their own costs are in no share and stand in marts.suspense as 'lost deal'.
-- grain: deal_id, month, party_id, touch_id, campaign_id, model, basis
-- column: deal_id | the deal
-- column: month | first day of the month of spending; null where the day is not known
-- column: party_id | the company whose part of the deal it is
-- column: touch_id | the touch that was credited; null where nothing was
-- column: campaign_id | campaign, '(its channel)' or '(unattributed)'
-- column: channel | channel of the touch
-- column: model | attribution model
-- column: basis | pipeline, signed, invoiced, cash
-- column: cost | workspace currency
with spent as (
    select deal_id, date_trunc('month', spent_on)::date as month, sum(amount_base)::decimal(18, 2) as cost
    from core.campaign_costs
    where campaign_id is null and deal_id is not null and coalesce(spent_on, $as_of) <= $as_of
    group by all
    having sum(amount_base) is not null
),
sized as (
    select credits.deal_id, spent.month, credits.party_id, credits.touch_id, credits.campaign_id, credits.channel,
           credits.model, credits.basis, models.is_influence, spent.cost, credits.weight,
           (abs(spent.cost)::decimal(28, 2) * 100)::decimal(18, 0) as cents
    from scored.credits
    join spent using (deal_id)
    join marts.models_and_bases as models using (model, basis)
),
rounded as (
    -- Six places of a cent: float noise just below a whole one must not turn into a remainder that outranks a real one.
    select *, round(cents * weight, 6) as exact, floor(round(cents * weight, 6)) as whole from sized
),
placed as (
    select *, cents - sum(whole) over (partition by deal_id, month, model, basis) as missing,
           row_number() over (
               partition by deal_id, month, model, basis
               order by exact - whole desc, touch_id nulls last, party_id nulls last, campaign_id
           ) as place
    from rounded
)
select deal_id, month, party_id, touch_id, campaign_id, channel, model, basis,
       case when is_influence then round(cost * weight, 2)
            else sign(cost) * (whole + (place <= missing)::integer) / 100 end::decimal(18, 2) as cost
from placed
