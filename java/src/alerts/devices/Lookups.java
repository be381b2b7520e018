package alerts.devices;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.SimpleCounter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which customers are asked for, when, and with whom: a customer is asked for once at a time, however many alerts wait
 * for them; those who wait while all calls are in flight are asked for together; a call that fails is tried again for
 * ever, after a longer and longer pause. What was answered holds for a while, that there is no device too.
 */
final class Lookups implements AutoCloseable {
    /** How long to wait after a failed attempt: from the first pause doubling 'attempts' times, then always the longest. */
    static final class Patience {
        static final long FIRST_PAUSE = 50;

        private final int attempts;
        private final long longestPause;

        Patience(int attempts, long longestPause) {
            this.attempts = attempts;
            this.longestPause = longestPause;
        }

        /** Milliseconds after so many failed attempts; 'chance', from 0 to 1, spreads them over the upper half. */
        long pause(int failed, double chance) {
            boolean quick = failed < attempts && failed < 30;
            long whole = quick ? Math.min(FIRST_PAUSE << (failed - 1), longestPause) : longestPause;
            return whole / 2 + (long) (whole / 2 * chance);
        }

        boolean isOver(int failed) {
            return failed == attempts;
        }
    }

    /** Customers in one call, at most: what the service takes. */
    static final int BATCH = 100;

    private static final Logger LOG = LoggerFactory.getLogger(Lookups.class);
    private static final int MOST_KNOWN = 200_000;

    private static final class Customer {
        final String id;
        final long since = System.nanoTime();
        final List<Consumer<String>> askers = new ArrayList<>();
        int failed;
        /** The largest call this customer may be in: smaller after each refusal, so that one spoils no other. */
        int company = BATCH;

        Customer(String id) {
            this.id = id;
        }
    }

    private static final class Known {
        final String devices;
        final long since;

        Known(String devices, long since) {
            this.devices = devices;
            this.since = since;
        }
    }

    private final DeviceService service;
    private final Patience patience;
    private final int inFlight;
    private final long cacheNanos;
    private final ScheduledExecutorService timer;
    private final Counter asked = new SimpleCounter();
    private final Counter called = new SimpleCounter();
    private final Counter failed = new SimpleCounter();

    /** Whom alerts wait for, the longest first; 'queue' are those of them who are in no call and in no pause. */
    private final Map<String, Customer> waiting = new LinkedHashMap<>();

    private final Deque<Customer> queue = new ArrayDeque<>();
    private final Map<String, Known> known = new LinkedHashMap<>();
    private int calls;
    private boolean closed;

    Lookups(DeviceService service, Patience patience, int inFlight, long cache, MetricGroup metrics) {
        this.service = service;
        this.patience = patience;
        this.inFlight = inFlight;
        this.cacheNanos = TimeUnit.MILLISECONDS.toNanos(cache);
        this.timer = Executors.newSingleThreadScheduledExecutor(work -> {
            Thread thread = new Thread(work, "device look-ups");
            thread.setDaemon(true);
            return thread;
        });
        metrics.counter("account_alerts_device_resolver_requested_customers_total", asked);
        metrics.counter("account_alerts_device_resolver_calls_total", called);
        metrics.counter("account_alerts_device_resolver_failed_calls_total", failed);
        metrics.gauge("account_alerts_device_resolver_waiting_customers", (Gauge<Integer>) this::howManyWait);
        metrics.gauge("account_alerts_device_resolver_longest_wait_milliseconds", (Gauge<Long>) this::longestWait);
    }

    /** Have the asker told the customer's devices, now or later; those who ask for one customer are told in order. */
    synchronized void ask(String customer, Consumer<String> asker) {
        Known answer = known.get(customer);
        if (answer != null && System.nanoTime() - answer.since < cacheNanos) {
            asker.accept(answer.devices);
            return;
        }
        Customer wanted = waiting.get(customer);
        if (wanted == null) {
            wanted = new Customer(customer);
            waiting.put(customer, wanted);
            queue.add(wanted);
            asked.inc();
        }
        wanted.askers.add(asker);
        send();
    }

    private void send() {
        while (!closed && calls < inFlight && !queue.isEmpty()) {
            Map<String, Customer> together = new LinkedHashMap<>();
            int most = queue.peek().company;
            while (!queue.isEmpty() && together.size() < Math.min(most, queue.peek().company)) {
                Customer next = queue.remove();
                most = Math.min(most, next.company);
                together.put(next.id, next);
            }
            calls++;
            called.inc();
            long since = System.nanoTime();
            service.lookup(together.keySet())
                    .whenComplete((answer, error) -> answered(together, since, answer, error));
        }
    }

    private synchronized void answered(
            Map<String, Customer> together, long since, Map<String, String> answer, Throwable error) {
        calls--;
        if (closed) {
            return;
        }
        if (error == null) {
            together.values().forEach(customer -> tell(customer, answer.get(customer.id), since));
            forget();
        } else {
            failed.inc();
            together.values().forEach(customer -> tryLater(customer, together.size(), error));
        }
        send();
    }

    private void tell(Customer customer, String devices, long since) {
        waiting.remove(customer.id);
        known.remove(customer.id); // So that the oldest stand first.
        known.put(customer.id, new Known(devices, since));
        customer.askers.forEach(asker -> asker.accept(devices));
    }

    private void tryLater(Customer customer, int company, Throwable error) {
        Throwable cause = error instanceof CompletionException ? error.getCause() : error;
        customer.failed++;
        if (cause instanceof DeviceService.BadAnswer) {
            customer.company = Math.max(1, company / 2);
        }
        if (patience.isOver(customer.failed)) {
            LOG.warn("the device service does not answer, push alerts wait: {}", cause.toString());
        }
        long pause = patience.pause(customer.failed, ThreadLocalRandom.current().nextDouble());
        try {
            timer.schedule(() -> again(customer), pause, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            LOG.debug("closed meanwhile");
        }
    }

    private synchronized void again(Customer customer) {
        queue.add(customer);
        send();
    }

    private void forget() {
        Iterator<Known> oldest = known.values().iterator();
        while (oldest.hasNext()) {
            boolean over = System.nanoTime() - oldest.next().since >= cacheNanos;
            if (!over && known.size() <= MOST_KNOWN) {
                return;
            }
            oldest.remove();
        }
    }

    private synchronized int howManyWait() {
        return waiting.size();
    }

    private synchronized long longestWait() {
        Iterator<Customer> longest = waiting.values().iterator();
        return longest.hasNext() ? (System.nanoTime() - longest.next().since) / 1_000_000 : 0;
    }

    @Override
    public synchronized void close() {
        closed = true;
        timer.shutdownNow();
        service.close();
    }
}
