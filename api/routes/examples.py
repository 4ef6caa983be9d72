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
