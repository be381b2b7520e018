package alerts.format;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.functions.TableFunction;
import org.apache.flink.types.Row;

/**
 * The SQL function dead_letter: the row of the table dead_letters for a record that cannot be used. Of what is longer than
 * that topic takes it has the first part, and headers with the size and the SHA-256 of the whole. The same in Python:
 * account_alerts/kafka/dead_letters.py.
 */
@FunctionHint(
        output =
                @DataTypeHint(
                        "ROW<record_key BYTES, record_value BYTES, headers MAP<STRING NOT NULL, BYTES> NOT NULL>"))
public final class DeadLetter extends TableFunction<Row> {
    private static final long serialVersionUID = 1L;

    public void eval(
            byte[] key,
            byte[] record,
            String topic,
            Integer partition,
            Long offset,
            String reason,
            Integer longestKey,
            Integer longestRecord,
            Integer longestReason) {
        Map<String, byte[]> headers = new HashMap<>();
        headers.put("source.topic", bytes(topic));
        headers.put("source.partition", bytes(String.valueOf(partition)));
        headers.put("source.offset", bytes(String.valueOf(offset)));
        headers.put("reason", bytes(reason.length() <= longestReason ? reason : reason.substring(0, longestReason)));
        collect(Row.of(cut("key", key, longestKey, headers), cut("record", record, longestRecord, headers), headers));
    }

    private static byte[] cut(String what, byte[] bytes, int longest, Map<String, byte[]> headers) {
        if (bytes == null || bytes.length <= longest) {
            return bytes;
        }
        headers.put(what + ".size", bytes(String.valueOf(bytes.length)));
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
            headers.put(what + ".sha256", bytes(HexFormat.of().formatHex(hash)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
        return Arrays.copyOf(bytes, longest);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
