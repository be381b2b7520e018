package alerts.devices;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/** The device service over HTTP: one call for the devices of many customers (docs/guides/connect-your-bank/devices.md). */
final class DeviceService implements AutoCloseable {
    /** The devices of a customer who has none. */
    static final String NONE = "[]";

    /** The service answered, but not with devices: trying the same again may be in vain. */
    static final class BadAnswer extends IOException {
        private static final long serialVersionUID = 1L;

        BadAnswer(String reason) {
            super(reason);
        }
    }

    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient client;
    private final URI lookup;
    private final String token;
    private final Duration timeout;

    DeviceService(String url, String token, Duration timeout) {
        this.lookup = URI.create(url.replaceAll("/+$", "") + "/v1/devices/lookup");
        this.token = token;
        this.timeout = timeout;
        // One connection a call in flight: HTTP/2 would ask a plain server to change protocols each time.
        this.client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(timeout)
                .build();
    }

    /** The devices of each of these customers as a JSON array; fails with a reason that names no customer. */
    CompletableFuture<Map<String, String>> lookup(Collection<String> customers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(lookup)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(question(customers)));
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        CompletableFuture<HttpResponse<byte[]>> call =
                client.sendAsync(request.build(), HttpResponse.BodyHandlers.ofByteArray());
        // The request's own time-out ends with the headers; this one is for the whole answer.
        CompletableFuture<HttpResponse<byte[]>> guarded =
                call.copy().orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS);
        guarded.whenComplete((answer, error) -> call.cancel(true));
        return guarded.thenApply(answer -> {
            try {
                return read(answer.statusCode(), answer.body(), customers);
            } catch (BadAnswer e) {
                throw new CompletionException(e);
            }
        });
    }

    @Override
    public void close() {
        client.shutdownNow();
    }

    private static byte[] question(Collection<String> customers) {
        try {
            return JSON.writeValueAsBytes(Map.of("customers", customers));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A customer whom the answer leaves out is one whom the service does not know. */
    static Map<String, String> read(int status, byte[] body, Collection<String> customers) throws BadAnswer {
        if (status != 200) {
            throw new BadAnswer("status " + status);
        }
        JsonNode devices;
        try {
            devices = JSON.readTree(body).path("devices");
        } catch (IOException e) {
            throw new BadAnswer("an answer that is no JSON"); // Its message would have parts of the answer.
        }
        if (!devices.isObject()) {
            throw new BadAnswer("an answer without devices");
        }
        Map<String, String> found = new HashMap<>();
        for (String customer : customers) {
            JsonNode of = devices.path(customer);
            if (!of.isMissingNode() && !of.isArray()) {
                throw new BadAnswer("devices of a customer that are no list");
            }
            for (JsonNode device : of) {
                check(device);
            }
            found.put(customer, of.isMissingNode() ? NONE : of.toString());
        }
        return found;
    }

    private static void check(JsonNode device) throws BadAnswer {
        JsonNode to = device.path("to");
        boolean reachable = to.isObject() || isText(to);
        if (!isText(device.path("device")) || !isText(device.path("kind")) || !reachable) {
            throw new BadAnswer("a device without device, kind or to");
        }
    }

    private static boolean isText(JsonNode node) {
        return node.isTextual() && !node.textValue().isEmpty();
    }
}
