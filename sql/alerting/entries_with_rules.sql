-- A booking with everything that was asked for about its account.
CREATE TEMPORARY VIEW entries_with_rules AS
SELECT good_entries.*, a.rules, a.counted
FROM good_entries
JOIN alert_rules FOR SYSTEM_TIME AS OF good_entries.rules_time AS a ON a.account_id = good_entries.account_id
