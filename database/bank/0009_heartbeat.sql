-- Counts the beats of change data capture: where one does not come out, the changes around it did not, either.
ALTER TABLE published.heartbeat ADD COLUMN beats bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN published.heartbeat.beats IS 'How often it was written; a number that is missed means lost changes';
