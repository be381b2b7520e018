package alerts.format;

import java.io.IOException;

/** The record cannot be read, now or later; the message is its reason in the dead-letter topic. */
final class BrokenRecord extends IOException {
    private static final long serialVersionUID = 1L;

    BrokenRecord(String reason) {
        super(reason);
    }

    /** Thrown per bad record: a stack trace would cost more than the record. */
    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }
}
