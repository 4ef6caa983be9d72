"""Texts that show a model the range of what it will read, so that rounding its numbers to eight bits is scaled to it.
Runbooks, alerts, commands, queries, logs; what they say does not matter, only that they are of every kind."""

TEXTS: tuple[str, ...] = (
    "KubePodCrashLooping",
    "disk full on the database host",
    "how do I rotate an expired certificate",
    "5xx errors on checkout after the deploy, latency p99 above two seconds",
    "KubePersistentVolumeFillingUp: the volume claimed by data-postgres-0 in namespace prod is only 2.4 % free.",
    "# Node not ready\n\n## Meaning\n\nThe kubelet has stopped reporting for more than ten minutes.\n\n## Impact\n\n"
    "Pods on the node are evicted, and what has no replica elsewhere is down.\n",
    "## Diagnosis\n\n```bash\nkubectl describe node <node>\nkubectl get events --field-selector "
    "involvedObject.name=<node>\njournalctl -u kubelet --since '30 min ago' | grep -iE 'pleg|oom|evict'\n```\n",
    "## Mitigation\n\n1. Cordon the node so that nothing new is scheduled there.\n2. Drain it, keeping daemon sets.\n"
    "3. Restart the container runtime; if that does not help, replace the machine.\n",
    "histogram_quantile(0.99, sum by (le, service) (rate(http_request_duration_seconds_bucket{job='api'}[5m]))) > 2",
    "max_over_time(kafka_consumergroup_lag{topic=~'orders.*'}[15m]) > 10000 and on(topic) "
    "rate(kafka_messages_in[5m]) > 0",
    "2026-03-14T02:11:45.223Z ERROR [pool-7-thread-12] c.e.p.PaymentService - java.net.SocketTimeoutException: Read "
    "timed out after 30000 ms at java.base/sun.nio.ch.NioSocketImpl.timedRead(NioSocketImpl.java:288)",
    "FATAL: remaining connection slots are reserved for non-replication superuser connections (SQLSTATE 53300)",
    "kernel: Out of memory: Killed process 23817 (redis-server) total-vm:8388608kB, "
    "anon-rss:7340032kB, oom_score_adj:0",
    "groups:\n- name: etcd\n  rules:\n  - alert: EtcdNoLeader\n    expr: etcd_server_has_leader == 0\n    for: 1m\n"
    "    labels: {severity: critical}\n    annotations:\n      summary: The etcd member has no leader.\n",
    "| Symptom | Likely cause | First check |\n|---|---|---|\n| Replication lag grows | long transaction on the "
    "replica | pg_stat_activity |\n| Lag jumps and recovers | checkpoint or backup | disk throughput |\n",
    "The incident began when a routine rollout changed the resolver's cache size. Within four minutes name lookups "
    "from every cluster took seconds, health checks failed one after another, and the load balancer removed healthy "
    "backends. Rolling back restored service after 23 minutes; nobody had been paged for the lookups themselves.",
    "Who to call: the storage team during the day, the platform on-call at night. Say which cluster, since when, and "
    "whether writes still succeed. Do not delete any volume before they have answered.",
    "SELECT pid, now() - xact_start AS age, state, left(query, 80) FROM pg_stat_activity WHERE state <> 'idle' "
    "ORDER BY age DESC LIMIT 10;",
    "rabbitmqctl list_queues name messages consumers memory --vhost / | sort -k2 -n | tail",
    "curl -sS -o /dev/null -w '%{http_code} %{time_total}\\n' https://api.example.com/healthz",
    "x509: certificate has expired or is not yet valid: current time 2026-01-02T00:00:00Z is after "
    "2026-01-01T23:59:59Z",
    "BGP session to 192.0.2.7 is down; the peer was last established 00:14:02 ago, hold timer expired",
    "- [ ] Silence the alert for an hour\n- [ ] Announce in #incidents\n- [ ] Fail over to the second region\n"
    "- [ ] Check that queues drain\n- [ ] Write down what was done and when\n",
    "Der Knoten ist nicht erreichbar, die Festplatte ist zu 97 % belegt. 日本語のアラート: ディスク使用率が高い 🚨",
    "ingress nginx 502 bad gateway upstream prematurely closed connection while reading response header",
    "Elasticsearch cluster is red: unassigned primary shards. Explain the allocation first, then decide whether to "
    "raise the watermark, add a node, or accept the loss of a replica. A red index takes no writes.",
    "TargetDown  HighErrorRate  CPUThrottlingHigh  AlertmanagerClusterFailedToSendAlerts  ThanosCompactHalted",
    "aws ec2 describe-instance-status --instance-ids i-0abc123 --include-all-instances --output table",
    "Memory usage grows by about 40 MB an hour until the pod is killed. Take a heap dump before the restart, or the "
    "cause is lost with it; the flame graph usually points at the session cache.",
    "Restart",
    "OK",
    "",
)
