"""What faces can do with incidents, patterns, drafts and insights; bodies and values of that, and how it is joined."""
