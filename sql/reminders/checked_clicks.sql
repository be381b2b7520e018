-- `reason` is null for a valid event. Heartbeats are filtered out.
CREATE TEMPORARY VIEW checked_clicks AS
SELECT
  *,
  CASE
    WHEN decode_error IS NOT NULL THEN decode_error
    WHEN event_id = '' THEN 'event_id is empty'
    WHEN customer_id = '' THEN 'customer_id is empty'
    WHEN event_key IS NULL OR event_key <> ENCODE(customer_id, 'UTF-8') THEN 'the key is not the customer_id'
    WHEN event_type LIKE 'APPLICATION~_%' ESCAPE '~' AND (application_id IS NULL OR application_id = '')
      THEN 'application_id is missing'
  END AS reason
FROM click_events
WHERE record IS NOT NULL OR event_key IS NULL OR DECODE(event_key, 'UTF-8') NOT IN (${clicks_heartbeats})
