package peer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.function.Consumer;

/** Writes Avro binary. */
final class Writer {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream(320);

    Writer number(long value) {
        long rest = value << 1 ^ value >> 63;
        for (; (rest & ~0x7FL) != 0; rest >>>= 7) {
            out.write((int) (rest & 0x7F | 0x80));
        }
        out.write((int) rest);
        return this;
    }

    Writer text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        number(bytes.length);
        return raw(bytes, 0, bytes.length);
    }

    /** Bytes that are Avro binary already. */
    Writer raw(byte[] data, int from, int to) {
        out.write(data, from, to - from);
        return this;
    }

    /** An array or a map, in one block. */
    <T> Writer items(Collection<T> items, Consumer<T> write) {
        if (!items.isEmpty()) {
            number(items.size());
            items.forEach(write);
        }
        return number(0);
    }

    byte[] bytes() {
        return out.toByteArray();
    }
}
