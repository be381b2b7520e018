-- What makes a record about who may see an account unusable; no reason: it is a good one, or a tombstone (record is
-- null), which has its account_id from the key. written is its Kafka time in milliseconds.
CREATE TEMPORARY VIEW checked_authorizations AS
SELECT
  record_key,
  CASE WHEN record IS NULL THEN COALESCE(DECODE(record_key, 'UTF-8'), '') ELSE account_id END AS account_id,
  customer_ids,
  written_at,
  EXTRACT(EPOCH FROM written_at) * 1000 + EXTRACT(MILLISECOND FROM written_at) AS written,
  source_partition,
  source_offset,
  record,
  CASE
    -- Decoding puts another character in the place of bytes that are none.
    WHEN record_key <> ENCODE(DECODE(record_key, 'UTF-8'), 'UTF-8') THEN 'the key is not UTF-8'
    WHEN record IS NOT NULL AND decode_error IS NOT NULL THEN decode_error
    WHEN COALESCE(DECODE(record_key, 'UTF-8'), '') = '' OR (record IS NOT NULL AND record_key <> ENCODE(account_id, 'UTF-8'))
      THEN 'the key is not the account_id'
    WHEN CARDINALITY(customer_ids) > ${customers_per_account} THEN 'more than ${customers_per_account} customer_ids'
  END AS reason
FROM authorization_records
