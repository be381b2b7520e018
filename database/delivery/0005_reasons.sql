-- The settings of an alert's other reasons; setting_id is that of the first. Personal, and null when erased.
--
-- Null where there is one reason, as in all rows that were written before.

ALTER TABLE deliveries ADD COLUMN other_setting_ids text[];
