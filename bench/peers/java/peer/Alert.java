package peer;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** One alert for one address of one customer, and its encoding as OutboundAlert. */
record Alert(
        String id,
        String customerId,
        Channel channel,
        String address,
        String type,
        String accountId,
        String currency,
        String entryId,
        String settingId,
        long bookedAt,
        long raisedAt,
        String language,
        long threshold,
        long amount,
        long balance) {

    enum Channel {
        EMAIL, SMS, PUSH;

        static final Set<String> NAMES = Set.of("EMAIL", "SMS", "PUSH");
    }

    private record Param(String name, long value) {
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

    static Alert of(Booking booking, String customerId, String language, String type, long threshold,
            String settingId, Channel channel, String address) {
        String entryId = booking.entryId();
        String id = id(entryId, customerId, settingId, channel.name(), address);
        return new Alert(id, customerId, channel, address, type, booking.accountId(), booking.currency(), entryId,
                settingId, booking.bookedAt, System.currentTimeMillis(), language, threshold, booking.amount,
                booking.balance);
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
        out.text(id).text(customerId).text(channel.name()).text(address).text(type).text(accountId).text(currency)
                .text(entryId).text(settingId).number(bookedAt).number(raisedAt).text(language);
        return out.items(List.of(new Param("threshold_minor", threshold), new Param("amount_minor", amount),
                new Param("balance_minor", balance)), param -> out.text(param.name).text(Long.toString(param.value)))
                .bytes();
    }
}
