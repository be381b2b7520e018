package peer;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/** Reads Avro binary where it stands: no objects are made for what is only looked at. */
final class Cursor {
    final byte[] data;
    int at;

    Cursor(byte[] data) {
        this.data = data;
    }

    /** Bytes that are not what the schema says. */
    static final class BadRecord extends RuntimeException {
        BadRecord(String message) {
            super(message, null, false, false);
        }
    }

    boolean atEnd() {
        return at == data.length;
    }

    long readLong() {
        byte[] bytes = data;
        int place = at;
        int end = bytes.length;
        long raw = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (place >= end) {
                throw new BadRecord("ends within a number");
            }
            byte next = bytes[place++];
            raw |= (long) (next & 0x7F) << shift;
            if (next >= 0) {
                if (shift == 63 && next > 1) {
                    break;
                }
                at = place;
                return raw >>> 1 ^ -(raw & 1);
            }
        }
        throw new BadRecord("a number of more than 64 bits");
    }

    /** The length of a string, after which the cursor stands at its first byte; all of it is there. */
    int readLength() {
        long length = readLong();
        if (length < 0 || length > data.length - at) {
            throw new BadRecord("a string of an impossible length");
        }
        return (int) length;
    }

    void skipString() {
        int length = readLength();
        at += length;
    }

    /** How many items come in this block of an array; 0 after its last. */
    int readBlock() {
        long count = readLong();
        if (count < 0) {
            readLong();
            count = -count;
        }
        if (count < 0 || count > data.length - at) {
            throw new BadRecord("an array of an impossible length");
        }
        return (int) count;
    }

    /** Pass a string that must be UTF-8. */
    void checkString() {
        int length = readLength();
        checkText(at, length);
        at += length;
    }

    void checkText(int from, int length) {
        int all = 0;
        for (int place = from; place < from + length; place++) {
            all |= data[place];
        }
        if (all < 0) {
            try {
                StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(data, from, length));
            } catch (CharacterCodingException e) {
                throw new BadRecord("a string that is not UTF-8");
            }
        }
    }

    String text(int from, int length) {
        return new String(data, from, length, StandardCharsets.UTF_8);
    }

    String readString() {
        int length = readLength();
        String text = text(at, length);
        at += length;
        return text;
    }

    /** A string that must be UTF-8. */
    String readText() {
        int length = readLength();
        checkText(at, length);
        at += length;
        return text(at - length, length);
    }

    <T> List<T> readList(Supplier<T> item) {
        List<T> items = new ArrayList<>();
        for (int count = readBlock(); count > 0; count = readBlock()) {
            for (; count > 0; count--) {
                items.add(item.get());
            }
        }
        return items;
    }

    <T> T readNullable(Supplier<T> value) {
        long branch = readLong();
        if (branch != 0 && branch != 1) {
            throw new BadRecord("neither null nor a value");
        }
        return branch == 0 ? null : value.get();
    }

    void mustEnd() {
        if (!atEnd()) {
            throw new BadRecord(data.length - at + " bytes are left over");
        }
    }

    static String text(byte[] data) {
        return new String(data, StandardCharsets.UTF_8);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Read a string and say whether it is the given bytes. */
    boolean readEquals(byte[] other, int from, int length) {
        int own = readLength();
        int place = at;
        at += own;
        return own == length && Arrays.equals(data, place, place + own, other, from, from + length);
    }
}
