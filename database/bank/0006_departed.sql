-- Who left stays in what is published, by his id and with no record, until CALL forget_departed('90 days'). A snapshot,
-- taken where the replication slot was lost, then tells that he left: a row that is gone could not.
-- Publishers of this version are wanted before this file is applied: older ones take such a row for a broken one.

ALTER TABLE published.alert_settings
    ALTER COLUMN record DROP NOT NULL,
    ADD COLUMN left_at timestamptz,
    ADD CHECK ((record IS NULL) = (left_at IS NOT NULL));
COMMENT ON COLUMN published.alert_settings.left_at IS 'When the customer left; null where he is there';

ALTER TABLE published.account_authorizations
    ALTER COLUMN record DROP NOT NULL,
    ADD COLUMN left_at timestamptz,
    ADD CHECK ((record IS NULL) = (left_at IS NOT NULL));
COMMENT ON COLUMN published.account_authorizations.left_at IS
    'When the last access right was withdrawn; null where somebody may see the account';

CREATE OR REPLACE FUNCTION published.publish() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    own xid8 := pg_current_xact_id();
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        -- It would not see what others committed while it waited, and write half a record.
        RAISE EXCEPTION 'customers and accounts are changed in READ COMMITTED transactions only'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;

    -- Of a thousand locks those of the marked ids, always in the same order, held until the commit is done. So
    -- many transactions at once never wait for each other in a circle, nor does a large one use up all locks.
    PERFORM pg_advisory_xact_lock(hashtext('published'), bucket)
    FROM (
        SELECT DISTINCT abs(hashtext(id) % 1000) AS bucket
        FROM published.marked WHERE transaction_id = own
        ORDER BY bucket
    ) AS buckets;

    -- Statements of their own: each sees all that was committed before it began. What did not change is not
    -- written again.
    INSERT INTO published.alert_settings AS there (customer_id, record)
    SELECT customer_id, record
    FROM published.current_settings
    WHERE customer_id IN (
        SELECT id FROM published.marked WHERE transaction_id = own AND kind = 'customer_id'
    )
    ON CONFLICT (customer_id) DO UPDATE SET record = excluded.record, left_at = NULL
        WHERE there.record IS DISTINCT FROM excluded.record;

    UPDATE published.alert_settings AS there SET record = NULL, left_at = now()
    FROM published.marked
    WHERE transaction_id = own AND kind = 'customer_id' AND customer_id = id AND record IS NOT NULL
        AND NOT EXISTS (SELECT FROM public.customers WHERE customers.customer_id = there.customer_id);

    INSERT INTO published.account_authorizations AS there (account_id, record)
    SELECT account_id, record
    FROM published.current_authorizations
    WHERE account_id IN (
        SELECT id FROM published.marked WHERE transaction_id = own AND kind = 'account_id'
    )
    ON CONFLICT (account_id) DO UPDATE SET record = excluded.record, left_at = NULL
        WHERE there.record IS DISTINCT FROM excluded.record;

    UPDATE published.account_authorizations AS there SET record = NULL, left_at = now()
    FROM published.marked
    WHERE transaction_id = own AND kind = 'account_id' AND account_id = id AND record IS NOT NULL
        AND NOT EXISTS (SELECT FROM public.access_rights WHERE access_rights.account_id = there.account_id);

    DELETE FROM published.marked WHERE transaction_id = own;
    DELETE FROM published.commits WHERE transaction_id = own;
    RETURN NULL;
END
$$;

-- Whose id need not be known any more, since change data capture has surely read that he left.
CREATE PROCEDURE forget_departed(older_than interval)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- Who comes back at this moment has his row locked, and is passed over.
    DELETE FROM published.alert_settings WHERE customer_id IN (
        SELECT customer_id FROM published.alert_settings WHERE left_at < now() - older_than FOR UPDATE SKIP LOCKED
    );
    DELETE FROM published.account_authorizations WHERE account_id IN (
        SELECT account_id FROM published.account_authorizations WHERE left_at < now() - older_than
        FOR UPDATE SKIP LOCKED
    );
END
$$;
REVOKE EXECUTE ON PROCEDURE forget_departed FROM PUBLIC;
