-- Bookings of the core banking system. They are added, never changed.

CREATE TABLE bookings (
    entry_id          text PRIMARY KEY CHECK (entry_id <> ''),
    account_id        text NOT NULL REFERENCES accounts,
    currency          text NOT NULL REFERENCES currencies,
    amount_minor      bigint NOT NULL CHECK (amount_minor > 0),
    credit_debit      text NOT NULL CHECK (credit_debit IN ('CRDT', 'DBIT')),
    balance_minor     bigint NOT NULL,
    booked_at         timestamptz(3) NOT NULL DEFAULT now() CHECK (isfinite(booked_at)),
    entry_type        text NOT NULL CHECK (entry_type IN (
        'CARD', 'TRANSFER', 'CASH', 'DIRECT_DEBIT', 'INTEREST', 'FEE', 'OTHER'
    )),
    merchant_id       text,
    merchant_name     text,
    merchant_category text CHECK (merchant_category ~ '^[0-9]{4}$'),
    country           text CHECK (country ~ '^[A-Z]{2}$'),
    counterparty      text,
    description       text
);
CREATE INDEX ON bookings (account_id, booked_at);
COMMENT ON COLUMN bookings.amount_minor IS 'In the currency''s minor unit; credit_debit says which way';
COMMENT ON COLUMN bookings.balance_minor IS 'Signed balance of the account after this booking';
COMMENT ON COLUMN bookings.merchant_category IS 'ISO 18245';
COMMENT ON COLUMN bookings.country IS 'ISO 3166-1 alpha-2';

CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is not possible on %', TG_OP, TG_TABLE_NAME
        USING HINT = 'Bookings are added and, when they are old, deleted; tables are emptied by DELETE.';
END
$$;

CREATE TRIGGER never_changed BEFORE UPDATE ON bookings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
