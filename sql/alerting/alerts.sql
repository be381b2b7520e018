-- One alert per channel and address of what a booking raised for a customer; make_alerts (udfs/alerts.py) makes them. A
-- channel without an address gives none: how many is the difference between what make_alerts gives and what is sent.
CREATE TEMPORARY VIEW alerts AS
SELECT r.*, a.alert_id, a.channel, a.address, r.reasons[a.channel] AS own_reasons, r.reasons[a.channel][1] AS main_reason
FROM raised_alerts AS r
CROSS JOIN LATERAL TABLE(make_alerts(
    ENCODE(r.entry_id, 'UTF-8'), ENCODE(r.customer_id, 'UTF-8'), r.channels, r.address_channels, r.addresses))
  AS a(alert_id, channel, address)
WHERE a.address IS NOT NULL
