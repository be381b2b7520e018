"""What analysts' rules found to alerts: who may see the account, where they are reached, and whether the rule
keeps to its limit. One job for all rules; each rule is a job of its own (`analyst_rule_job.py`).

    flink run -py jobs/analyst_alerts_job.py --config conf/local.yaml     on a cluster
    python jobs/analyst_alerts_job.py --config conf/local.yaml            in this process
    python jobs/analyst_alerts_job.py --explain                           prints the plan and runs nothing
"""

from pyflink.common import Types
from pyflink.table import DataTypes, StatementSet, StreamTableEnvironment
from pyflink.table.udf import udtf

from account_alerts.config import Config
from jobs import catalog
from jobs.operators import assign_watermarks, look_up, topic_source
from jobs.options import analysts_options, configure
from jobs.runner import run
from jobs.sql import create_view, statement
from udfs.analyst_rules.matches import make_alerts
from udfs.analyst_rules.operators import ALERTS_ROW, LimitRules

TABLES = ("found_bookings", "analyst_rules", "authorization_records", "setting_records", "outbound_alerts")


def build(table_env: StreamTableEnvironment, config: Config) -> StatementSet:
    """Build the job as the data flows: matches to customers, to addresses, to alerts sent or quarantined."""
    configure(table_env, analysts_options(config, catalog.ANALYST_ALERTS, config.analyst_rules.parallelism))
    for table in TABLES:
        table_env.execute_sql(statement(f"tables/{table}.sql", config))
    table_env.create_temporary_function(
        "make_alerts", udtf(make_alerts, result_types=[DataTypes.STRING()] * 3)
    )
    table_env.create_java_temporary_function("without_nulls", "alerts.functions.WithoutNulls")
    topics = config.topics
    read = {"authorizations": topics.account_authorizations, "settings": topics.alert_settings}
    for name, topic in read.items():
        # It reads what the alerting job reads, and leaves that one's place alone.
        table = f"{name.removesuffix('s')}_records"
        table_env.execute_sql(f"ALTER TABLE {table} SET ('properties.group.id' = 'adhoc-alerts')")
        create_view(table_env, f"shared/checked_{name}.sql", config)
        source = topic_source(config, topic)
        marked = assign_watermarks(table_env, f"checked_{name}", source, f"{name}-watermarks")
        table_env.create_temporary_view(name, marked)
    create_view(table_env, "analyst_rules/rule_matches.sql", config)
    create_view(table_env, "analyst_rules/authorization_versions.sql", config)
    create_view(table_env, "analyst_rules/contact_versions.sql", config)
    late = topics.account_entries.retention or 0
    authorized = look_up(
        table_env, "rule_matches", "account_id", "authorization_versions", late, "find-customers"
    )
    table_env.create_temporary_view("authorized_matches", authorized)
    create_view(table_env, "analyst_rules/recipients.sql", config)
    reachable = look_up(table_env, "recipients", "customer_id", "contact_versions", late, "find-addresses")
    table_env.create_temporary_view("reachable_recipients", reachable)
    create_view(table_env, "analyst_rules/analyst_alerts.sql", config)
    create_view(table_env, "analyst_rules/breaker_resets.sql", config)

    alerts = table_env.to_data_stream(table_env.from_path("analyst_alerts"))
    resets = table_env.to_data_stream(table_env.from_path("breaker_resets"))
    limited = (
        alerts.key_by(lambda alert: alert.alert_type, Types.STRING())
        .connect(resets.key_by(lambda reset: reset.rule, Types.STRING()))
        .process(LimitRules(config), ALERTS_ROW)
        .name("break rules")
        .uid("break-rules")
    )
    table_env.create_temporary_view("limited_alerts", table_env.from_data_stream(limited))
    results = table_env.create_statement_set()
    results.add_insert_sql(statement("analyst_rules/send_analyst_alerts.sql", config))
    return results


if __name__ == "__main__":
    run([build], __doc__)
