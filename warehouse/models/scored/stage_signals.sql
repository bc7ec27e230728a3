-- One row per thing that may move a lead to a stage: what sales said and did, answers, deals. The replay judges them.
-- A deal belongs to one lead: its own person's, else its primary contact's, else the lead of its company that had
-- earned most points when the deal was opened (ties: first inquiry, then lead id).
-- grain: lead_id, stage, signal_id
-- column: lead_id | the lead
-- column: stage | the stage it speaks for
-- column: occurred_at | when it happened, UTC
-- column: signal_id | the deal, touch, activity or answer
-- column: rule | the rule in scoring.yaml, or deal
-- column: reason | what was said or done
-- column: actor | who did it; null for the rules themselves
-- column: is_decided | said by sales itself: counts whatever the lead's stage
with deal as (
    select *, coalesce(created_at, lead_created_at, closed_at) as opened_at
    from core.deals
    where lower(coalesce(type, '')) not in (select word from rules.exclusions where kind = 'deal_type')
),
deal_lead as (
    select deal.deal_id, leads.lead_id, 1 as preference, false as is_other_primary, leads.inquiry_at, 0 as earned
    from deal
    join scored.leads on leads.person_id = deal.person_id
    union all
    select deal.deal_id, leads.lead_id, 2, not coalesce(deal_contacts.is_primary, false), leads.inquiry_at, 0
    from deal
    join core.deal_contacts using (deal_id)
    join scored.leads on leads.person_id = deal_contacts.person_id
    where deal.person_id is null
    union all
    select deal.deal_id, leads.lead_id, 3, false, leads.inquiry_at, coalesce(sum(score_lines.capped_points), 0)
    from deal
    join scored.leads on leads.account_id = deal.account_id and leads.inquiry_at <= deal.opened_at
    left join scored.score_lines
        on score_lines.person_id = leads.person_id and score_lines.event_at <= deal.opened_at
    where deal.person_id is null and not leads.is_excluded
    group by all
),
chosen_lead as (
    select deal_id, lead_id
    from deal_lead
    qualify row_number() over (partition by deal_id
        order by preference, is_other_primary, earned desc, inquiry_at, lead_id) = 1
),
deal_signal as (
    select chosen_lead.lead_id, 'opportunity' as stage, deal.created_at as occurred_at, deal.deal_id as signal_id,
           'deal' as rule, 'deal ' || deal.deal_id as reason, deal.owner_id as actor, true as is_decided
    from deal
    join chosen_lead using (deal_id)
    where deal.created_at is not null
    union all
    select chosen_lead.lead_id, deal.status, coalesce(deal.closed_at, deal.opened_at), deal.deal_id,
           'deal', 'deal ' || deal.deal_id, deal.owner_id, true
    from deal
    join chosen_lead using (deal_id)
    where deal.status in ('won', 'lost')
),
feedback_signal as (
    select coalesce(by_person.lead_id, by_lead.lead_id) as lead_id, evidence.stage, lead_feedback.changed_at as occurred_at,
           lead_feedback.row_id as signal_id, evidence.rule_id as rule,
           coalesce(lead_feedback.reason, lead_feedback.status) as reason, 'crm' as actor, true as is_decided
    from core.lead_feedback
    join rules.evidence on evidence.kind = 'status' and list_contains(evidence.words, lead_feedback.status)
    left join scored.leads as by_person on by_person.person_id = lead_feedback.person_id
    left join scored.leads as by_lead on by_lead.lead_id = lead_feedback.lead_id
),
touch_signal as (
    select leads.lead_id, evidence.stage, touches.occurred_at, touches.touch_id as signal_id, evidence.rule_id as rule,
           touches.type as reason, null as actor, false as is_decided
    from core.touches
    join scored.leads using (person_id)
    join matched.persons using (person_id)
    join (select * exclude (words), unnest(words) as word from rules.evidence where kind = 'touch') as evidence
        on evidence.word = touches.type
    where not touches.is_future and (len(evidence.seniorities) = 0 or list_contains(evidence.seniorities, persons.seniority))
),
activity_signal as (
    select leads.lead_id, evidence.stage, activities.occurred_at, activities.row_id as signal_id,
           evidence.rule_id as rule, activities.type as reason, activities.owner_id as actor, false as is_decided
    from core.activities
    join scored.leads using (person_id)
    join rules.evidence on evidence.kind = 'activity' and list_contains(evidence.words, activities.type)
),
answer as (
    select leads.lead_id, evidence.stage, evidence.rule_id, evidence.topic, evidence.at_least,
           min(qualifications.answered_at) as answered_at
    from core.qualifications
    join scored.leads using (person_id)
    join rules.evidence on evidence.kind = 'answer'
        and len(list_filter(evidence.words, lambda word: contains(lower(qualifications.question), word))) > 0
        and not list_contains(evidence.negatives, lower(trim(qualifications.answer)))
    where qualifications.answer is not null
    group by all
),
answer_signal as (
    select lead_id, stage, answered_at as occurred_at, rule_id as signal_id, rule_id as rule,
           string_agg(topic, ', ') over (partition by lead_id, rule_id order by answered_at, topic) as reason,
           null as actor, false as is_decided
    from answer
    qualify row_number() over (partition by lead_id, rule_id order by answered_at, topic) = at_least
),
-- What the CRM said stands among feedback_signal.
said_signal as (
    select lead_id, case kind when 'accepted' then 'sal' when 'rejected' then 'recycled' else kind end as stage,
           happened_at as occurred_at, event_id as signal_id, kind as rule, reason, actor, true as is_decided
    from scored.sales_events
    where kind in ('accepted', 'rejected', 'disqualified') and actor <> 'crm'
),
signal as (
    select * from deal_signal
    union all select * from said_signal
    union all select * from feedback_signal
    union all select * from touch_signal
    union all select * from activity_signal
    union all select * from answer_signal
)
select lead_id, stage, occurred_at, signal_id, min(rule) as rule, min(reason) as reason, min(actor) as actor,
       bool_or(is_decided) as is_decided
from signal
where lead_id is not null and occurred_at <= $at
group by all
