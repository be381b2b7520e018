package alerts.temporal;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.metrics.Counter;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.utils.JoinedRowData;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/**
 * Records of settings to the valid settings of each account ({@link Rows#CUSTOMER}); an unusable record leaves its place in
 * Kafka and an empty customer_id. A record with an invalid setting goes to a side output, too, with the reason; the rule is
 * account_alerts/records/settings.py's, which gives the lists.
 */
final class CheckSettings extends ProcessFunction<RowData, RowData> {
    private static final long serialVersionUID = 1;

    /**
     * Of the data contract: channels, how many of them, the types of settings by what they need, and what each of
     * {@link #FIELDS} may hold.
     */
    record Lists(
            Set<String> channels, int mostChannels, Set<String> amountTypes, Set<String> countTypes,
            Set<String> otherTypes, List<Set<String>> fields)
            implements Serializable {}

    /** Places in a record of settings, also of {@link #FIELDS}. */
    record Fields(
            int customer, int language, int addresses, int settings, int written, int partition, int offset, int record,
            int reason, List<Integer> fields)
            implements Serializable {}

    /** The customer's own fields whose values are checked. */
    static final List<String> FIELDS = List.of("time_zone", "quiet_from", "quiet_to", "digest");

    private static final int SETTING_FIELDS = 9;

    private final Lists lists;
    private final Fields at;
    private final OutputTag<RowData> invalid;
    private transient Counter unknownTypes;

    CheckSettings(Lists lists, Fields at, OutputTag<RowData> invalid) {
        this.lists = lists;
        this.at = at;
        this.invalid = invalid;
    }

    @Override
    public void open(OpenContext context) {
        unknownTypes = getRuntimeContext().getMetricGroup().counter("account_alerts_alerting_unknown_alert_types_total");
    }

    @Override
    public void processElement(RowData record, Context context, Collector<RowData> out) {
        Map<StringData, List<RowData>> amounts = new LinkedHashMap<>();
        Map<StringData, List<RowData>> counts = new LinkedHashMap<>();
        List<String> skipped = new ArrayList<>();
        ArrayData settings = isEmpty(record) ? array(null) : record.getArray(at.settings);
        for (int each = 0; each < settings.size(); each++) {
            RowData setting = settings.getRow(each, SETTING_FIELDS);
            String type = setting.getString(3).toString();
            boolean counting = lists.countTypes.contains(type);
            if (lists.otherTypes.contains(type)) {
                continue;
            } else if (!counting && !lists.amountTypes.contains(type)) {
                unknownTypes.inc();
            } else if (isValid(setting, counting)) {
                Map<StringData, List<RowData>> valid = counting ? counts : amounts;
                valid.computeIfAbsent(setting.getString(1), none -> new ArrayList<>()).add(GenericRowData.of(
                        setting.getString(0), setting.getString(3), setting.getString(2),
                        setting.isNullAt(5) ? null : setting.getLong(5), setting.isNullAt(6) ? null : setting.getInt(6),
                        setting.isNullAt(7) ? null : setting.getInt(7), setting.getArray(4)));
            } else {
                skipped.add(setting.getString(0).toString());
            }
        }
        if (!isEmpty(record)) {
            skipped.addAll(invalidFields(record));
        }
        if (!skipped.isEmpty()) {
            String reason = "invalid settings: " + String.join(", ", skipped);
            context.output(invalid, new JoinedRowData(record, GenericRowData.of(StringData.fromString(reason))));
        }
        out.collect(customer(record, amounts, counts));
    }

    private List<String> invalidFields(RowData record) {
        List<String> invalid = new ArrayList<>();
        for (int each = 0; each < FIELDS.size(); each++) {
            int place = at.fields.get(each);
            if (!record.isNullAt(place) && !lists.fields.get(each).contains(record.getString(place).toString())) {
                invalid.add(FIELDS.get(each));
            }
        }
        return invalid;
    }

    private boolean isValid(RowData setting, boolean counting) {
        if (setting.getString(0).toString().isEmpty() || setting.getString(1).toString().isEmpty()) {
            return false;
        }
        ArrayData channels = setting.getArray(4);
        if (channels.size() > lists.mostChannels) {
            return false;
        }
        for (int each = 0; each < channels.size(); each++) {
            if (!lists.channels.contains(channels.getString(each).toString())) {
                return false;
            }
        }
        return counting ? !setting.isNullAt(6) && !setting.isNullAt(7) : !setting.isNullAt(5);
    }

    private RowData customer(
            RowData record, Map<StringData, List<RowData>> amounts, Map<StringData, List<RowData>> counts) {
        Map<StringData, Object> byAccount = new LinkedHashMap<>();
        ArrayData addresses = isEmpty(record) ? array(null) : record.getArray(at.addresses);
        Object[] channels = new Object[addresses.size()];
        Object[] reachedAt = new Object[channels.length];
        for (int each = 0; each < channels.length; each++) {
            channels[each] = addresses.getRow(each, 2).getString(0);
            reachedAt[each] = addresses.getRow(each, 2).getString(1);
        }
        for (Collection<StringData> accounts : List.of(amounts.keySet(), counts.keySet())) {
            for (StringData account : accounts) {
                byAccount.computeIfAbsent(account, any -> GenericRowData.of(
                        record.getString(at.language), new GenericArrayData(channels), new GenericArrayData(reachedAt),
                        byCurrency(amounts.get(account)), array(counts.get(account))));
            }
        }
        return GenericRowData.of(
                record.isNullAt(at.reason) ? record.getString(at.customer) : StringData.fromString(""), record.getLong(at.written),
                record.getInt(at.partition), record.getLong(at.offset), new GenericArrayData(byAccount.keySet().toArray()), new GenericArrayData(byAccount.values().toArray()));
    }

    /** A tombstone, or unusable. */
    private boolean isEmpty(RowData record) {
        return record.isNullAt(at.record) || !record.isNullAt(at.reason);
    }

    private static GenericArrayData byCurrency(List<RowData> settings) {
        Map<StringData, List<RowData>> byCurrency = new LinkedHashMap<>();
        for (RowData setting : settings == null ? List.<RowData>of() : settings) {
            byCurrency.computeIfAbsent(setting.getString(Rows.SETTING_CURRENCY), none -> new ArrayList<>()).add(setting);
        }
        List<RowData> rows = new ArrayList<>();
        byCurrency.forEach((currency, each) -> rows.add(GenericRowData.of(currency, array(each))));
        return array(rows);
    }

    private static GenericArrayData array(List<RowData> rows) {
        return new GenericArrayData(rows == null ? new Object[0] : rows.toArray());
    }
}
