"""What analysts' rules found to alerts: who may see the account, where they are reached, and whether the rule
keeps to its limit. One job for all rules; each rule is a job of its own (`analyst_rule_job.py`).

    flink run -py jobs/analyst_alerts_job.py --config conf/local.yaml     on a cluster
    python jobs/analyst_alerts_job.py --config conf/local.yaml            in this process
    python jobs/analyst_alerts_job.py --explain                           prints the plan and runs nothing
"""

from pyflink.common import Types
from pyflink.table import StatementSet, StreamTableEnvironment

from account_alerts.config import Config
from jobs import catalog
from jobs.options import analysts_options, configure
from jobs.runner import run
from jobs.sql import create_view, statement
from udfs.analyst_rules.customers import FindAddresses, FindCustomers
from udfs.analyst_rules.operators import ALERTS_ROW, LimitRules, ReadBreakerResets, ReadMatches
from udfs.temporal.end_offsets import EndOffsetMonitor, assign_shard, shard_count


def build(table_env: StreamTableEnvironment, config: Config) -> StatementSet:
    """Build the job as the data flows: matches to customers, to addresses, to alerts sent or quarantined."""
    configure(table_env, analysts_options(config, catalog.ANALYST_ALERTS, config.analyst_rules.parallelism))
    for table in ("adhoc_sources", "rule_sources", "ticks", "outbound_alerts"):
        table_env.execute_sql(statement(f"tables/{table}.sql", config))
    table_env.execute_sql("ALTER TABLE rule_sources SET ('properties.group.id' = 'adhoc-alerts')")
    create_view(table_env, "shared/rule_records.sql", config)
    create_view(table_env, "analyst_rules/analyst_rule_records.sql", config)
    shards = shard_count(config)

    ticks = table_env.to_data_stream(table_env.from_path("ticks"))
    end_offsets = (
        ticks.process(EndOffsetMonitor(config)).name("probe tails").uid("probe-tails").set_parallelism(1)
    )
    sources = table_env.to_data_stream(table_env.from_path("adhoc_records"))
    hits = sources.process(ReadMatches(config)).name("read hits").uid("read-hits")
    resets = sources.process(ReadBreakerResets(config)).name("read resets").uid("read-resets")
    records = table_env.to_data_stream(table_env.from_path("rule_records")).key_by(
        lambda record: assign_shard(record.source_partition, shards), Types.INT()
    )
    customer_records = (
        records.connect(end_offsets.union(hits).key_by(lambda each: each[0], Types.INT()))
        .process(FindCustomers(config))
        .name("find customers")
        .uid("find-customers")
    )
    alerts = (
        records.connect(end_offsets.union(customer_records).key_by(lambda each: each[0], Types.INT()))
        .process(FindAddresses(config))
        .name("find addresses")
        .uid("find-addresses")
    )
    rows = (
        alerts.key_by(lambda alert: alert["alert_type"], Types.STRING())
        .connect(resets.key_by(lambda reset: reset[0], Types.STRING()))
        .process(LimitRules(config), ALERTS_ROW)
        .name("break rules")
        .uid("break-rules")
    )

    table_env.create_temporary_view("adhoc_alerts", table_env.from_data_stream(rows))
    results = table_env.create_statement_set()
    results.add_insert_sql(statement("analyst_rules/send_analyst_alerts.sql", config))
    return results


if __name__ == "__main__":
    run([build], __doc__)
