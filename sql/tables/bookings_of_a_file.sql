-- The bookings of a file, for trying a rule on them: JSON lines, and as if each had come to Kafka when it was booked.
CREATE TABLE bookings (
  entry_id          STRING NOT NULL,
  account_id        STRING NOT NULL,
  currency          STRING NOT NULL,
  amount_minor      BIGINT NOT NULL,
  credit_debit      STRING NOT NULL,
  balance_minor     BIGINT NOT NULL,
  booked_at         TIMESTAMP_LTZ(3) NOT NULL,
  entry_type        STRING NOT NULL,
  merchant_id       STRING,
  merchant_name     STRING,
  merchant_category STRING,
  country           STRING,
  counterparty      STRING,
  description       STRING,
  written_at        TIMESTAMP_LTZ(3) NOT NULL,
  arrived_at AS PROCTIME(),
  WATERMARK FOR written_at AS written_at - INTERVAL '1' SECOND
) WITH (
  'connector' = 'filesystem',
  'path' = '${bookings_file}',
  'format' = 'json',
  'json.timestamp-format.standard' = 'SQL'
)
