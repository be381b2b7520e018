-- What analysts' rules found: a booking each, and the customer where the rule names one (else '': all who may see the
-- account). A row that a rule takes back is a tombstone, and means nothing: what was raised stays raised. Times are
-- milliseconds UTC; channels are those the rule wants, with commas ('': any).
CREATE TABLE rule_hits (
  rule            STRING NOT NULL,
  entry_id        STRING NOT NULL,
  customer_id     STRING NOT NULL,
  account_id      STRING NOT NULL,
  currency        STRING NOT NULL,
  amount_minor    BIGINT NOT NULL,
  balance_minor   BIGINT,
  booked_at       BIGINT NOT NULL,
  written_at      BIGINT NOT NULL,
  threshold_minor BIGINT,
  channels        STRING NOT NULL,
  per_minute      INT NOT NULL,
  PRIMARY KEY (rule, entry_id, customer_id) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = '${rule_hits}',
  ${kafka_client}
  ${kafka_producer}
  'key.format' = 'json',
  'value.format' = 'json',
  'value.fields-include' = 'ALL'
)
