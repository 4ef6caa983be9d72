"""Secrets -> `***` before anything is logged, stored, indexed or sent. Known values are found exactly and in their
base64 and URL-encoded forms, unknown ones by their format or by what stands before them. Pure; time grows linearly
with the text."""

import base64
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

from kb.words import word_set

MASK = "***"
_MIN_KNOWN_CHARS = 4
_MIN_ENCODED_CHARS = 6
_MAX_ROUNDS = 5
"""A mask can free the edge of a secret beside it, so a text that changed is looked at again."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """A format of secrets. The pattern is only tried on texts that hold one of `hints` (lower case). Linear by
    construction: every repetition is bounded, or consumes what no other match can begin in."""

    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    replacement: str | Callable[[re.Match[str]], str] = MASK


_TOKENS: Sequence[tuple[str, str]] = (
    ("akia asia aroa aida abia acca", r"\b(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    ("ghp_ gho_ ghu_ ghs_ ghr_", r"\bgh[pousr]_[A-Za-z0-9]{20,255}"),
    ("github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{20,255}"),
    (
        "glpat- gloas- gldt- glrt- glcbt- glptt- glft- glimt- glagent- glsoat-",
        r"\bgl(?:pat|oas|dt|rt|cbt|ptt|ft|imt|agent|soat)-[\w.=-]{16,300}",
    ),
    ("xox xapp-", r"\b(?:xox[a-z]|xapp)-[A-Za-z0-9-]{10,300}"),
    ("hooks.slack.com", r"(?<=hooks\.slack\.com/)(?:services|workflows|triggers)/[A-Za-z0-9_/-]{10,200}"),
    ("/api/webhooks/", r"(?<=/api/webhooks/)\d{5,25}/[\w-]{20,200}"),
    ("eyj", r"\beyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,8000}(?:\.[A-Za-z0-9_-]{8,4000})?"),
    ("aiza", r"\bAIza[A-Za-z0-9_-]{35}"),
    ("ya29.", r"\bya29\.[A-Za-z0-9_-]{20,1000}"),
    ("sk_live_ sk_test_ rk_live_ rk_test_", r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{10,200}"),
    ("sk-", r"\bsk-(?:(?:ant|proj|svcacct|or)-)?(?=[\w-]{0,300}\d)[A-Za-z0-9_-]{20,300}"),
    ("hvs. hvb. hvr.", r"\bhv[sbr]\.[A-Za-z0-9_-]{20,300}"),
    ("npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("pypi-", r"\bpypi-[A-Za-z0-9_-]{50,1000}"),
    ("sg.", r"\bSG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}"),
    ("dop_v1_ doo_v1_ dor_v1_", r"\bdo[opr]_v1_[a-f0-9]{64}\b"),
    ("glsa_ glc_", r"\b(?:glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}|glc_[A-Za-z0-9+/]{32,400}={0,2})"),
    ("atlasv1", r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}"),
    ("dapi", r"\bdapi[a-f0-9]{32}\b"),
    ("shpat_ shpss_ shpca_", r"\bshp(?:at|ss|ca)_[a-fA-F0-9]{32}\b"),
    ("nrak-", r"\bNRAK-[A-Z0-9]{27}\b"),
)
"""Hints and format of the tokens that services hand out: AWS, GitHub, GitLab, Slack, Discord, JWT, Google, Stripe,
OpenAI-like, Vault, npm, PyPI, SendGrid, DigitalOcean, Grafana, Terraform, Databricks, Shopify, New Relic."""

_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[A-Za-z0-9+/=\s:,.()\\]|-(?!----)){20,}"
    r"(?:-----END [A-Z0-9 ]{0,40}-----)?"
)
_URL_PASSWORD = re.compile(r"(?<=://)([^\s/:@'\"<>`]{0,200}):([^\s/@'\"<>`]{1,300})@")
_URL_TOKEN = re.compile(r"(?<=://)(?=[\w-]{0,300}\d)[\w-]{20,300}@")

_KEY_WORD = (
    r"(?:pass(?:word|wd|phrase|code)|pwd|secret|token|credentials?|masterauth|requirepass|client[_-]?key[_-]?data|"
    r"(?:api|access|private|account|signing|encryption|license|auth|session|webhook|service|integration|routing|"
    r"shared[_-]?access)[_-]?key)"
)
_VALUE = (
    r"(?:\"(?P<double>[^\"\n]{1,2000})\"|'(?P<single>[^'\n]{1,2000})'"
    r"|(?P<bare>[^\s\"',;&|<>(){}\[\]`\\]{1,2000}))"
)
_ASSIGNED = re.compile(
    rf"(?P<word>{_KEY_WORD})(?P<tail>[\w.-]{{0,40}})(?P<quote>\\?[\"']?)"
    rf"(?P<sign>[ \t]{{0,4}}(?:=>|:=|==?|:)[ \t]{{0,4}})(?P<esc>\\?){_VALUE}",
    re.IGNORECASE,
)
_FLAG = re.compile(rf"(?P<lead>(?<![\w-])--?[\w-]{{0,24}}{_KEY_WORD}[ \t]{{1,4}}){_VALUE}", re.IGNORECASE)
_SHORT_FLAG = re.compile(
    r"(?P<lead>\b(?:(?:mysql\w{0,12}|mariadb\w{0,12}|mongo\w{0,12}|sshpass|(?:docker|podman|nerdctl|oras) login|"
    r"helm registry login)\b[^\n|;&]{0,120}?[ \t]-p"
    r"|redis-cli\b[^\n|;&]{0,120}?[ \t]-a|ldap(?:search|modify|whoami)\b[^\n|;&]{0,120}?[ \t]-w"
    r"|sqlcmd\b[^\n|;&]{0,120}?[ \t]-P)(?:[ \t]{1,4}|=)?)(?![ \t-])" + _VALUE
)
_CURL_USER = re.compile(
    r"(?P<lead>\b(?:curl|wget|http|https|xh)\b[^\n|;]{0,120}?[ \t](?:-u|--user|--proxy-user|-a|--auth)(?:[ \t]{1,4}|=)"
    r"[\"']?[^\s:\"']{1,100}:)(?P<bare>[^\s\"']{1,300})"
)
_AUTHORIZATION = re.compile(
    r"(?P<lead>\bauthorization[\"']?[ \t]{0,4}(?::[ \t]{0,4}[\"']?|=[ \t]{0,4}[\"']?(?=(?:bearer|basic|token)[ \t]))"
    r"(?:(?:bearer|basic|token|apikey|digest|negotiate|splunk|geniekey)[ \t]{1,4})?)(?P<bare>[^\s\"',;]{1,8000})",
    re.IGNORECASE,
)
_BEARER = re.compile(
    r"(?P<lead>\bbearer[ \t]{1,4})(?P<bare>(?=[\w.~+/=-]{0,300}[\d._])[\w.~+/=-]{12,8000})", re.IGNORECASE
)
_HEADER = re.compile(
    r"(?P<lead>\b(?:x-[a-z-]{0,20}(?:api-?key|token|auth|secret|signature)|private-token|api-key|dd-api-key|"
    r"dd-application-key|set-cookie|cookie)[\"']?[ \t]{0,4}:[ \t]{0,4}[\"']?)(?P<bare>[^\s\"',]{4,4000})",
    re.IGNORECASE,
)
_SQL = re.compile(r"(?P<lead>\b(?:identified\s{1,8}by|password)\s{1,8})'(?P<single>[^'\n]{1,300})'", re.IGNORECASE)
_SPACED = re.compile(
    r"(?P<lead>\b(?:requirepass|masterauth|masterpass)[ \t]{1,4}"
    r"|\blogin[ \t]{1,4}\S{1,100}[ \t]{1,4}password[ \t]{1,4})" + _VALUE
)
_SIGNATURE = re.compile(
    r"(?P<lead>[?&](?:sig|signature|x-amz-signature|x-amz-security-token|x-goog-signature|access_token)=)"
    r"(?P<bare>[^\s&\"'<>]{8,2000})",
    re.IGNORECASE,
)

_BENIGN_TAIL = re.compile(
    r"(?:^|[_.-]|(?-i:(?<=[a-z0-9])(?=[A-Z])))(?:names?|refs?|keyrefs?|files?|paths?|dirs?|polic(?:y|ies)|len(?:gth)?|"
    r"size|ttl|expir\w{0,10}|types?|ur[il]|fields?|count|limits?|rotation|versions?|managers?|providers?|stores?|class|"
    r"age|reset|prompt|reviews?|mounts?|env|volumes?|engine|templates?|request|namespace|selector|labels?|"
    r"annotations?|controller|generator|required|enabled|id|total|seconds|bytes|patterns?|prefix|suffix|format|regex)s?$",
    re.IGNORECASE,
)
_PATH = re.compile(
    r"(?:file://|~/|\.{1,2}/)\S{1,300}"
    r"|/(?:etc|var|opt|run|home|usr|tmp|mnt|root|srv|secrets?|app|data|config|certs?|keys?|vault)(?:/[\w.*@-]{1,80}){0,12}/?"
)
_BLANK = re.compile(
    r"\*{3,}|[xX]{3,}|\.{3,}|…|[<\[{$%@(].*|.*(?:\$\{?[A-Za-z_(]|\{\{|<[A-Za-z]).*|[\w.]{1,80}\(.*|"
    r"(?:os|process|ENV|env|config|settings|secrets|vars?|self|params?|args|this)[.\[].*",
    re.DOTALL,
)
_BENIGN_VALUES = word_set(
    "true false null none nil yes no on off required optional string str text bytes int integer empty enabled disabled "
    "unset undefined default redacted hidden masked omitted generate generated auto prompt ask stdin file env inherit "
    "unknown n/a na todo tbd value password secret token key your_password yourpassword bearer basic digest ="
)
_LOOKS_SECRET = re.compile(r"(?=.{0,200}\d)(?=.{0,200}[A-Za-z!@#$%^&*_+=-]).{6,}", re.DOTALL)
_K8S_NAME = re.compile(r"[a-z]+(?:-[a-z]+)+")
_K8S_OBJECT = re.compile(r"[a-z][a-z0-9]{0,60}(?:-[a-z0-9]{1,60}){1,12}")
_SMALL_NUMBER = re.compile(r"\d{1,5}(?:[smhdw]|ms)?")


def redact(text: str, *, known: Iterable[str] = ()) -> str:
    """The text with every secret in it replaced by `***`; redacting twice gives the same as once.

    `known` are exact values to mask wherever they stand; those under 4 characters are ignored, for they would mask half
    the text. Blanks (`<password>`, `$TOKEN`), commit hashes, UUIDs and names of pods stay.
    """
    return Redactor(known).redact(text)


class Redactor:
    """Masks secrets in many texts with one set of known values."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        forms = {form for value in known if len(value) >= _MIN_KNOWN_CHARS for form in _forms(value)}
        forms.discard(MASK)
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        self._known = re.compile("|".join(re.escape(form) for form in ordered)) if ordered else None

    def redact(self, text: str) -> str:
        """The text with known and recognised secrets masked."""
        for _ in range(_MAX_ROUNDS):
            masked = self._round(text)
            if masked == text:
                break
            text = masked
        return text

    def _round(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(MASK, text)
        lowered = text.lower()
        for rule in _RULES:
            for hint in rule.hints:  # plain loops: nearly every text passes here, and nearly none has a hint
                if hint in lowered:
                    text = rule.pattern.sub(rule.replacement, text)
                    break
        return text


def _forms(value: str) -> set[str]:
    """A known value as it may appear: raw, URL-encoded, escaped in JSON, in base64 at each of the three alignments."""
    raw = value.encode("utf-8", "surrogatepass")
    forms = {
        value,
        quote(raw, safe=""),
        quote(raw, safe="/"),
        quote_plus(raw),
        value.replace("\\", "\\\\").replace('"', '\\"'),
    }
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + raw).decode("ascii").rstrip("=")
        start = (0, 2, 3)[lead]
        end = len(encoded) if (lead + len(raw)) % 3 == 0 else len(encoded) - 1
        middle = encoded[start:end]
        if len(middle) >= _MIN_ENCODED_CHARS:
            forms.update((middle, middle.replace("+", "-").replace("/", "_")))
    forms.add(base64.b64encode(raw).decode("ascii"))
    return forms


def _mask_value(match: re.Match[str]) -> str:
    """Mask the value that one of the patterns found, keeping what leads up to it and its quotes."""
    groups = match.groupdict()
    lead = match["lead"]
    for name, mark in (("double", '"'), ("single", "'"), ("bare", "")):
        value = groups.get(name)
        if value is not None:
            return match[0] if _is_blank(value) else f"{lead}{mark}{MASK}{mark}"
    return match[0]


def _is_blank(value: str) -> bool:
    """Whether a value is a stand-in rather than a secret."""
    if value.lower().strip(".") in _BENIGN_VALUES:
        return True
    return _BLANK.fullmatch(value) is not None or _PATH.fullmatch(value) is not None


def _mask_assigned(match: re.Match[str]) -> str:
    quoted = match["double"] or match["single"]
    value = quoted or match["bare"]
    tail = match["tail"]
    if _is_blank(value) or (tail and _is_benign_tail(match["word"], tail, value)) or _is_prose(match, value):
        return match[0]
    mark = '"' if match["double"] else "'" if match["single"] else ""
    return f"{match['word']}{tail}{match['quote']}{match['sign']}{match['esc']}{mark}{MASK}{mark}"


def _is_benign_tail(word: str, tail: str, value: str) -> bool:
    """Whether what follows the key word makes it a name, a size or a place (`secretName`, `password_file`)."""
    if tail.lower() == "s":
        plural = word.lower() in ("token", "secret")
        return plural and (_SMALL_NUMBER.fullmatch(value) or _K8S_OBJECT.fullmatch(value)) is not None
    return _BENIGN_TAIL.search(tail) is not None


def _is_prose(match: re.Match[str], value: str) -> bool:
    """Whether `secret: something` is a sentence, a piece of a program or the name of a secret rather than its value."""
    sign = match["sign"].strip()
    if match["word"].lower() in ("secret", "token", "credential", "credentials") and _K8S_NAME.fullmatch(value):
        return sign in (":", "=", "==")
    if match["bare"] is None:
        return False
    rest = match.string[match.end() : match.end() + 2]
    if rest[:1] in ("(", "[") or value.startswith(("//", "=", ":")):
        return True
    alone = not rest or rest[0] in "\n\r\"',;}])" or rest == "\\n"
    if sign != ":" or alone:
        return False
    return not match["sign"].startswith(":") or not _LOOKS_SECRET.fullmatch(value)


def _mask_url_password(match: re.Match[str]) -> str:
    return match[0] if _is_blank(match[2]) else f"{match[1]}:{MASK}@"


_RULES: Sequence[_Rule] = (
    _Rule(("private key",), _PEM),
    *(_Rule(tuple(hints.split()), re.compile(pattern)) for hints, pattern in _TOKENS),
    _Rule(("://",), _URL_PASSWORD, _mask_url_password),
    _Rule(("://",), _URL_TOKEN, f"{MASK}@"),
    _Rule(("authorization",), _AUTHORIZATION, _mask_value),
    _Rule(("bearer",), _BEARER, _mask_value),
    _Rule(("key", "token", "auth", "secret", "signature", "cookie"), _HEADER, _mask_value),
    _Rule(("password", "identified"), _SQL, _mask_value),
    _Rule(("requirepass", "masterauth", "masterpass", "login"), _SPACED, _mask_value),
    _Rule(("sig", "access_token", "security-token"), _SIGNATURE, _mask_value),
    _Rule(
        (
            "mysql",
            "mariadb",
            "mongo",
            "sshpass",
            "login",
            "influx",
            "sqlcmd",
            "redis-cli",
            "ldap",
            "smbclient",
            "xfreerdp",
        ),
        _SHORT_FLAG,
        _mask_value,
    ),
    _Rule(("curl", "wget", "http", "xh"), _CURL_USER, _mask_value),
    _Rule(("pass", "pwd", "secret", "token", "key", "credential"), _FLAG, _mask_value),
    _Rule(("pass", "pwd", "secret", "token", "key", "credential", "masterauth"), _ASSIGNED, _mask_assigned),
)
