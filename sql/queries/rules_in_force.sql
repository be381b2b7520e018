-- The rules of an account: what those who may see it asked to hear about it, and when the newest change of either was
-- written; it holds for bookings that come ${effect_delay} s later. Put the account's id in the WHERE. It reads what the
-- topics hold now and ends; a line -U or -D takes an earlier one back.
SELECT
  a.account_id,
  c.customer_id,
  w.setting_id,
  w.alert_type,
  w.currency,
  w.threshold_minor,
  w.`count`,
  w.window_minutes,
  w.channels,
  GREATEST(a.written_at, s.written_at) AS changed_at
FROM account_authorizations /*+ OPTIONS('scan.bounded.mode' = 'latest-offset') */ AS a
CROSS JOIN UNNEST(a.customer_ids) AS c (customer_id)
JOIN alert_settings /*+ OPTIONS('scan.bounded.mode' = 'latest-offset') */ AS s ON s.customer_id = c.customer_id
CROSS JOIN UNNEST(s.settings) AS w
WHERE a.account_id = '9' AND w.account_id = a.account_id;
