-- Alerts on their way to the customer: one sink for all channels and for what is held back, each row names its topic. Times
-- are UTC; Flink's registry format writes only those without a zone as the contract's timestamp-millis.
CREATE TABLE outbound_alerts (
  customer_key STRING NOT NULL,
  alert_id     STRING NOT NULL,
  customer_id  STRING NOT NULL,
  channel      STRING NOT NULL,
  address      STRING NOT NULL,
  alert_type   STRING NOT NULL,
  account_id   STRING NOT NULL,
  currency     STRING NOT NULL,
  entry_id     STRING NOT NULL,
  setting_id   STRING NOT NULL,
  booked_at    TIMESTAMP(3) NOT NULL,
  raised_at    TIMESTAMP(3) NOT NULL,
  `language`   STRING NOT NULL,
  params       MAP<STRING NOT NULL, STRING NOT NULL> NOT NULL,
  reasons      ARRAY<ROW<
    setting_id      STRING NOT NULL,
    alert_type      STRING NOT NULL,
    threshold_minor BIGINT,
    `count`         INT,
    window_minutes  INT
  > NOT NULL> NOT NULL,
  topic        STRING NOT NULL METADATA
) WITH (
  'connector' = 'kafka',
  'topic' = '${outbound_email};${outbound_sms};${outbound_push};${outbound_device_push};${quarantined_alerts}',
  ${kafka_client}
  ${kafka_producer}
  'key.format' = 'raw',
  'key.fields' = 'customer_key',
  ${encoding}
  'value.fields-include' = 'EXCEPT_KEY'
)
