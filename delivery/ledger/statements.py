"""The SQL of the ledger (database/delivery/).

A statement that changes rows names their keys as an array, also where it joins what has them: a join alone
may be planned the other way round, and read the whole table for a few rows, while it is believed to be small.
"""

from account_alerts.model.alerts import DeliveryState as State
from delivery.policy import DeferralReason

_RECIPIENT = """
  p.time_zone, p.quiet_from, p.quiet_to, p.digest, p.addresses,
  (
    SELECT jsonb_object_agg(id, p.settings -> id)
    FROM unnest(array_prepend(c.setting_id, c.other_setting_ids)) AS own (id) WHERE p.settings ? id
  ) AS settings,
  c.customer_id = ANY (a.customer_ids) AS authorized
"""
_JOINED = """
  LEFT JOIN profiles p ON p.customer_id = c.customer_id
  LEFT JOIN account_access a ON a.account_id = c.account_id
"""

CLAIM = f"""
WITH c AS (
  INSERT INTO deliveries (
    alert_id, channel, route, state, alert_type, customer_id, address, account_id, entry_id, setting_id,
    other_setting_ids, record, source_partition, source_offset, raised_at, written_at, received_at,
    claimed_at, due_at, lease_owner, attempts)
  SELECT
    alert_id, %(channel)s, route, '{State.CLAIMED}', alert_type, customer_id, address, account_id, entry_id,
    setting_id, other_setting_ids, decode(record, 'base64'), partition, "offset",
    to_timestamp(raised_at / 1000.0), to_timestamp(written_at / 1000.0), now(), now(),
    now() + %(lease)s * interval '1 ms', %(process)s, 1
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (
    alert_id text, route text, alert_type text, customer_id text, address text, account_id text,
    entry_id text, setting_id text, other_setting_ids text[], record text, partition int, "offset" bigint,
    raised_at bigint, written_at bigint)
  ORDER BY alert_id  -- Two processes that claim the same alerts wait for each other, without a deadlock.
  ON CONFLICT DO NOTHING
  RETURNING alert_id, customer_id, account_id, setting_id, other_setting_ids
)
SELECT c.alert_id, {_RECIPIENT} FROM c {_JOINED}
"""

CLAIM_DUE = f"""
WITH due AS (
  SELECT alert_id, attempts, due_at FROM deliveries
  WHERE channel = %(channel)s AND due_at <= now() AND deferred_for IS DISTINCT FROM '{DeferralReason.DIGEST}'
    AND (%(only)s::text[] IS NULL OR route = ANY (%(only)s::text[])) AND route <> ALL (%(without)s::text[])
    AND (state <> '{State.CLAIMED}' OR %(take_over)s::boolean)
  ORDER BY due_at LIMIT %(candidates)s
  FOR UPDATE SKIP LOCKED
), c AS (
  UPDATE deliveries d
  SET state = '{State.CLAIMED}', attempts = attempts + 1, claimed_at = now(), lease_owner = %(process)s,
    due_at = now() + %(lease)s * interval '1 ms'
  WHERE alert_id = ANY (ARRAY(SELECT alert_id FROM due ORDER BY attempts, due_at LIMIT %(limit)s))
  RETURNING d.*
)
SELECT c.*, {_RECIPIENT} FROM c {_JOINED}
"""

# A digest is claimed whole: the lock lets one process have it, and after its commit nothing of it is due.
CLAIM_DUE_DIGESTS = f"""
WITH leads AS MATERIALIZED (
  SELECT DISTINCT customer_id, address FROM deliveries
  WHERE channel = %(channel)s AND due_at <= now() AND deferred_for = '{DeferralReason.DIGEST}'
    AND (%(only)s::text[] IS NULL OR route = ANY (%(only)s::text[])) AND route <> ALL (%(without)s::text[])
    AND (state <> '{State.CLAIMED}' OR %(take_over)s::boolean)
  LIMIT %(limit)s
), own AS MATERIALIZED (
  SELECT * FROM leads WHERE pg_try_advisory_xact_lock(hashtextextended(customer_id || ' ' || address, 0))
), c AS (
  UPDATE deliveries d
  SET state = '{State.CLAIMED}', attempts = attempts + 1, claimed_at = now(), lease_owner = %(process)s,
    due_at = now() + %(lease)s * interval '1 ms', digest_id = COALESCE(d.digest_id, %(token)s)
  FROM own
  WHERE d.customer_id = ANY (ARRAY(SELECT customer_id FROM own))
    AND d.customer_id = own.customer_id AND d.address = own.address AND d.channel = %(channel)s
    AND d.deferred_for = '{DeferralReason.DIGEST}' AND d.due_at <= now()
    AND (d.state <> '{State.CLAIMED}' OR %(take_over)s::boolean)
  RETURNING d.*
)
SELECT c.*, {_RECIPIENT} FROM c {_JOINED}
"""

# Whoever says that an alert was sent is right; all else counts only from the claim that is still the newest.
UPDATE = f"""
UPDATE deliveries d
SET state = r.state,
  due_at = to_timestamp(r.due_at / 1000.0),
  sent_at = COALESCE(to_timestamp(r.sent_at / 1000.0), d.sent_at),
  deferred_for = COALESCE(r.deferred_for, d.deferred_for),
  -- What is deferred once more was not in that digest: under its key a gateway would take it for a repeat.
  digest_id = CASE WHEN r.state = '{State.DEFERRED}' THEN NULL ELSE d.digest_id END,
  reference = COALESCE(r.reference, d.reference),
  reason = r.reason,
  steps = CASE
    WHEN r.step IS NULL OR r.state = '{State.RETRYING}' AND r.reason = d.reason THEN d.steps
    ELSE d.steps || r.step::jsonb
  END
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (
  alert_id text, attempt int, state text, sent_at bigint, due_at bigint, deferred_for text, reference text,
  reason text, step text)
WHERE d.alert_id = ANY (%(keys)s) AND d.alert_id = r.alert_id
  AND d.state IN ('{State.CLAIMED}', '{State.DEFERRED}', '{State.RETRYING}')
  AND (d.attempts = r.attempt OR r.state = '{State.SENT}')
"""

APPLY_RECEIPTS = f"""
UPDATE deliveries d
SET state = CASE WHEN r.delivered THEN '{State.DELIVERED}' ELSE '{State.UNDELIVERED}' END,
  delivered_at = CASE WHEN r.delivered THEN to_timestamp(r.at / 1000.0) END,
  reason = r.reason,
  steps = CASE WHEN r.delivered THEN d.steps ELSE d.steps
    || jsonb_build_array(
      jsonb_build_object('at', r.at, 'step', '{State.UNDELIVERED}', 'reason', r.reason)) END
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (reference text, delivered boolean, at bigint, reason text)
WHERE d.channel = %(channel)s AND d.reference = ANY (%(keys)s) AND d.reference = r.reference
  AND d.state = '{State.SENT}'
RETURNING d.reference, d.state
"""

PRUNE = """
WITH old AS (
  SELECT alert_id FROM deliveries
  WHERE received_at < now() - %(retention)s * interval '1 ms' AND due_at IS NULL
  LIMIT 5000 FOR UPDATE SKIP LOCKED
), marks AS (  -- Made after their message was received, so that is gone, too.
  DELETE FROM message_marks WHERE marked_at < now() - %(retention)s * interval '1 ms'
)
DELETE FROM deliveries WHERE alert_id = ANY (ARRAY(SELECT alert_id FROM old)) RETURNING 1
"""

RECLAIM_OWN = f"""
UPDATE deliveries SET due_at = now()
WHERE channel = %(channel)s AND state = '{State.CLAIMED}' AND due_at > now() AND lease_owner = %(process)s
RETURNING 1
"""

# An alert that waits for another attempt at its address is not due; one whose route is down is, and stays.
COUNT_PENDING = """
SELECT state, route, count(*) AS count, greatest(0, extract(epoch FROM now() - min(due_at)))::float AS overdue
FROM deliveries WHERE channel = %(channel)s AND due_at IS NOT NULL GROUP BY state, route
"""

FIND = """
SELECT alert_id, channel, state, alert_type, customer_id, address, account_id, reason, received_at,
  sent_at, delivered_at, due_at, attempts
FROM deliveries
WHERE (%(customer)s::text IS NULL OR customer_id = %(customer)s)
  AND (%(state)s::text IS NULL OR state = %(state)s)
  AND (%(since)s::bigint IS NULL OR received_at >= now() - %(since)s * interval '1 ms')
ORDER BY received_at DESC LIMIT %(limit)s
"""

FIND_ONE = "SELECT * FROM deliveries WHERE alert_id = %s"

# Only what is done: whoever claims it next sends it. Its digest, if it was in one, goes as that digest again.
RETRY = f"""
WITH found AS MATERIALIZED (
  SELECT alert_id, record IS NULL AS erased, written_at <= now() - %(max_deferral)s * interval '1 ms' AS old
  FROM deliveries
  WHERE state = ANY (%(states)s)
    AND (%(alert_ids)s::text[] IS NULL OR alert_id = ANY (%(alert_ids)s::text[]))
    AND (%(reason)s::text IS NULL OR starts_with(reason, %(reason)s::text))
    AND (%(channel)s::text IS NULL OR channel = %(channel)s)
    AND (%(since)s::bigint IS NULL OR received_at >= now() - %(since)s * interval '1 ms')
  FOR UPDATE
), retried AS (
  UPDATE deliveries SET state = '{State.RETRYING}', due_at = now(), reason = 'sent again by an operator',
    steps = steps || jsonb_build_array(jsonb_build_object(
      'at', floor(extract(epoch FROM now()) * 1000)::bigint,
      'step', '{State.RETRYING}', 'reason', 'sent again by an operator'))
  WHERE NOT %(dry_run)s AND alert_id = ANY (ARRAY(SELECT alert_id FROM found WHERE NOT erased AND NOT old))
)
SELECT count(*) FILTER (WHERE NOT erased AND NOT old) AS sent_again,
  count(*) FILTER (WHERE NOT erased AND old) AS too_old, count(*) FILTER (WHERE erased) AS erased
FROM found
"""

# A pending alert is cancelled with it; one that is being sent is finished by its sender.
ERASE = f"""
WITH marks AS (
  DELETE FROM message_marks WHERE customer_id = %(customer)s
), inbox AS (
  DELETE FROM inboxes WHERE customer_id = %(customer)s
)
UPDATE deliveries
SET customer_id = NULL, address = NULL, account_id = NULL, entry_id = NULL, setting_id = NULL,
  other_setting_ids = NULL, record = NULL,
  state = CASE WHEN due_at IS NULL THEN state ELSE '{State.CANCELLED}' END,
  reason = CASE WHEN due_at IS NULL THEN reason ELSE 'erased' END,
  due_at = NULL
WHERE customer_id = %(customer)s
"""
