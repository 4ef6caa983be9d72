"""What the learner refuses."""

from kb.errors import KBError


class NotLearnt(KBError):
    """The incident is not among those that patterns are made of."""

    def __init__(self, incident_id: str) -> None:
        super().__init__(
            f"Incident '{incident_id[:100]}' was not learnt.", advice="Only resolved incidents are; resolve it first."
        )
        self.incident_id = incident_id
