"""Secrets out, everything else in. The canaries are put together at run time: scanners must not trip over this file."""

import base64
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.redact import MASK, Redactor, redact

HEX = "0123456789abcdef"
MIXED = "aB3dE5gH7jK9mN1pQ2sT4vW6xY8zA0cD"
AWS_ID = "AKIA" + "IOSFODNN7EXAMPLE"
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9" + "." + "eyJzdWIiOiIxMjM0In0" + "." + "dBjftJeZ4CVPmB92K27u"
PEM = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow" + MIXED + "\n" + MIXED + "==\n-----END RSA PRIVATE KEY-----"

CANARIES = {
    "aws id": (f"aws configure set aws_access_key_id {AWS_ID}", AWS_ID),
    "aws secret": ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzz", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzz"),
    "github": ("remote: ghp" + "_" + MIXED + "abcd", "ghp_" + MIXED),
    "github fine-grained": ("x github_pat" + "_" + MIXED, MIXED),
    "gitlab": ("PAT glpat" + "-" + MIXED[:20], MIXED[:20]),
    "slack": ("xox" + "b-123456789012-" + MIXED, MIXED),
    "slack hook": ("https://hooks.slack.com/" + "services/T0000/B0000/" + MIXED, MIXED),
    "discord hook": ("https://discord.com/api/webhooks/" + "123456789/" + MIXED, MIXED),
    "jwt": (f"cookie jwt={JWT}", JWT.split(".")[1]),
    "kubeconfig token": (f"    token: {JWT}", JWT.split(".")[2]),
    "kubeconfig key": ("    client-key-data: LS0tLS1CRUdJTiBSU0E=", "LS0tLS1CRUdJTiBSU0E="),
    "pem": (f"cat <<EOF\n{PEM}\nEOF", MIXED),
    "pem in json": ('{"key": "' + PEM.replace("\n", "\\n") + '"}', MIXED),
    "basic auth url": ("git clone https://ada:hunter2@git.example.com/x.git", "hunter2"),
    "connection string": ("postgres://app:p%40ss@db.example.com:5432/app?sslmode=require", "p%40ss"),
    "redis url": ("redis://:s3cr3t@cache:6379/0", "s3cr3t"),
    "url token": ("git clone https://" + MIXED + "@git.example.com/x", MIXED),
    "azure": ("AccountName=x;AccountKey=abcd1234==;EndpointSuffix=core", "abcd1234"),
    "azure signature": ("https://x.example/c?sv=1&sig=abcd%2Fefgh1234&se=2", "abcd%2Fefgh1234"),
    "mysql attached": ("mysql -h db -u root -phunter2 shop", "hunter2"),
    "mysql apart": ("mysqldump -u root -p hunter2 shop", "hunter2"),
    "sshpass": ("sshpass -p 'hun ter2' ssh host", "hun ter2"),
    "docker login": ("docker login -u ada -p hunter2 registry.example.com", "hunter2"),
    "redis-cli": ("redis-cli -h cache -a hunter2 info", "hunter2"),
    "curl user": ("curl -s -u ada:hunter2 https://x.example", "hunter2"),
    "long flag": ("app --db-password hunter2 --verbose", "hunter2"),
    "long flag with sign": ("app --password=hunter2 --verbose", "hunter2"),
    "variable": ("export PGPASSWORD=hunter2; psql", "hunter2"),
    "quoted variable": ('DB_PASSWORD="correct horse battery"', "correct horse battery"),
    "literal": ("kubectl create secret generic x --from-literal=password=hunter2", "hunter2"),
    "yaml": ("  password: hunter2", "hunter2"),
    "yaml quoted": ("  api_key: 'hunter2'", "hunter2"),
    "json": ('{"user": "ada", "password": "hunter2", "port": 1}', "hunter2"),
    "json in json": ('{"body": "{\\"password\\": \\"hunter2\\"}"}', "hunter2"),
    "python": ('client = Client(secret="hunter2")', "hunter2"),
    "bearer": (f'curl -H "Authorization: Bearer {MIXED}"', MIXED),
    "bearer alone": (f"got Bearer {MIXED} back", MIXED),
    "basic": ("Authorization: Basic YWRhOmh1bnRlcjI=", "YWRhOmh1bnRlcjI="),
    "api key header": ("X-Api-Key: hunter2hunter2", "hunter2hunter2"),
    "gitlab header": ('curl -H "PRIVATE-TOKEN: hunter2hunter2"', "hunter2hunter2"),
    "cookie": ("Set-Cookie: session=hunter2hunter2; Path=/", "hunter2hunter2"),
    "sqlcmd": ("sqlcmd -S db -U sa -P Hunter2!", "Hunter2!"),
    "variable that ends like a benign one": ("export TOKEN_STAGE=hunter2", "hunter2"),
    "sql": ("ALTER USER app WITH PASSWORD 'hunter2';", "hunter2"),
    "mysql sql": ("CREATE USER x IDENTIFIED BY 'hunter2';", "hunter2"),
    "redis config": ("requirepass hunter2", "hunter2"),
    "netrc": ("machine x.example login ada password hunter2", "hunter2"),
    "google": ("key AIza" + "SyA1234567890abcdefghijklmnopqrstuvw", "SyA1234567890"),
    "stripe": ("sk" + "_live_" + MIXED, MIXED),
    "openai": ("sk" + "-proj-" + MIXED, MIXED),
    "vault": ("hvs" + "." + MIXED, MIXED),
    "sendgrid": ("SG" + "." + MIXED[:22] + "." + MIXED, MIXED),
    "npm": ("//registry.example.com/:_authToken=npm" + "_" + MIXED + "abcd", MIXED),
    "grafana": ("glsa" + "_" + MIXED + "_0123abcd", MIXED),
}

BENIGN = [
    "commit 5257e21a9b0c4d5e6f708192a3b4c5d6e7f80910",
    "image: app@sha256:" + HEX * 4,
    "id 550e8400-e29b-41d4-a716-446655440000",
    "kubectl logs checkout-7d9f8c6b4-x2x8k -n shop",
    "kubectl get secret db-credentials -o yaml",
    "kubectl create secret generic db-credentials",
    "secretName: my-tls",
    "secretKeyRef: {name: db-credentials, key: password}",
    "imagePullSecrets: [registry]",
    "automountServiceAccountToken: false",
    "Password: see the vault for it",
    "The password is in the vault.",
    "Reset the password, then rotate the token.",
    "token: kubernetes-dashboard",
    "tokens: 512",
    "max_tokens=4096 token_count: 17 token_ttl=30m",
    "--password=$PASSWORD --token <token> --api-key {{ key }}",
    'password: "${DB_PASSWORD}"',
    "password = os.environ['DB_PASSWORD']",
    "password: null",
    "password: ********",
    "PASSWORD=<your-password>",
    "passwordFile: /run/secrets/db",
    "password_policy: strong",
    "Authorization: Bearer $TOKEN",
    "Authorization: Bearer <token>",
    "curl -u $USER:$PASS https://x.example",
    "http://user:$PASS@host/",
    "https://x.example/a:b@c",
    "ssh -p 2222 host; mkdir -p /a/b; cp -p a b",
    "docker run -p 8080:80 -u 1000:1000 app",
    "kubectl patch deploy x -p '{\"spec\":{}}'",
    "mysql -u root -p",
    "redis-cli --bigkeys -i 0.1",
    'kube_secret_info{secret="my-tls-secret"} == 1',
    'rate(token_requests_total{job="auth"}[5m]) > 0.1',
    "vault kv get secret/db",
    "path: secret/data/app",
    "s3://bucket/key/2024/01/15/file.gz",
    "2024-01-15T10:30:00Z 10.0.12.7:9100 up",
    "md5 d41d8cd98f00b204e9800998ecf8427e",
    "trace_id=4bf92f3577b34da6a3ce929d0e0e4736",
    "https://grafana.example.com/d/abc123/dash?orgId=1&from=now-1h",
    "ami-0abcdef1234567890 i-0abcdef1234567890 vpc-0a1b2c3d",
    "arn:aws:iam::123456789012:role/admin",
    "asset asian basia",
    "e2e-test-sk-area and disk-usage-high-on-node",
    "class Token(BaseModel): pass",
    "etcdctl --cert=/etc/etcd/cert.pem --key=/etc/etcd/key.pem",
    "secrets = get_secrets(name)",
    "secret = GitLab::Vault.get(node, 'x')",
    "secrets_hash = node['secrets']",
    "redis-cli -h cache -p 26379 sentinel masters",
    "mysql -h db -P 3306 -u root",
    "sudo grep requirepass /var/opt/redis/redis.conf",
    "export GOOGLE_APPLICATION_CREDENTIALS=/opt/prometheus/gcs-creds.json",
    "privatekey: /etc/docker/registry/private-key",
    "--private-key 'file://x.key'",
    "authorization = order.authorizations.first",
    'session_key_pattern = "session:shop:*"',
    "Image pull secrets:  prometheus-k8s-dockercfg-6wl6b",
    "tokenCacheSize: 1000",
    "tokenSecretName: rgw-vault-s3-token",
    "the block that starts with `-----BEGIN PRIVATE KEY-----`, then",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ ada@host",
]


@pytest.mark.parametrize(("text", "secret"), CANARIES.values(), ids=CANARIES.keys())
def test_a_secret_is_masked(text: str, secret: str) -> None:
    masked = redact(text)

    assert secret not in masked
    assert MASK in masked
    assert redact(masked) == masked


def test_what_only_looks_like_a_secret_stays() -> None:
    assert len(BENIGN) >= 50
    assert [text for text in BENIGN if redact(text) != text] == []


def test_only_the_value_is_masked() -> None:
    assert (
        redact('{"user": "ada", "password": "hunter2", "port": 1}') == '{"user": "ada", "password": "***", "port": 1}'
    )
    assert redact("mysql -u root -phunter2 shop") == "mysql -u root -p*** shop"
    assert redact("postgres://app:hunter2@db/app") == "postgres://app:***@db/app"
    assert redact("curl -H 'Authorization: Bearer abcdef123456'") == "curl -H 'Authorization: Bearer ***'"


KNOWN = 'S3cr:t/+ä"x&y'


@pytest.mark.parametrize(
    "form",
    [
        KNOWN,
        quote(KNOWN, safe=""),
        quote(KNOWN),
        quote_plus(KNOWN),
        KNOWN.replace('"', '\\"'),
        base64.b64encode(KNOWN.encode()).decode(),
        base64.urlsafe_b64encode(KNOWN.encode()).decode(),
    ],
)
def test_a_known_value_is_masked_in_every_form(form: str) -> None:
    assert redact(f"before {form} after", known=[KNOWN]) == "before *** after"


@pytest.mark.parametrize("before", ["", "u", "us", "use", "user:"])
@pytest.mark.parametrize("after", ["", ":", "more"])
def test_a_known_value_is_masked_inside_longer_base64(before: str, after: str) -> None:
    encoded = base64.b64encode(f"{before}{KNOWN}{after}".encode()).decode()

    masked = redact(encoded, known=[KNOWN])

    assert MASK in masked
    assert base64.b64encode(KNOWN.encode()).decode()[4:-4] not in masked


def test_short_known_values_would_mask_half_the_text() -> None:
    assert redact("a cat sat", known=["a", "at", "", "cat"]) == "a cat sat"


def test_known_values_are_masked_longest_first() -> None:
    assert redact("hunter2hunter2 hunter2", known=["hunter2", "hunter2hunter2"]) == "*** ***"


lines = st.sampled_from([text for text, _ in CANARIES.values()] + BENIGN)
noise = st.text(alphabet="pasword=:\"' -\n\\tkeny{}$*<>&?/@.1A", max_size=30)


@settings(max_examples=300, deadline=None)
@given(st.lists(lines | noise | st.text(max_size=20), max_size=8), st.sampled_from(["", " ", "\n", "="]))
def test_redacting_twice_is_redacting_once(pieces: list[str], glue: str) -> None:
    once = redact(glue.join(pieces))

    assert redact(once) == once


@given(st.lists(lines, max_size=6), st.sampled_from(["hunter2", KNOWN]))
def test_no_known_value_survives(pieces: list[str], known: str) -> None:
    redactor = Redactor([known])

    once = redactor.redact(f" {known} ".join(pieces))

    assert known not in once
    assert redactor.redact(once) == once


@pytest.mark.parametrize(
    "piece",
    ["a", "password", "password=", "-----BEGIN RSA PRIVATE KEY-----", "mysql ", "mysql -", "curl -u ", "://", "://a:",
     "eyJ", "eyJaaaaaaaaa.", "bearer ", "authorization:", "x-", "--", "-token", "sk-a", "login ", "identified  by ",
     "\\", '"', "?sig=", "AKIA", "ghp_", "xoxb-", "SG.", "aaaa:bbbb@", "=", "token:"],
)  # fmt: skip
def test_time_grows_with_the_text_and_not_faster(piece: str) -> None:
    def seconds(size: int) -> float:
        text = (piece * (size // len(piece) + 1))[:size]
        start = time.process_time()
        redact(text)
        return time.process_time() - start

    seconds(1_000)
    assert seconds(100_000) < 0.5
