-- What makes a record about what a customer asked for unusable; no reason: it is a good one, though single settings in it
-- may be invalid, or a tombstone (record is null), which has its customer_id from the key. written is its Kafka time in
-- milliseconds.
CREATE TEMPORARY VIEW checked_settings AS
SELECT
  record_key,
  CASE WHEN record IS NULL THEN COALESCE(DECODE(record_key, 'UTF-8'), '') ELSE customer_id END AS customer_id,
  `language`,
  time_zone,
  addresses,
  settings,
  quiet_from,
  quiet_to,
  digest,
  written_at,
  EXTRACT(EPOCH FROM written_at) * 1000 + EXTRACT(MILLISECOND FROM written_at) AS written,
  source_partition,
  source_offset,
  record,
  CASE
    -- Decoding puts another character in the place of bytes that are none.
    WHEN record_key <> ENCODE(DECODE(record_key, 'UTF-8'), 'UTF-8') THEN 'the key is not UTF-8'
    WHEN record IS NOT NULL AND decode_error IS NOT NULL THEN decode_error
    WHEN COALESCE(DECODE(record_key, 'UTF-8'), '') = '' OR (record IS NOT NULL AND record_key <> ENCODE(customer_id, 'UTF-8'))
      THEN 'the key is not the customer_id'
    WHEN CARDINALITY(addresses) > ${addresses_per_customer} THEN 'more than ${addresses_per_customer} addresses'
    WHEN CARDINALITY(settings) > ${settings_per_customer} THEN 'more than ${settings_per_customer} settings'
  END AS reason
FROM setting_records
