-- Who hears about an account, and of what: the settings of those who may see it. Put the account's id in the WITH.
-- It reads what the topics hold now and ends; a line -U or -D takes an earlier one back.
WITH asked AS (SELECT '9' AS account_id)
SELECT
  s.customer_id,
  w.setting_id,
  w.alert_type,
  w.currency,
  w.threshold_minor,
  w.channels
FROM account_authorizations /*+ OPTIONS('scan.bounded.mode' = 'latest-offset') */ AS a
JOIN asked ON asked.account_id = a.account_id
CROSS JOIN UNNEST(a.customer_ids) AS c (customer_id)
JOIN alert_settings /*+ OPTIONS('scan.bounded.mode' = 'latest-offset') */ AS s ON s.customer_id = c.customer_id
CROSS JOIN UNNEST(s.settings) AS w
WHERE w.account_id = a.account_id;
