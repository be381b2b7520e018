-- What customers asked to hear about: a row for each setting.
CREATE TEMPORARY VIEW settings AS
SELECT
  s.customer_id, w.setting_id, w.account_id, w.currency, w.alert_type, w.channels, w.threshold_minor, w.`count`,
  w.window_minutes, w.snoozed_until
FROM alert_settings AS s
CROSS JOIN UNNEST(s.settings) AS w
