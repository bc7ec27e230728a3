-- One row per name under which a campaign is spoken of: its id, its name where no other bears it, and what reach.yaml adds.
-- grain: name
-- published: no
-- column: name | lower case, without blanks around
-- column: campaign_id | the campaign
with listed as (
    select campaign_id, lower(trim(campaign_id)) as id_name, lower(trim(name)) as name
    from staging.campaigns
    where campaign_id is not null
),
spoken as (
    select alias as name, campaign_id, 1 as merit from rules.campaign_aliases
    union all
    select id_name, min(campaign_id), 2 from listed group by id_name having count(distinct campaign_id) = 1
    union all
    select name, min(campaign_id), 3 from listed where name <> '' group by name having count(distinct campaign_id) = 1
)
select name, campaign_id
from spoken
qualify row_number() over (partition by name order by merit, campaign_id) = 1
