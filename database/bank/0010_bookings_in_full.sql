-- Bookings that say more: the other side's name, the card, the amount before its conversion, and whether they take back an
-- earlier one. And bookings without a balance: the core system does not always know it.

ALTER TABLE bookings
    ALTER COLUMN balance_minor DROP NOT NULL,
    ADD COLUMN counterparty_name     text,
    ADD COLUMN card_last_four        text CHECK (card_last_four ~ '^[0-9]{4}$'),
    ADD COLUMN original_currency     text REFERENCES currencies,
    ADD COLUMN original_amount_minor bigint CHECK (original_amount_minor > 0),
    ADD COLUMN reversal              boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT an_original_amount_has_a_currency
        CHECK (original_amount_minor IS NULL OR original_currency IS NOT NULL) NOT VALID;
COMMENT ON COLUMN bookings.balance_minor IS
    'Signed balance of the account after this booking; null where the core system does not say';
COMMENT ON COLUMN bookings.counterparty_name IS 'Name of the other side';
COMMENT ON COLUMN bookings.original_amount_minor IS
    'Before its conversion, in the minor unit of original_currency';
COMMENT ON COLUMN bookings.reversal IS
    'Takes back an earlier booking; credit_debit is the way the money goes now';

ALTER TABLE bookings
    DROP CONSTRAINT texts_have_at_most_1048000_bytes,
    ADD CONSTRAINT texts_have_at_most_1048000_bytes CHECK (
        octet_length(concat(
            entry_id, account_id, merchant_id, merchant_name, counterparty, description, counterparty_name
        )) <= 1048000
    ) NOT VALID;
