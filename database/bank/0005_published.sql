-- What the rest of the chain reads: whole records, one row for each customer and each account that anybody may see.
--
-- A change of a base table marks its customer or account, and the commit writes the whole records of all that its
-- transaction marked. So a record never shows half of a transaction. Two transactions that touch the same customer
-- commit one after the other: the second waits for the first, then reads what both changed.

CREATE SCHEMA published;

CREATE TABLE published.alert_settings (
    customer_id text PRIMARY KEY,
    record      jsonb NOT NULL
);
COMMENT ON TABLE published.alert_settings IS 'AlertSettings of every customer';

CREATE TABLE published.account_authorizations (
    account_id text PRIMARY KEY,
    record     jsonb NOT NULL
);
COMMENT ON TABLE published.account_authorizations IS 'AccountAuthorization of every account with access rights';

CREATE TABLE published.heartbeat (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    beat_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE published.heartbeat IS
    'Change data capture writes here, so that it gets on where nothing else changes';

-- The records as they are now; names, times and nulls are those of schemas/*.avsc.
CREATE VIEW published.current_settings AS
SELECT
    customer_id,
    jsonb_build_object(
        'customer_id', customer_id,
        'language', language,
        'time_zone', time_zone,
        'addresses', coalesce((
            SELECT jsonb_agg(
                jsonb_build_object('channel', channel, 'address', address) ORDER BY channel, address
            )
            FROM public.addresses AS own WHERE own.customer_id = customers.customer_id
        ), '[]'),
        'settings', coalesce((
            SELECT jsonb_agg(
                jsonb_build_object(
                    'setting_id', setting_id,
                    'account_id', account_id,
                    'currency', currency,
                    'alert_type', alert_type,
                    'channels', channels,
                    'threshold_minor', threshold_minor,
                    'count', count,
                    'window_minutes', window_minutes,
                    'snoozed_until', floor(extract(epoch FROM snoozed_until) * 1000)::bigint
                ) ORDER BY setting_id
            )
            FROM public.preferences AS own WHERE own.customer_id = customers.customer_id
        ), '[]'),
        'quiet_from', quiet_from,
        'quiet_to', quiet_to,
        'digest', digest
    ) AS record
FROM public.customers;

CREATE VIEW published.current_authorizations AS
SELECT
    account_id,
    jsonb_build_object(
        'account_id', account_id,
        'customer_ids', (
            SELECT jsonb_agg(customer_id ORDER BY customer_id)
            FROM public.access_rights AS own WHERE own.account_id = accounts.account_id
        )
    ) AS record
FROM public.accounts
WHERE EXISTS (SELECT FROM public.access_rights AS own WHERE own.account_id = accounts.account_id);

-- Whose records a transaction must write. It empties them again, so no other one ever sees a row of it.
CREATE UNLOGGED TABLE published.marked (
    transaction_id xid8 NOT NULL,
    kind           text NOT NULL,
    id             text NOT NULL,
    PRIMARY KEY (transaction_id, kind, id)
);
CREATE UNLOGGED TABLE published.commits (
    transaction_id xid8 PRIMARY KEY
);

-- Called with the kind, and the column that has the id, of the rows that a statement added, changed or deleted.
CREATE FUNCTION published.mark() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    marked bigint;
    kind text := TG_ARGV[0];
    rows_now text := CASE WHEN TG_OP IN ('INSERT', 'UPDATE') THEN format('SELECT %I FROM now_there', kind) END;
    rows_old text := CASE WHEN TG_OP IN ('UPDATE', 'DELETE') THEN format('SELECT %I FROM was_there', kind) END;
BEGIN
    EXECUTE format(
        'INSERT INTO published.marked SELECT pg_current_xact_id(), %L, id FROM (%s) AS touched (id) '
        'ON CONFLICT DO NOTHING',
        kind, concat_ws(' UNION ', rows_now, rows_old));
    GET DIAGNOSTICS marked = ROW_COUNT;
    IF marked > 0 THEN
        INSERT INTO published.commits VALUES (pg_current_xact_id()) ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;

DO $$
DECLARE
    base text;
    kind text;
BEGIN
    FOR base, kind IN VALUES
        ('customers', 'customer_id'), ('addresses', 'customer_id'), ('preferences', 'customer_id'),
        ('accounts', 'account_id'), ('access_rights', 'account_id')
    LOOP
        EXECUTE format(
            'CREATE TRIGGER mark_added AFTER INSERT ON %I REFERENCING NEW TABLE AS now_there '
            'FOR EACH STATEMENT EXECUTE FUNCTION published.mark(%L)', base, kind);
        EXECUTE format(
            'CREATE TRIGGER mark_changed AFTER UPDATE ON %I '
            'REFERENCING NEW TABLE AS now_there OLD TABLE AS was_there '
            'FOR EACH STATEMENT EXECUTE FUNCTION published.mark(%L)', base, kind);
        EXECUTE format(
            'CREATE TRIGGER mark_deleted AFTER DELETE ON %I REFERENCING OLD TABLE AS was_there '
            'FOR EACH STATEMENT EXECUTE FUNCTION published.mark(%L)', base, kind);
    END LOOP;
END
$$;

CREATE FUNCTION published.publish() RETURNS trigger
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
    INSERT INTO published.alert_settings AS there
    SELECT customer_id, record
    FROM published.current_settings
    WHERE customer_id IN (
        SELECT id FROM published.marked WHERE transaction_id = own AND kind = 'customer_id'
    )
    ON CONFLICT (customer_id) DO UPDATE SET record = excluded.record
        WHERE there.record IS DISTINCT FROM excluded.record;

    DELETE FROM published.alert_settings
    USING published.marked
    WHERE transaction_id = own AND kind = 'customer_id' AND customer_id = id
        AND NOT EXISTS (SELECT FROM public.customers WHERE customers.customer_id = id);

    INSERT INTO published.account_authorizations AS there
    SELECT account_id, record
    FROM published.current_authorizations
    WHERE account_id IN (
        SELECT id FROM published.marked WHERE transaction_id = own AND kind = 'account_id'
    )
    ON CONFLICT (account_id) DO UPDATE SET record = excluded.record
        WHERE there.record IS DISTINCT FROM excluded.record;

    DELETE FROM published.account_authorizations
    USING published.marked
    WHERE transaction_id = own AND kind = 'account_id' AND account_id = id
        AND NOT EXISTS (SELECT FROM public.access_rights WHERE access_rights.account_id = id);

    DELETE FROM published.marked WHERE transaction_id = own;
    DELETE FROM published.commits WHERE transaction_id = own;
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER publish AFTER INSERT ON published.commits
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION published.publish();

-- What change data capture reads. Deleted rows are known by their keys.
CREATE PUBLICATION alerts FOR TABLE
    published.alert_settings, published.account_authorizations, published.heartbeat, public.bookings
    WITH (publish = 'insert, update, delete');
