"""Reads the actions of a flow: requests by template, and the values that their answers give. Pure.

actions:
  tell_them: {message: "La commande {order_number} est prête.", to: "{call.number}"}
  find_order:
    get: "https://shop.example/orders/{order_number}"
    headers: {Authorization: "Bearer {secret.shop}"}
    gives:
      order.status: {type: choice, choices: {sent: [expédiée]}, from: status}
      order.date: {type: date, optional: true}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from dialogue.acting import SECRET
from dialogue.flow import OUTCOMES, Action, Given, Outcome, Variable
from dialogue.flow_names import Names
from dialogue.flow_variables import TYPE_KEYS, VariableTables
from dialogue.flow_yaml import likely, line_of
from dialogue.values.templates import BadTemplate, fields_of
from dialogue.variables import OWNERS

METHODS = ("get", "post", "put", "patch", "delete")
HARMLESS_TWICE = ("get", "put", "delete")
ACTION_KEYS = (
    *METHODS, "headers", "query", "body", "gives", "timeout_ms", "retries", "idempotent", "purpose", "cache_s", "note",
    "message", "to", "knowledge", "question",
)  # fmt: skip
KNOWLEDGE_GIVES = {"answer": "text", "question": "text", "score": "decimal", "sure": "yes_no"}
GIVEN_KEYS = ("from", "optional", "fields", "with")
MOST_TIMEOUT_MS = 5_000
_GIVEN_NAME = re.compile(r"[a-z_][a-z0-9_]{0,60}(\.[a-z_][a-z0-9_]{0,60})?")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "idempotency-key", "content-type"})


class Actions:
    """Reads actions; the variables that they give go to `names`."""

    def __init__(self, names: Names, variables: VariableTables) -> None:
        self.names = names
        self.reader = names.reader
        self.variables = variables

    def read(self, node: Node) -> dict[str, Action]:
        """All actions: first what they give, as the request of one may need what another gives."""
        nodes = self.reader.mapping(node, "actions")
        given = {name: self.gives(name, entry) for name, entry in nodes.items()}
        return {name: self.action(name, entry, given[name]) for name, entry in nodes.items()}

    def gives(self, action: str, node: Node) -> tuple[Given, ...]:
        """The values of the answers; each becomes a variable."""
        entries = self.reader.mapping(node, f"action {action}", ACTION_KEYS)
        found = []
        for name, entry in self.reader.mapping(entries["gives"], "gives").items() if "gives" in entries else ():
            given = self.given(name, entry)
            before = self.names.variables.get(name)
            if not _GIVEN_NAME.fullmatch(name) or name.partition(".")[0] in OWNERS:
                self.reader.fault(entry, f"{name} cannot be a variable: small letters, digits and _")
            elif name in self.names.slots or (before is not None and before.origin != "action"):
                self.reader.fault(entry, f"{name} is there already")
            elif before is not None and before.type != given.type:
                self.reader.fault(entry, f"{name} has another type in another action")
            else:
                self.names.variables[name] = Variable(given.type, "action")
            found.append(given)
        return tuple(found)

    def given(self, name: str, node: Node) -> Given:
        reader = self.reader
        last = name.rpartition(".")[2]
        if isinstance(node, ScalarNode):
            return Given(name, (last,), self.variables.type(name, node))
        entries = reader.mapping(node, name, (*TYPE_KEYS, *GIVEN_KEYS))
        is_list = "type" in entries and reader.text(entries["type"], "type") == "list"
        kind = self.variables.list_type(name, node, entries) if is_list else self.variables.type(name, node, GIVEN_KEYS)
        if not is_list and "fields" in entries:
            reader.fault(entries["fields"], f"{name}: fields belong to the type list")
        path = reader.text(entries["from"], "from") if "from" in entries else last
        with_ = reader.text(entries["with"], "with") if "with" in entries else "ok"
        outcome: Outcome = next((known for known in OUTCOMES if known == with_), "ok")
        if with_ not in OUTCOMES:
            reader.fault(entries["with"], f"{name}: there is no outcome {with_}; there are {', '.join(OUTCOMES)}")
        optional = reader.flag(entries["optional"], "optional") if "optional" in entries else False
        return Given(name, tuple(path.split(".")), kind, optional, outcome)

    def action(self, name: str, node: Node, gives: tuple[Given, ...]) -> Action:
        reader = self.reader
        entries = reader.mapping(node, f"action {name}")
        ways = [key for key in (*METHODS, "note", "message", "knowledge") if key in entries]
        if len(ways) != 1:
            reader.fault(node, f"action {name} needs one of {', '.join(METHODS)}, note, message, knowledge")
            return Action(name)
        if ways == ["note"]:
            text = reader.text(entries["note"], "note")
            self.text(entries["note"], text)
            return Action(name, note=text, line=line_of(node))
        if ways == ["message"]:
            return self.message(name, entries, node)
        timeout = (
            reader.whole(entries["timeout_ms"], "timeout_ms", 100, MOST_TIMEOUT_MS)
            if "timeout_ms" in entries
            else 2_000
        )
        if ways == ["knowledge"]:
            return self.look_up(name, entries, gives, timeout, node)
        method = ways[0]
        retries = reader.whole(entries["retries"], "retries", 0, 3) if "retries" in entries else 0
        idempotent = reader.flag(entries["idempotent"], "idempotent") if "idempotent" in entries else False
        if retries and not (idempotent or method in HARMLESS_TWICE):
            reader.fault(entries["retries"], f"{method} may do harm when it is done twice: say idempotent: true if not")
        cache_s = reader.whole(entries["cache_s"], "cache_s", 0, 86_400) if "cache_s" in entries else 0
        if cache_s and method != "get":
            reader.fault(entries["cache_s"], "only what get gives is kept")
        if "body" in entries and method in ("get", "delete"):
            reader.fault(entries["body"], f"{method} has no body: use query")
        purpose = reader.text(entries["purpose"], "purpose") if "purpose" in entries else ""
        if purpose:
            self.text(entries["purpose"], purpose)
        return Action(
            name,
            method.upper(),
            self.url(entries[method]),
            self.texts(entries["headers"], "headers") if "headers" in entries else {},
            self.texts(entries["query"], "query") if "query" in entries else {},
            self.body(entries["body"]) if "body" in entries else None,
            gives,
            timeout,
            retries,
            purpose,
            cache_s,
            line=line_of(node),
        )

    def message(self, name: str, entries: Mapping[str, Node], node: Node) -> Action:
        """A text for somebody, and their number."""
        reader = self.reader
        for key in entries.keys() - {"message", "to", "purpose"}:
            reader.fault(entries[key], f"a message has no {key}")
        texts = {key: reader.text(entries[key], key) for key in ("message", "to", "purpose") if key in entries}
        for key, text in texts.items():
            self.text(entries[key], text)
        if "to" not in texts:
            reader.fault(node, f"message {name} needs to: a telephone number")
        purpose = texts.get("purpose", "")
        return Action(name, message=texts["message"], to=texts.get("to", ""), purpose=purpose, line=line_of(node))

    def look_up(
        self, name: str, entries: Mapping[str, Node], gives: tuple[Given, ...], timeout_ms: int, node: Node
    ) -> Action:
        """A question to a knowledge file beside the flow."""
        reader = self.reader
        for key in entries.keys() - {"knowledge", "question", "gives", "timeout_ms"}:
            reader.fault(entries[key], f"a look-up has no {key}")
        for given in gives:
            if given.type.kind != KNOWLEDGE_GIVES.get(".".join(given.path)) or given.outcome != "ok":
                kinds = ", ".join(f"{field} ({kind})" for field, kind in KNOWLEDGE_GIVES.items())
                reader.fault(entries["gives"], f"{given.name}: a look-up gives {kinds}")
        file = reader.text(entries["knowledge"], "knowledge")
        known = self.names.known.knowledge
        if file not in known:
            reader.fault(entries["knowledge"], f"there is no {file}.md beside the flow{likely(file, known)}")
        question = reader.text(entries["question"], "question") if "question" in entries else ""
        if question:
            self.text(entries["question"], question)
        return Action(name, gives=gives, timeout_ms=timeout_ms, knowledge=file, question=question, line=line_of(node))

    def url(self, node: Node) -> str:
        """A URL whose server stands in the file, whatever values there are."""
        text = self.reader.text(node, "url")
        self.text(node, text)
        try:
            parts = urlsplit(text)
            is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
            server = f"{parts.scheme}://{parts.netloc}/"
            is_good = is_good and parts.port != 0 and not re.search(r"[{}\s\\%]", parts.netloc)
        except ValueError:
            is_good, server = False, ""
        if not is_good or not text.startswith(server):
            self.reader.fault(node, "a URL begins with http:// or https://, a server without variables, and a /")
        elif parts.query or parts.fragment:
            self.reader.fault(node, "what stands behind ? goes into query")
        elif any(segment in (".", "..") for segment in parts.path.split("/")):
            self.reader.fault(node, "a path has no segment . or ..")
        return text

    def texts(self, node: Node, what: str) -> dict[str, str]:
        found = {}
        for name, value in self.reader.mapping(node, what).items():
            found[name] = self.reader.text(value, name)
            self.text(value, found[name], may_be_secret=what == "headers")
            if what == "headers" and (not _HEADER.fullmatch(name) or name.lower() in OURS):
                self.reader.fault(value, f"{name} is no header of a flow")
            if what == "headers" and re.search(r"[\x00-\x1f\x7f]", found[name]):
                self.reader.fault(value, f"header {name} must be one line")
        return found

    def body(self, node: Node) -> Any:
        """JSON whose texts are templates; `{name}` alone is the value with its type."""
        if isinstance(node, MappingNode):
            return {key: self.body(value) for key, value in self.reader.mapping(node, "body").items()}
        if isinstance(node, SequenceNode):
            return tuple(self.body(item) for item in node.value)
        text = str(node.value)
        self.text(node, text, may_be_list=True)
        return text

    def text(self, node: Node, text: str, may_be_secret: bool = False, may_be_list: bool = False) -> None:
        """A template whose variables there are; secrets only where they are sent and nowhere shown."""
        try:
            fields = fields_of(text)
        except BadTemplate as error:
            self.reader.fault(node, str(error))
            return
        bare = [field for field in fields if not (may_be_secret and field.name.startswith(SECRET))]
        if any(field.name.startswith(SECRET) for field in bare):
            self.reader.fault(node, "a secret stands in headers only")
            return
        for field in bare:
            kind = self.names.scope.get(field.name)
            if not (may_be_list and kind is not None and kind.kind == "list"):
                self.names.check_text(node, "{" + field.name + "}")
        self.names.lines.setdefault((self.reader.state, text), line_of(node))
