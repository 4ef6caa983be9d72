"""Who has which id: documents, their entries, and ids that documents had before share one namespace, inside one write
transaction."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from sqlalchemy import Connection, delete, insert, update

from kb.document_rows import DocumentRow, NameOwner, name_owners
from kb.identity import free_entry_id
from kb.runbook import Document
from kb.tables import names


class NameBook:
    """The ids, with what was looked up or changed in this transaction remembered."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._seen: dict[str, NameOwner | None] = {}

    def expect(self, wanted: Iterable[str]) -> None:
        """Look up many ids at once, before they are asked for one by one."""
        unknown = [name for name in dict.fromkeys(wanted) if name not in self._seen]
        self._seen.update(dict.fromkeys(unknown))
        self._seen.update(name_owners(self._connection, unknown))

    def owner(self, name: str) -> NameOwner | None:
        """Whose id it is; None when it is nobody's."""
        if name not in self._seen:
            self.expect([name])
        return self._seen[name]

    def taken_for(self, key: int | None) -> Callable[[str], bool]:
        """Whether an id is somebody else's for the document of that key, None being a new one.

        A retired document's id is free for a new file, which continues it, but not for a live document, which has a
        history of its own. An id that a document merely had before is free for all.
        """

        def is_taken(name: str) -> bool:
            owner = self.owner(name)
            if owner is None or owner.document_key == key or owner.kind == "former":
                return False
            return owner.live or key is not None

        return is_taken

    def claim(self, row: DocumentRow, parsed: Document, *, is_new: bool) -> None:
        """Give the document, whose id is settled, and its entries their ids."""
        if not is_new:
            self._drop(row.key, but_kind="former")
        self.expect(entry.id for entry in parsed.runbooks)
        given = [row.id]
        for entry in parsed.runbooks[1:]:
            given.append(free_entry_id(entry.id, row.id, parsed.id, lambda name: name in given or self._is_used(name)))
        former = [name for name in given if self.owner(name) is not None]
        if former:
            self._connection.execute(delete(names).where(names.c.id.in_(former)))
        kinds = ["document", *["entry"] * (len(given) - 1)]
        lines = [
            {
                "id": name,
                "document_key": row.key,
                "kind": kind,
                "position": position,
                "natural_id": entry.id,
                "title": entry.title,
                "alerts": list(entry.alerts),
            }
            for position, (name, kind, entry) in enumerate(zip(given, kinds, parsed.runbooks, strict=True))
        ]
        self._connection.execute(insert(names), lines)
        self._seen.update({name: NameOwner(name, row.key, kind, True) for name, kind in zip(given, kinds, strict=True)})

    def make_former(self, row: DocumentRow) -> None:
        """The document goes by another id from now on; the old one leads to it until somebody else takes it."""
        mine = (names.c.document_key == row.key) & (names.c.kind == "document")
        self._connection.execute(update(names).where(mine).values(kind="former"))
        self._seen[row.id] = NameOwner(row.id, row.key, "former", row.live)

    def retire(self, row: DocumentRow) -> None:
        """The document keeps its id for its history; its entries' ids become free."""
        self._connection.execute(delete(names).where(names.c.document_key == row.key, names.c.kind == "entry"))
        for name, owner in self._seen.items():
            if owner is not None and owner.document_key == row.key:
                self._seen[name] = None if owner.kind == "entry" else replace(owner, live=False)

    def _is_used(self, name: str) -> bool:
        owner = self.owner(name)
        return owner is not None and owner.kind != "former"

    def _drop(self, key: int, *, but_kind: str) -> None:
        self._connection.execute(delete(names).where(names.c.document_key == key, names.c.kind != but_kind))
        for name, owner in self._seen.items():
            if owner is not None and owner.document_key == key and owner.kind != but_kind:
                self._seen[name] = None
