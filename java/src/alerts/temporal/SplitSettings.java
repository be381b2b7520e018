package alerts.temporal;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.BasicArrayTypeInfo;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.util.Collector;

/** A customer's settings to changes of the accounts that they name or have named; keyed by customer. */
final class SplitSettings extends KeyedProcessFunction<String, RowData, RowData> {
    private static final long serialVersionUID = 1;

    private transient ValueState<String[]> named;

    @Override
    public void open(OpenContext context) {
        named = getRuntimeContext()
                .getState(new ValueStateDescriptor<>("named-accounts", BasicArrayTypeInfo.STRING_ARRAY_TYPE_INFO));
    }

    @Override
    public void processElement(RowData customer, Context context, Collector<RowData> out) throws Exception {
        ArrayData accounts = customer.getArray(4);
        ArrayData settings = customer.getArray(5);
        String[] before = named.value();
        String[] now = new String[accounts.size()];
        Map<String, RowData> changes = new LinkedHashMap<>();
        if (before != null) {
            Arrays.asList(before).forEach(account -> changes.put(account, null));
        }
        for (int each = 0; each < now.length; each++) {
            now[each] = accounts.getString(each).toString();
            changes.put(now[each], settings.getRow(each, Rows.ACCOUNT_SETTINGS.getFieldCount()));
        }
        changes.forEach((account, asked) -> out.collect(GenericRowData.of(
                StringData.fromString(account), customer.getLong(1), customer.getString(0), asked, null)));
        if (now.length == 0) {
            named.clear();
        } else if (!Arrays.equals(now, before)) {
            named.update(now);
        }
    }
}
