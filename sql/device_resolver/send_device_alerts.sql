-- One alert per device of the customer; device_alerts (udfs/device_resolver/alerts.py) makes their ids and addresses, all else is the
-- push alert's.
INSERT INTO outbound_alerts
SELECT
  p.customer_id, d.alert_id, p.customer_id, p.channel, d.address, p.alert_type, p.account_id, p.currency, p.entry_id,
  p.setting_id, CAST(TO_TIMESTAMP_LTZ(p.booked_at, 3) AS TIMESTAMP(3)),
  CAST(TO_TIMESTAMP_LTZ(p.raised_at, 3) AS TIMESTAMP(3)), p.`language`, p.params, p.reasons, '${outbound_device_push}'
FROM (SELECT * FROM resolved_alerts WHERE reason IS NULL) AS p
CROSS JOIN LATERAL TABLE(device_alerts(p.alert_id, p.devices)) AS d(alert_id, address)
