package peer;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** One alert for one address of one customer, and its encoding as OutboundAlert; the most important reason first. */
record Alert(
        String id,
        String customerId,
        Channel channel,
        String address,
        Booking booking,
        long raisedAt,
        String language,
        List<String[]> params,
        List<Reason> reasons) {

    /** A setting that was raised. */
    record Reason(String settingId, int type, long threshold) {
    }

    enum Channel {
        EMAIL, SMS, PUSH;

        static final Set<String> NAMES = Set.of("EMAIL", "SMS", "PUSH");
    }

    static final Serde<Alert> SERDE = Serdes.serdeFrom((topic, alert) -> alert.encode(), (topic, data) -> {
        throw new UnsupportedOperationException("alerts are written only");
    });

    private static final ThreadLocal<MessageDigest> DIGEST = ThreadLocal.withInitial(() -> {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    });
    private static final int ID_BYTES = 16;

    static Alert of(Booking booking, String customerId, String language, Channel channel, String address,
            List<String[]> params, List<Reason> reasons) {
        String id = id(booking.entryId(), customerId, channel.name(), address);
        return new Alert(
                id, customerId, channel, address, booking, System.currentTimeMillis(), language, params, reasons);
    }

    /** The same parts always give the same id, others another: each counts with its length. */
    private static String id(String... parts) {
        MessageDigest digest = DIGEST.get();
        for (String part : parts) {
            byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
            digest.update(ByteBuffer.allocate(4).putInt(bytes.length).flip());
            digest.update(bytes);
        }
        return HexFormat.of().formatHex(digest.digest(), 0, ID_BYTES);
    }

    private byte[] encode() {
        Writer out = new Writer();
        Reason first = reasons.get(0);
        out.text(id).text(customerId).text(channel.name()).text(address).text(Rules.TYPES.get(first.type))
                .text(booking.accountId()).text(booking.currency()).text(booking.entryId()).text(first.settingId)
                .number(booking.bookedAt).number(raisedAt).text(language);
        List<String[]> all = new ArrayList<>(params);
        all.add(new String[] {"threshold_minor", Long.toString(first.threshold)});
        out.items(all, param -> out.text(param[0]).text(param[1]));
        // Of a count setting, which there is none of here, the last two would not be null.
        return out.items(reasons, reason -> out.text(reason.settingId).text(Rules.TYPES.get(reason.type)).number(1)
                .number(reason.threshold).number(0).number(0)).bytes();
    }
}
