"""Examples for the API's own documentation."""

from collections.abc import Mapping

Json = Mapping[str, object]

ALERTMANAGER: Json = {
    "version": "4",
    "status": "firing",
    "receiver": "sre-kb",
    "groupLabels": {"alertname": "KubePodCrashLooping"},
    "commonLabels": {"alertname": "KubePodCrashLooping", "severity": "warning", "namespace": "shop"},
    "commonAnnotations": {"summary": "Pod is crash looping."},
    "externalURL": "http://alertmanager.example.com",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "KubePodCrashLooping", "namespace": "shop", "pod": "cart-7d4b8c9f-x2k9m"},
            "annotations": {"description": "Pod shop/cart-7d4b8c9f-x2k9m is in waiting state (CrashLoopBackOff)."},
            "startsAt": "2026-11-02T10:30:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example.com/graph",
            "fingerprint": "c4ca4238a0b92382",
        }
    ],
}

N8N: Json = {
    "alert": {"type": "pod_crash", "severity": "high", "namespace": "shop", "resource": "cart"},
    "context": {"cluster": "eu-1", "timestamp": "2026-11-02T10:30:00Z"},
}

PLAIN: Json = {"text": "pods of the cart keep restarting with OOMKilled"}

_HIT: Json = {
    "id": "kube-pod-crash-looping",
    "title": "KubePodCrashLooping",
    "type": "static",
    "severity": "medium",
    "relevance_score": 1.2451,
    "summary": "A container starts, exits and is started again, each time after a longer pause.",
    "last_updated": "2026-11-02T10:30:00Z",
    "section": "KubePodCrashLooping > Diagnosis",
    "anchor": "diagnosis",
    "snippet": "The exit code of the last run says why: 137 is a kill, most often for memory ...",
    "confidence": 0.97,
    "reasons": {
        "matched_terms": ["pod", "crash", "loop"],
        "parts": [{"name": "words", "value": 21.3, "contribution": 0.3}],
        "notes": ["The alert's name is the runbook's."],
    },
    "state": "published",
    "service": "",
    "alerts": ["KubePodCrashLooping"],
    "tags": ["kubernetes"],
    "url": "/r/kube-pod-crash-looping?search=01JC#diagnosis",
}

LEARN_ANSWER: Json = {
    "pattern_detected": True,
    "pattern_id": "pat-5d1c0a7e42",
    "confidence": 0.97,
    "new_runbook_created": True,
    "runbook_id": "pod-crash-memory-limit-exceeded",
    "recommendations": ["'increase_memory_limit' worked in 5 of 6, half of the time within 5m."],
    "incident_id": "inc-0c6a1f0e9d2b4c7a",
    "is_new": True,
    "has_changed": True,
    "pattern_name": "Pod crash",
    "pattern_size": 6,
    "founded": False,
    "why": ["It joined 'Pod crash' (5 incidents so far); they share a cause with probability 0.97."],
}

PATTERNS_ANSWER: Json = {
    "resolution_effectiveness": {
        "increase_memory_limit": {
            "success_rate": 0.83,
            "avg_time": "5m",
            "side_effects": ["increased_cost"],
            "tried": 6,
            "worked": 5,
            "made_worse": 0,
            "low": 0.36,
            "high": 0.99,
        }
    },
    "incident_patterns": {
        "Pod crash": {
            "frequency": 6,
            "avg_resolution_time": "7m",
            "success_rate": 0.83,
            "common_solutions": ["increase_memory_limit"],
            "triggers": ["KubePodCrashLooping"],
            "pattern_id": "pat-5d1c0a7e42",
            "severity": "high",
            "first_seen": "2026-09-02T10:30:00Z",
            "last_seen": "2026-11-02T10:30:00Z",
            "trend": {"recent": 3, "before": 1, "window_days": 30.0, "p_value": 0.63, "direction": "steady"},
            "confidence": 0.55,
            "url": "/p/pat-5d1c0a7e42",
        }
    },
    "total": 1,
}

SEARCH_ANSWER: Json = {
    "results": [_HIT],
    "total": 1,
    "search_time": "0.023s",
    "query": "KubePodCrashLooping Pod is crash looping.",
    "confident": True,
    "near_misses": [],
    "drafts": [],
    "degraded": "",
    "generation": "5f0c9a1b7d3e",
    "search_id": "01JC",
}
