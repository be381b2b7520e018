-- `reason` is null for a usable event, and for the heartbeats of former versions: records without a value, which mean nothing.
CREATE TEMPORARY VIEW checked_clicks AS
SELECT
  *,
  CASE
    WHEN record IS NULL AND DECODE(event_key, 'UTF-8') LIKE '!heartbeat-%' THEN CAST(NULL AS STRING)
    WHEN decode_error IS NOT NULL THEN decode_error
    WHEN event_id = '' THEN 'event_id is empty'
    WHEN customer_id = '' THEN 'customer_id is empty'
    WHEN event_key IS NULL OR event_key <> ENCODE(customer_id, 'UTF-8') THEN 'the key is not the customer_id'
    WHEN event_type LIKE 'APPLICATION~_%' ESCAPE '~' AND (application_id IS NULL OR application_id = '')
      THEN 'application_id is missing'
  END AS reason
FROM click_events
