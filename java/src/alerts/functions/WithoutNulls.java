package alerts.functions;

import java.util.HashMap;
import java.util.Map;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.GenericMapData;
import org.apache.flink.table.data.MapData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.functions.ScalarFunction;

/** For SQL: a map of texts without the entries that are null. */
public final class WithoutNulls extends ScalarFunction {
    private static final long serialVersionUID = 1;

    /** Returns the entries that have a value. */
    public @DataTypeHint(value = "MAP<STRING NOT NULL, STRING NOT NULL> NOT NULL", bridgedTo = MapData.class) MapData eval(
            @DataTypeHint(value = "MAP<STRING, STRING>", bridgedTo = MapData.class) MapData map) {
        ArrayData keys = map.keyArray();
        ArrayData values = map.valueArray();
        Map<StringData, StringData> left = new HashMap<>();
        for (int place = 0; place < map.size(); place++) {
            if (!values.isNullAt(place)) {
                left.put(keys.getString(place), values.getString(place));
            }
        }
        return new GenericMapData(left);
    }
}
