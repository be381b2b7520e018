-- Bookings, one row each, also those that cannot be read: decode_error then says why, and record has the bytes.
-- rules_time is the time whose rules count for a booking: a change of a rule takes effect ${effect_delay} seconds after it
-- was written, so that the rules are known when the booking comes and it need not wait for them.
CREATE TABLE account_entries (
  entry_key             BYTES,
  entry_id              STRING NOT NULL,
  account_id            STRING NOT NULL,
  currency              STRING NOT NULL,
  amount_minor          BIGINT NOT NULL,
  credit_debit          STRING NOT NULL,
  balance_minor         BIGINT,
  booked_at             TIMESTAMP_LTZ(3) NOT NULL,
  entry_type            STRING NOT NULL,
  merchant_id           STRING,
  merchant_name         STRING,
  merchant_category     STRING,
  country               STRING,
  counterparty          STRING,
  description           STRING,
  counterparty_name     STRING,
  card_last_four        STRING,
  original_currency     STRING,
  original_amount_minor BIGINT,
  reversal              BOOLEAN NOT NULL,
  written_at            TIMESTAMP_LTZ(3) NOT NULL METADATA FROM 'timestamp' VIRTUAL,
  source_partition      INT NOT NULL METADATA FROM 'partition' VIRTUAL,
  source_offset         BIGINT NOT NULL METADATA FROM 'offset' VIRTUAL,
  decode_error          STRING METADATA FROM 'value.decode-error' VIRTUAL,
  record                BYTES METADATA FROM 'value.bytes' VIRTUAL,
  rules_time            AS written_at - INTERVAL '${effect_delay}' SECOND,
  WATERMARK FOR written_at AS written_at
) WITH (
  'connector' = 'kafka',
  'topic' = '${account_entries}',
  ${kafka_client}
  'properties.group.id' = 'alerting',
  'properties.fetch.min.bytes' = '1',
  'scan.startup.mode' = 'earliest-offset',
  'key.format' = 'raw',
  'key.fields' = 'entry_key',
  'value.format' = 'alerts-avro',
  ${decoding}
  'value.alerts-avro.largest-record' = '${record_bytes}',
  'value.fields-include' = 'EXCEPT_KEY'
)
