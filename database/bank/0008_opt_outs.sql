-- Which numbers want no more SMS: the truth about STOP and START, whoever was told (docs/concepts/delivery.md).
--
-- By number, and no part of a customer's record: a number may be several customers', and no change of a customer
-- brings SMS back. Senders write what comes by SMS; the bank writes what its branches and its application are told.
-- That a number gets SMS again is `stopped = false`; only a number that is to be forgotten is deleted.
-- The publishers of this version make the connector read the table; start them before the senders.

CREATE TABLE sms_opt_outs (
    number     text PRIMARY KEY CHECK (number ~ '^[1-9][0-9]{6,14}$'),
    stopped    boolean NOT NULL,
    changed_at timestamptz(3) NOT NULL DEFAULT clock_timestamp() CHECK (isfinite(changed_at)),
    source     text NOT NULL DEFAULT 'BANK' CHECK (source <> '' AND octet_length(source) <= 1000)
);
COMMENT ON COLUMN sms_opt_outs.number IS 'E.164 without +';
COMMENT ON COLUMN sms_opt_outs.changed_at IS 'When the customer said so; the later word counts';
COMMENT ON COLUMN sms_opt_outs.source IS 'Who was told: SMS, or whom the bank names, such as BRANCH or APP';

CREATE FUNCTION note_time_of_opt_out() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.stopped <> OLD.stopped AND NEW.changed_at = OLD.changed_at THEN
        NEW.changed_at := greatest(clock_timestamp(), OLD.changed_at + interval '1 ms');
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION note_time_of_opt_out IS 'Who changes a row and says no time changes it now';

CREATE TRIGGER note_time BEFORE UPDATE ON sms_opt_outs
    FOR EACH ROW EXECUTE FUNCTION note_time_of_opt_out();
CREATE TRIGGER note_added AFTER INSERT ON sms_opt_outs REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION note_added();
CREATE TRIGGER note_changed AFTER UPDATE OR DELETE ON sms_opt_outs
    FOR EACH ROW EXECUTE FUNCTION note_changed();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON sms_opt_outs
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

ALTER PUBLICATION alerts ADD TABLE sms_opt_outs;
