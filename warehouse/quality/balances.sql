-- One row per sum that must add up before anything is published: what the suite `published` judges.
with money as (
    select 'credits of ' || wanted.model || ' on ' || wanted.basis as subject,
           coalesce(any_value(credited.amount), 0) - wanted.amount as difference
    from (
        select model, basis, coalesce(sum(amount), 0) as amount
        from core.deal_amounts, (select model from rules.attribution where not is_influence)
        group by all
    ) as wanted
    left join (select model, basis, sum(credit) as amount from scored.credits group by all) as credited
        using (model, basis)
    group by wanted.model, wanted.basis, wanted.amount
),
marts as (
    select 'campaign_roi of ' || model || ' on ' || basis as subject,
           coalesce(sum(attributed_amount), 0) - any_value(credited) as difference
    from marts.campaign_roi
    join (select model, basis, coalesce(sum(credit), 0) as credited from scored.credits group by all) using (model, basis)
    where not is_influence
    group by model, basis
),
deal_cost as (
    select deal_id, sum(amount_base) as cost
    from core.campaign_costs
    cross join marts.workspace
    where campaign_id is null and coalesce(spent_on, workspace.as_of) <= workspace.as_of
    group by all
),
-- A deal's own cost is shared among the campaigns and channels that are credited with it, to the cent.
deal_costs as (
    select 'own costs of deals by ' || model || ' on ' || basis || ' in campaign_roi' as subject,
           coalesce(any_value(shown.cost), 0) - sum(deal_cost.cost) as difference
    from (select distinct deal_id, model, basis from scored.credits semi join deal_cost using (deal_id))
    join deal_cost using (deal_id)
    join (select model, basis, sum(deal_cost) as cost from marts.campaign_roi where not is_influence group by all)
        as shown using (model, basis)
    where deal_cost.cost is not null
    group by model, basis
    union all
    select 'own costs of deals by ' || model || ' on ' || basis || ' in channel_roi',
           coalesce(sum(channel.deal_cost), 0) - any_value(campaign.deal_cost)
    from marts.channel_roi as channel
    join (select model, basis, sum(deal_cost) as deal_cost from marts.campaign_roi where not is_influence group by all)
        as campaign using (model, basis)
    group by model, basis
    having count(channel.deal_cost) > 0
),
landed as (
    select 'rows of ' || entity || ' kept from raw to staging' as subject,
           raw_rows - staging_rows - superseded_rows - rejected_rows as difference
    from staging.row_counts
),
leads as (
    select 'leads without a stage' as subject,
           (select count(*) from scored.leads) - (select count(distinct lead_id) from scored.lead_stages) as difference
),
-- The scores that stand are made in part from day to day; the log says what they must be, person by person and account
-- by account.
scores as (
    select 'scores that are not the sum of their log' as subject, count(*) as difference
    from (
        select person_id as subject, 'person' as subject_kind, sum(points)::decimal(38, 8) as points
        from scored.person_points
        group by person_id
        union all
        select account_id, 'account', points::decimal(38, 8) from scored.account_points
    ) as stands
    full join (select subject, subject_kind, points from scored.scores where model = 'engagement') as log
        using (subject, subject_kind)
    where stands.points is distinct from log.points
)
select subject, 0 as duplicate_keys, 0 as broken_rows, difference::double as difference
from (from money union all from marts union all from deal_costs union all from landed union all from leads union all from scores)
order by subject
