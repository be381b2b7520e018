-- The rules of an account as the alerting job knows them, ended ones too: a booking meets those that held at its
-- rules_time. Put the account's id in the WHERE. It reads what the topic holds now and ends.
SELECT
  a.account_id,
  r.customer_id,
  r.alert_type,
  r.threshold_minor,
  r.channels,
  r.valid_from,
  r.valid_to
FROM alert_rules /*+ OPTIONS('scan.bounded.mode' = 'latest-offset') */ AS a
CROSS JOIN UNNEST(a.rules) AS r
WHERE a.account_id = '9';
