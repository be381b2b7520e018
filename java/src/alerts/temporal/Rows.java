package alerts.temporal;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;

/** The rows that pass between the operators of the alerting job; savepoints have them. */
final class Rows {
    private static final DataType TEXT = DataTypes.STRING().notNull();
    private static final DataType TEXTS = DataTypes.ARRAY(TEXT).notNull();

    /** A valid setting. */
    static final DataType SETTING = row(
            DataTypes.FIELD("setting_id", TEXT),
            DataTypes.FIELD("alert_type", TEXT),
            DataTypes.FIELD("setting_currency", TEXT),
            DataTypes.FIELD("threshold_minor", DataTypes.BIGINT()),
            DataTypes.FIELD("count", DataTypes.INT()),
            DataTypes.FIELD("window_minutes", DataTypes.INT()),
            DataTypes.FIELD("channels", TEXTS));

    static final int SETTING_FIELDS = 7;
    static final int SETTING_ID = 0;
    static final int ALERT_TYPE = 1;
    static final int SETTING_CURRENCY = 2;
    static final int THRESHOLD = 3;
    static final int COUNT = 4;
    static final int WINDOW_MINUTES = 5;
    static final int CHANNELS = 6;

    /** Together, so that a booking's currency is compared once. */
    private static final DataType OF_CURRENCY =
            row(DataTypes.FIELD("currency", TEXT), DataTypes.FIELD("settings", DataTypes.ARRAY(SETTING).notNull()));

    static final int OF_CURRENCY_FIELDS = 2;

    /** A customer's valid settings for one account: those about amounts, by currency, and those that count. */
    static final RowType ACCOUNT_SETTINGS = type(row(
            DataTypes.FIELD("language", TEXT),
            DataTypes.FIELD("address_channels", TEXTS),
            DataTypes.FIELD("addresses", TEXTS),
            DataTypes.FIELD("amounts", DataTypes.ARRAY(OF_CURRENCY).notNull()),
            DataTypes.FIELD("counts", DataTypes.ARRAY(SETTING).notNull())));

    static final int LANGUAGE = 0;
    static final int ADDRESS_CHANNELS = 1;
    static final int ADDRESSES = 2;
    static final int AMOUNTS = 3;
    static final int COUNTS = 4;

    /** A customer's valid settings by account, none where the customer has left; without a customer: no change. */
    static final RowType CUSTOMER = type(row(
            DataTypes.FIELD("customer_id", TEXT),
            DataTypes.FIELD("since", DataTypes.BIGINT().notNull()),
            DataTypes.FIELD("source_partition", DataTypes.INT().notNull()),
            DataTypes.FIELD("source_offset", DataTypes.BIGINT().notNull()),
            DataTypes.FIELD("account_ids", TEXTS),
            DataTypes.FIELD("settings", DataTypes.ARRAY(DataTypes.of(ACCOUNT_SETTINGS)).notNull())));

    /** Who may see an account. */
    static final RowType AUTHORIZED = type(row(DataTypes.FIELD("customer_ids", TEXTS)));

    /** What the join keeps by name: who may see the account, or what a customer asked for. */
    static final RowType HELD = type(row(
            DataTypes.FIELD("customer_ids", DataTypes.ARRAY(TEXT)),
            DataTypes.FIELD("settings", DataTypes.of(ACCOUNT_SETTINGS.copy(true)))));

    /** Who may see an account from a time on, nobody where it is null; without an account: no change. */
    static final RowType AUTHORIZATION = type(row(
            DataTypes.FIELD("account_id", TEXT),
            DataTypes.FIELD("since", DataTypes.BIGINT().notNull()),
            DataTypes.FIELD("source_partition", DataTypes.INT().notNull()),
            DataTypes.FIELD("source_offset", DataTypes.BIGINT().notNull()),
            DataTypes.FIELD("authorized", DataTypes.of(AUTHORIZED.copy(true)))));

    /** A change of one account: of what a customer asked for, or without a customer of who may see it. */
    static final RowType CHANGE = type(row(
            DataTypes.FIELD("account_id", TEXT),
            DataTypes.FIELD("since", DataTypes.BIGINT().notNull()),
            DataTypes.FIELD("customer_id", DataTypes.STRING()),
            DataTypes.FIELD("settings", DataTypes.of(ACCOUNT_SETTINGS.copy(true))),
            DataTypes.FIELD("authorized", DataTypes.of(AUTHORIZED.copy(true)))));

    /** Whose a setting is. */
    static final RowType CANDIDATE_CUSTOMER = type(row(
            DataTypes.FIELD("customer_id", TEXT),
            DataTypes.FIELD("language", TEXT),
            DataTypes.FIELD("address_channels", TEXTS),
            DataTypes.FIELD("addresses", TEXTS)));

    /** Why an alert was raised. */
    private static final DataType REASON = row(
            DataTypes.FIELD("setting_id", TEXT),
            DataTypes.FIELD("alert_type", TEXT),
            DataTypes.FIELD("threshold_minor", DataTypes.BIGINT()),
            DataTypes.FIELD("count", DataTypes.INT()),
            DataTypes.FIELD("window_minutes", DataTypes.INT()));

    private Rows() {}

    /**
     * A booking beside a setting and whose it is; without them it ends the rows of the booking. The fields of booking and
     * setting are columns, so that SQL compares them without a copy of either, and each is a column as a whole.
     */
    static RowType candidate(RowType booking) {
        List<RowType.RowField> right = new ArrayList<>();
        for (RowType.RowField field : type(SETTING).getFields()) {
            right.add(new RowType.RowField(field.getName(), field.getType().copy(true)));
        }
        right.add(new RowType.RowField("booking", booking.copy(true)));
        right.add(new RowType.RowField("customer", CANDIDATE_CUSTOMER.copy(true)));
        right.add(new RowType.RowField("setting", SETTING.nullable().getLogicalType()));
        right.add(new RowType.RowField("ended", DataTypes.BOOLEAN().notNull().getLogicalType()));
        return joined(booking, right.toArray(new RowType.RowField[0]));
    }

    /** A booking, a customer, the channels on which they are told, and for each the reasons. */
    static RowType raised(RowType booking) {
        return type(row(
                DataTypes.FIELD("booking", DataTypes.of(booking.copy(false))),
                DataTypes.FIELD("customer", DataTypes.of(CANDIDATE_CUSTOMER)),
                DataTypes.FIELD("channels", TEXTS),
                DataTypes.FIELD("reasons", DataTypes.MAP(TEXT, DataTypes.ARRAY(REASON).notNull()).notNull())));
    }

    static RowType joined(RowType left, RowType.RowField... right) {
        List<RowType.RowField> fields = new ArrayList<>(left.getFields());
        fields.addAll(List.of(right));
        return new RowType(false, fields);
    }

    static InternalTypeInfo<RowData> info(RowType type) {
        return InternalTypeInfo.of(type);
    }

    private static DataType row(DataTypes.Field... fields) {
        return DataTypes.ROW(fields).notNull();
    }

    private static RowType type(DataType row) {
        return (RowType) row.getLogicalType();
    }
}
