-- All that goes to the dead letters, and why. Of a record with invalid settings the valid ones apply.
CREATE TEMPORARY VIEW unusable_records AS
SELECT entry_key AS record_key, record, '${account_entries}' AS source_topic, source_partition, source_offset, reason
FROM entries
WHERE reason IS NOT NULL
UNION ALL
SELECT record_key, record, '${account_authorizations}', source_partition, source_offset, reason
FROM authorizations
WHERE reason IS NOT NULL
UNION ALL
SELECT record_key, record, '${alert_settings}', source_partition, source_offset, reason
FROM settings
WHERE reason IS NOT NULL
UNION ALL
SELECT record_key, record, '${alert_settings}', source_partition, source_offset, invalid
FROM invalid_settings
