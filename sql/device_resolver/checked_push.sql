-- What makes a push alert unusable: nobody could be asked for its devices, or nobody could tell it from another. No reason:
-- it is a good one.
CREATE TEMPORARY VIEW checked_push AS
SELECT
  *,
  CASE
    WHEN decode_error IS NOT NULL THEN decode_error
    WHEN alert_id = '' THEN 'alert_id is empty'
    WHEN customer_id = '' THEN 'customer_id is empty'
    WHEN customer_key IS NULL OR customer_key <> ENCODE(customer_id, 'UTF-8') THEN 'the key is not the customer_id'
    WHEN channel <> 'PUSH' THEN 'channel is not PUSH'
  END AS reason
FROM outbound_push
