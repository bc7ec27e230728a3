-- The world of benchmarks/marts_bench.py; h(i, salt): 0 to 999,999, by the seed alone.
create macro h(i, salt) as hash(i * 1000 + salt + {seed} * 7919) % 1000000;
insert into rules.stages by name
    select * from (values ('inquiry', 1, true), ('mql', 2, true), ('sal', 3, true), ('sql', 4, true),
                          ('opportunity', 5, true), ('won', 6, false)) as t(stage, rank, is_open);
insert into rules.attribution by name
    select unnest(['linear', 'first_touch', 'last_touch', 'position_based', 'w_shaped', 'time_decay']) as model,
           unnest(range(1, 7)) as position, false as is_influence;
insert into rules.attribution_settings by name select 'never' as signed_without_orders, 60 as renewal_grace_days, 1 as gross_margin;
insert into core.owners_today by name select 'O' || i as owner_id, 'team ' || (i % 12) as team from range(100) as t(i);
insert into resolved.accounts by name
    select 'A' || i as account_id, 'company ' || i as name, 'province ' || h(i, 1) % 31 as province,
           chr((65 + h(i, 2) % 20)::integer) as industry_section
    from range({accounts}) as t(i);
insert into resolved.account_fit by name
    select 'A' || i as account_id, chr((65 + h(i, 3) % 4)::integer) as grade from range({accounts}) as t(i);
insert into core.campaigns by name
    select 'C' || i as campaign_id, 'campaign ' || i as name, 'channel ' || i % 9 as channel,
           case when i % 10 > 0 then 'C' || i - i % 10 end as parent_campaign_id, true as is_listed
    from range(1000) as t(i);
insert into core.campaign_costs by name
    select 'K' || i as cost_id, 'C' || i % 1000 as campaign_id, date '2025-11-01' + (h(i, 4) % 365)::integer as spent_on,
           1000 + h(i, 5) % 9000 as amount_base, false as is_budget
    from range(8000) as t(i);
insert into matched.persons by name select 'P' || i as person_id from range({people}) as t(i);
insert into matched.person_accounts by name
    select 'P' || i as person_id, 'A' || i % {accounts} as account_id from range({people}) as t(i) where h(i, 6) < 800000;
insert into scored.leads by name
    select 'L' || i as lead_id, 'P' || i as person_id,
           case when h(i, 6) < 800000 then 'A' || i % {accounts} end as account_id, 'channel ' || h(i, 7) % 9 as first_channel
    from range({people}) as t(i);
insert into scored.lead_stages by name
    select 'L' || i as lead_id, 1 as cycle, stage, false as is_before_inquiry,
           timestamp '2025-11-01' + to_seconds((h(i, 8) * 28)::bigint + rank * (h(i, 9 + rank) % 900000)) as entered_at
    from range({people}) as t(i), rules.stages
    where h(i, 20) < case rank when 1 then 1000000 when 2 then 200000 when 3 then 120000 when 4 then 80000
                               when 5 then 40000 else 20000 end;
insert into scored.assignments by name
    select 'S' || i as assignment_id, 'L' || i as lead_id, 'O' || h(i, 21) % 100 as owner_id, 'pool ' || h(i, 22) % 5 as pool_id,
           'assigned' as path, 1 as number, true as is_current, moment as assigned_at, moment + interval 1 day as accept_due_at,
           moment + interval 2 day as first_touch_due_at, moment + to_seconds(h(i, 23) % 200000) as accepted_at
    from range({people}) as t(i), lateral (select timestamp '2025-11-01' + to_seconds(h(i, 24) * 31) as moment)
    where h(i, 20) < 200000;
insert into core.touches by name
    select 'T' || i as touch_id, 'P' || person as person_id,
           case when h(person, 6) < 800000 then 'A' || person % {accounts} end as account_id,
           'C' || campaign as campaign_id, 'channel ' || campaign % 9 as channel, 'type ' || h(i, 25) % 6 as type,
           timestamp '2025-11-01' + to_seconds(h(i, 26) * 31) as occurred_at, false as is_future
    from range({touches}) as t(i), lateral (select (hash(i + {seed}) % {people})::bigint as person, h(i, 27) % 1000 as campaign);
insert into core.deals by name
    select 'D' || i as deal_id, 'A' || account as account_id, 'A' || account as party_id, 'O' || h(i, 29) % 100 as owner_id,
           case when h(i, 30) < 350000 then 'won' when h(i, 30) < 800000 then 'lost' else 'open' end as status,
           case when h(i, 33) < 800000 then 'new' else 'renewal' end as type, 10000 + h(i, 31) as amount_base,
           moment as created_at, moment + to_seconds(h(i, 32) * 8) as closed_at, moment as lead_created_at
    from range({deals}) as t(i),
         lateral (select h(i, 28) * 7 % {accounts} as account, timestamp '2025-11-01' + to_seconds(h(i, 34) * 22) as moment);
insert into core.orders by name
    select 'N' || deal_id as order_id, deal_id, account_id, closed_at::date as signed_on, amount_base, amount_base as amount,
           closed_at::date as term_starts_on, closed_at::date + 179 as term_ends_on, false as is_future
    from core.deals where status = 'won';
insert into core.payments by name
    select 'Y' || order_id as payment_id, order_id, deal_id, signed_on + 30 as paid_on, amount, amount_base, false as is_future
    from core.orders;
insert into core.deal_amounts by name
    select deal_id, basis, amount_base as amount from core.deals, (select unnest(['pipeline', 'signed', 'cash']) as basis)
    where status = 'won' or (status = 'open' and basis = 'pipeline');
insert into scored.deal_touches by name
    select deal_id, touch_id, row_number() over (partition by deal_id order by occurred_at, touch_id) as position
    from core.deals join core.touches using (account_id)
    where occurred_at between closed_at - interval 180 day and closed_at;
insert into scored.credits by name
    select deal_id, touch_id, campaign_id, channel, account_id as party_id, model, basis, 1 / count(*) over deal as weight,
           (amount / count(*) over deal)::decimal(18, 2) as credit
    from scored.deal_touches join core.touches using (touch_id) join core.deal_amounts using (deal_id)
    cross join rules.attribution
    window deal as (partition by deal_id, model, basis);
