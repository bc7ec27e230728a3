-- One row per campaign, model and basis: the models side by side, each against the one that is shown first.
-- grain: campaign_id, model, basis
-- column: campaign_id | campaign
-- column: name | its name
-- column: channel | its channel
-- column: model | attribution model
-- column: basis | pipeline, signed, invoiced, cash
-- column: attributed_amount | credits; 0 where the model gives it none
-- column: share | of the amounts that the model gave to any campaign
-- column: place | 1 for the campaign that earned most by this model
-- column: first_model | the model it is compared with
-- column: difference | attributed_amount less that of the first model
with earned as (
    select campaign_id, name, channel, model, basis, coalesce(attributed_amount, 0) as attributed_amount
    from marts.campaign_roi
    where not is_influence and campaign_id <> '(unattributed)'
),
first_model as (
    select model from rules.attribution where not is_influence order by position limit 1
)
select earned.campaign_id, earned.name, earned.channel, earned.model, earned.basis, earned.attributed_amount,
       (earned.attributed_amount / nullif(sum(earned.attributed_amount) over of_model, 0))::double as share,
       row_number() over (
           partition by earned.model, earned.basis order by earned.attributed_amount desc, earned.campaign_id
       ) as place,
       first_model.model as first_model,
       earned.attributed_amount - other.attributed_amount as difference
from earned
cross join first_model
join earned as other
    on other.campaign_id = earned.campaign_id and other.basis = earned.basis and other.model = first_model.model
window of_model as (partition by earned.model, earned.basis)
