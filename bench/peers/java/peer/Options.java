package peer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The command line: --name value, and -P property=value for anything that Kafka Streams knows. */
final class Options {
    private final Map<String, String> values = new LinkedHashMap<>();
    final Map<String, String> properties = new LinkedHashMap<>();

    Options(String[] arguments) {
        values.putAll(Map.of("bootstrap", "localhost:9092", "mode", "two-joins", "threads", "2",
                "guarantee", "at_least_once", "linger", "0", "prefix", "", "state-dir", "build/streams-alerts-peer",
                "application-id", "streams-alerts-peer"));
        values.putAll(Map.of("commit-interval", "30000", "idle", "0", "compression", "lz4", "instance", "1"));
        List<String> unknown = new ArrayList<>();
        for (int i = 0; i < arguments.length; i++) {
            String name = arguments[i];
            String value = i + 1 < arguments.length ? arguments[++i] : null;
            if (name.equals("-P") && value != null && value.contains("=")) {
                properties.put(value.substring(0, value.indexOf('=')), value.substring(value.indexOf('=') + 1));
            } else if (name.startsWith("--") && value != null && values.containsKey(name.substring(2))) {
                values.put(name.substring(2), value);
            } else {
                unknown.add(name);
            }
        }
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException("Unknown or without a value: " + unknown + ". There are: --"
                    + String.join(", --", values.keySet()) + ", -P property=value");
        }
    }

    String get(String name) {
        return values.get(name);
    }

    String topic(String name) {
        return values.get("prefix") + name;
    }
}
