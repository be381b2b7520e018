-- What makes a booking unusable (docs/concepts/data-contract.md: "What bad input gets"). No reason: it is a good one.
CREATE TEMPORARY VIEW checked_entries AS
SELECT
  *,
  CASE
    WHEN decode_error IS NOT NULL THEN decode_error
    WHEN entry_id = '' THEN 'entry_id is empty'
    WHEN account_id = '' THEN 'account_id is empty'
    WHEN entry_key IS NULL OR entry_key <> CAST(account_id AS BYTES) THEN 'the key is not the account_id'
    WHEN amount_minor <= 0 THEN 'amount_minor is not greater than 0'
    WHEN credit_debit NOT IN ('CRDT', 'DBIT') THEN 'credit_debit is neither CRDT nor DBIT'
    WHEN entry_type NOT IN (${entry_types}) THEN 'entry_type is not one of ${entry_types_text}'
    WHEN currency NOT IN (${iso_4217}) THEN 'currency is not in ISO 4217'
    WHEN original_amount_minor <= 0 THEN 'original_amount_minor is not greater than 0'
  END AS reason
FROM account_entries
