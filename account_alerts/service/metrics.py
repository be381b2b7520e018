"""Every metric of the project, declared once: services, Flink operators, documents and alarms read it here.

A name is `account_alerts_<service>_<noun>_<unit>`. A service makes the Prometheus object of a declaration
with `create`; an operator of a Flink job registers `name` at its metric group, and Flink's reporter shows it
as `flink_taskmanager_job_task_operator_<name>`, with the labels `job_name` and `operator_name`.
`ALL` has every declaration.
"""

from collections.abc import Sequence

from account_alerts.service.metric_types import (
    Alarm,
    CounterMetric,
    GaugeMetric,
    HistogramMetric,
    Metric,
)


def _any(name: str) -> Alarm:
    return Alarm(name, "increase({series}[10m]) > 0")


# The bridge: from the bank's queue to account-entries.
BRIDGE_MESSAGES = CounterMetric(
    "account_alerts_bridge_messages_total",
    "Messages settled, by outcome (accepted, rejected)",
    ("outcome",),
)
BRIDGE_BOOKINGS = CounterMetric(
    "account_alerts_bridge_bookings_total", "Bookings that Kafka has acknowledged"
)
BRIDGE_DEAD_LETTERS = CounterMetric(
    "account_alerts_bridge_dead_letters_total",
    "Messages written to dead-letters, whole or in part",
    alarm=_any("BridgeDeadLetters"),
)
BRIDGE_SKIPPED_ENTRIES = CounterMetric(
    "account_alerts_bridge_skipped_entries_total", "Entries that are not booked: pending, future, information"
)
BRIDGE_RECONNECTS = CounterMetric(
    "account_alerts_bridge_reconnects_total", "Connections to the broker that were lost or did not come about"
)
BRIDGE_CONNECTED = GaugeMetric(
    "account_alerts_bridge_connected",
    "1 while messages are taken from the queue",
    alarm=Alarm("BridgeDisconnected", "{series} == 0", "1m"),
)
BRIDGE_UNSETTLED_MESSAGES = GaugeMetric(
    "account_alerts_bridge_unsettled_messages", "Messages received and not yet settled"
)
BRIDGE_SETTLE_DURATION = HistogramMetric(
    "account_alerts_bridge_settle_duration_seconds",
    "From receiving a message to settling it",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 60),
)

# The publisher: from the captured changes of the bank's tables to the topics of the contract.
PUBLISHER_RECORDS = CounterMetric(
    "account_alerts_publisher_records_total", "Records that Kafka has acknowledged", ("topic",)
)
PUBLISHER_SKIPPED_CHANGES = CounterMetric(
    "account_alerts_publisher_skipped_changes_total",
    "Changes that became no record, or were published before",
    ("topic",),
)
PUBLISHER_DEAD_LETTERS = CounterMetric(
    "account_alerts_publisher_dead_letters_total",
    "Changes written to dead-letters",
    ("topic",),
    _any("PublisherDeadLetters"),
)
PUBLISHER_LATENCY = HistogramMetric(
    "account_alerts_publisher_latency_seconds",
    "From the commit in the bank's database to Kafka's acknowledgement",
    ("topic",),
    Alarm("PublisherSlow", "histogram_quantile(0.99, sum by (le) (rate({series}[5m]))) > 1", "5m"),
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60),
)
PUBLISHER_CONNECTOR_RUNNING = GaugeMetric(
    "account_alerts_publisher_connector_running",
    "1 while the Debezium connector runs and what it writes itself comes out of it",
    alarm=Alarm("ConnectorDown", "{series} == 0", "1m"),
)
PUBLISHER_CONNECTOR_RESTARTS = CounterMetric(
    "account_alerts_publisher_connector_restarts_total",
    "Restarts of a failed connector by this publisher",
    alarm=Alarm("ConnectorRestarts", "increase({series}[30m]) > 3"),
)
PUBLISHER_HEARTBEAT_AGE = GaugeMetric(
    "account_alerts_publisher_heartbeat_age_seconds",
    "How old the newest change is that came out of the bank's database",
    alarm=Alarm("CaptureStandsStill", "{series} > 60"),
)
PUBLISHER_LOST_HEARTBEATS = GaugeMetric(
    "account_alerts_publisher_lost_heartbeats",
    "Heartbeats that were written to the bank's database and never came out, since the last snapshot",
    alarm=Alarm("CaptureLostChanges", "{series} > 0"),
)

# The clicks endpoint: from web pages and the app to click-events.
CLICKS_ACCEPTED_EVENTS = CounterMetric(
    "account_alerts_clicks_accepted_events_total", "Events that Kafka has acknowledged"
)
CLICKS_REJECTED_REQUESTS = CounterMetric(
    "account_alerts_clicks_rejected_requests_total", "Requests rejected, by HTTP status", ("status",)
)
CLICKS_DISCONNECTED_REQUESTS = CounterMetric(
    "account_alerts_clicks_disconnected_requests_total", "Requests whose client went before they were whole"
)
CLICKS_UNAVAILABLE_RESPONSES = CounterMetric(
    "account_alerts_clicks_unavailable_responses_total",
    "Requests told to come again, as Kafka did not acknowledge in time",
    alarm=_any("ClicksUnavailable"),
)
CLICKS_REQUEST_DURATION = HistogramMetric(
    "account_alerts_clicks_request_duration_seconds", "From a request to its answer"
)

SENDER_NOTICES = CounterMetric(
    "account_alerts_sender_notices_total",
    "Notices of the web application that are done, by outcome (sent, failed)",
    ("channel", "outcome"),
)

# The web application: pages of customers and operators, and the API.
WEB_REQUESTS = CounterMetric(
    "account_alerts_web_requests_total",
    "Requests answered, by route and HTTP status",
    ("route", "status"),
    alarm=Alarm("WebErrors", 'sum(rate({series}{{status=~"5.."}}[5m])) > 0.1', "5m"),
)
WEB_REQUEST_DURATION = HistogramMetric(
    "account_alerts_web_request_duration_seconds", "From a request to the first byte of its answer"
)

# The senders: from the outbound topics to the gateways.
_CHANNEL = ("channel",)
SENDER_RECEIVED_RECORDS = CounterMetric(
    "account_alerts_sender_received_records_total", "Records read from Kafka", _CHANNEL
)
SENDER_DUPLICATE_RECORDS = CounterMetric(
    "account_alerts_sender_duplicate_records_total", "Records whose alert the ledger had already", _CHANNEL
)
SENDER_DELIVERIES = CounterMetric(
    "account_alerts_sender_deliveries_total",
    "States that alerts have reached, by DeliveryState",
    ("channel", "state"),
    Alarm("AlertsExpired", 'increase({series}{{state="EXPIRED"}}[10m]) > 0'),
)
SENDER_DEAD_LETTERS = CounterMetric(
    "account_alerts_sender_dead_letters_total",
    "Records written to dead-letters",
    _CHANNEL,
    _any("SenderDeadLetters"),
)
SENDER_GONE_DEVICES = CounterMetric(
    "account_alerts_sender_gone_devices_total",
    "Alerts to devices that their push service no longer knows; among those in the state REJECTED",
    _CHANNEL,
)
SENDER_LOST_LEASES = CounterMetric(
    "account_alerts_sender_lost_leases_total", "Alerts that another process took over from this one", _CHANNEL
)
SENDER_READY = GaugeMetric(
    "account_alerts_sender_ready", "1: profiles are complete and alerts are taken", _CHANNEL
)
SENDER_LAG = GaugeMetric(
    "account_alerts_sender_lag_records", "Records on Kafka that are not yet in the ledger", _CHANNEL
)
SENDER_IN_FLIGHT = GaugeMetric(
    "account_alerts_sender_in_flight_alerts", "Alerts that are being sent", _CHANNEL
)
SENDER_OLDEST_OVERDUE = GaugeMetric(
    "account_alerts_sender_oldest_overdue_alert_seconds",
    "How long ago an alert that is still there should have been sent; not one that its address keeps waiting",
    ("channel", "route"),
    Alarm("AlertsNotSent", "{series} > 60", "1m"),
)
SENDER_PENDING = GaugeMetric(
    "account_alerts_sender_pending_alerts",
    "Alerts in the ledger that are not done, by DeliveryState",
    ("channel", "state"),
    Alarm(
        "NothingIsTaken",
        'max by (channel) ({series}{{state="RETRYING"}}) > 10 and on (channel) '
        f'sum by (channel) (increase({SENDER_DELIVERIES.series}{{{{state="SENT"}}}}[10m])) == 0',
        "5m",
    ),
)
SENDER_GATEWAY_UP = GaugeMetric(
    "account_alerts_sender_gateway_up",
    "1: the gateway takes messages",
    ("channel", "route"),
    Alarm("GatewayDown", "{series} == 0", "1m"),
)
SENDER_SEND_LATENCY = HistogramMetric(
    "account_alerts_sender_send_latency_seconds",
    "From the alert on Kafka to the gateway having it, of alerts never deferred or retried",
    _CHANNEL,
    Alarm(
        "SendingSlow",
        "histogram_quantile(0.99, sum by (le, channel) (rate({series}[5m]))) > 0.1",
        "5m",
    ),
    buckets=(0.005, 0.01, 0.02, 0.03, 0.06, 0.1, 0.25, 0.5, 1, 5, 30),
)

OPT_OUT_RECEIVED = CounterMetric(
    "account_alerts_sender_incoming_sms_total", "SMS from customers, by keyword or none", ("keyword",)
)
OPT_OUT_REPLIES = CounterMetric(
    "account_alerts_sender_sms_replies_total",
    "Answers to STOP, START and HELP that are done, by outcome (sent, failed)",
    ("outcome",),
    Alarm("OptOutsNotConfirmed", 'increase({series}{{outcome="failed"}}[10m]) > 0'),
)
OPT_OUT_UNRECORDED = GaugeMetric(
    "account_alerts_sender_unrecorded_opt_outs_seconds",
    "Age of the oldest STOP or START that the bank's database does not have",
    alarm=Alarm("OptOutsNotRecorded", "{series} > 300"),
)

# The profiles: customers' settings and accesses, for the senders.
_TOPIC = ("topic",)
PROFILES_APPLIED_RECORDS = CounterMetric(
    "account_alerts_profiles_applied_records_total", "Records applied to the database", _TOPIC
)
PROFILES_INVALID_RECORDS = CounterMetric(
    "account_alerts_profiles_invalid_records_total",
    "Records skipped because they are invalid",
    _TOPIC,
    _any("ProfilesInvalidRecords"),
)
PROFILES_LAG = GaugeMetric(
    "account_alerts_profiles_lag_records",
    "Records that are not yet applied",
    _TOPIC,
    Alarm("ProfilesLag", "{series} > 1000", "5m"),
)

# The jobs' operators. What an operator counts is summed up over its parallel parts by PromQL.
ALERTING_LATE_CHANGES = CounterMetric(
    "account_alerts_alerting_late_changes_total",
    "Changes that came after the watermark of their time: clocks disagree, or a replica is slow",
    alarm=_any("LateRuleChanges"),
    operator="temporal join",
)
ALERTING_UNKNOWN_TYPES = CounterMetric(
    "account_alerts_alerting_unknown_alert_types_total",
    "Settings of an alert type that this version does not know; APPLICATION_REMINDER is known",
    alarm=_any("UnknownAlertTypes"),
    operator="check settings",
)
ALERTING_WAITED_BOOKINGS = CounterMetric(
    "account_alerts_alerting_waited_bookings_total",
    "Bookings that waited until the rules of their time were known",
    operator="temporal join",
)
RULES_LAG = GaugeMetric(
    "account_alerts_rules_lag_milliseconds",
    "How far the reading of a topic (settings, authorizations, clicks) is behind the time of day",
    alarm=Alarm("RulesStale", "max by (job_name) ({series}) > 10000"),
    operator="end offset watermarks",
)
RULES_FALLBACK_WATERMARKS = CounterMetric(
    "account_alerts_rules_fallback_watermarks_total",
    "Watermarks emitted for a topic that got on too slowly: bookings go on with the newest rules known",
    alarm=_any("BookingsPassStaleRules"),
    operator="end offset watermarks",
)
ANALYST_ALERTS_WITHOUT_ADDRESS = CounterMetric(
    "account_alerts_analyst_alerts_without_address_total",
    "Customers without an address on a channel that an analyst's rule asks for",
    operator="break rules",
)
ANALYST_ALERTS_PAUSED_RULES = CounterMetric(
    "account_alerts_analyst_alerts_paused_rules_total",
    "Analysts' rules that went over their limit: the circuit breaker opened",
    alarm=_any("AnalystRulePaused"),
    operator="break rules",
)
ANALYST_ALERTS_QUARANTINED = CounterMetric(
    "account_alerts_analyst_alerts_quarantined_alerts_total",
    "Alerts of paused rules, written to held-alerts until somebody decides",
    operator="break rules",
)
REMINDERS_LEFT_OUT = CounterMetric(
    "account_alerts_reminders_left_out_messages_total",
    "Reminders that were not sent, as their customer had had clicks.reminders_per_day",
    alarm=_any("RemindersLeftOut"),
    operator="limit reminders",
)
DEVICE_RESOLVER_REQUESTED_CUSTOMERS = CounterMetric(
    "account_alerts_device_resolver_requested_customers_total",
    "Customers whose devices the device service was asked for",
    operator="ask devices",
)
DEVICE_RESOLVER_CALLS = CounterMetric(
    "account_alerts_device_resolver_calls_total", "Calls to the device service", operator="ask devices"
)
DEVICE_RESOLVER_FAILED_CALLS = CounterMetric(
    "account_alerts_device_resolver_failed_calls_total",
    "Calls to the device service that failed; each is tried again",
    alarm=Alarm(
        "DeviceServiceFailing",
        f"rate({{series}}[5m]) > 0.01 * rate({DEVICE_RESOLVER_CALLS.series}[5m])",
        "5m",
    ),
    operator="ask devices",
)
DEVICE_RESOLVER_WAITING_CUSTOMERS = GaugeMetric(
    "account_alerts_device_resolver_waiting_customers",
    "Customers whose devices the device service has not answered yet",
    operator="ask devices",
)
DEVICE_RESOLVER_LONGEST_WAIT = GaugeMetric(
    "account_alerts_device_resolver_longest_wait_milliseconds",
    "How long the longest waiting customer has been waiting",
    alarm=Alarm("DeviceServiceSlow", "max({series}) > 5000"),
    operator="ask devices",
)
DEVICE_RESOLVER_WITHOUT_DEVICE = CounterMetric(
    "account_alerts_device_resolver_alerts_without_device_total",
    "Push alerts of customers without a device",
    operator="ask devices",
)

ALL: Sequence[Metric] = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
