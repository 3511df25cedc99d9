# Find and claim the next available task
tasks = space.search(metadata={"status": "pending"})
for task in tasks:
    blockers = space.references(task.id, relation="blocked_by")
    if all(b.metadata["status"] == "completed" for b in blockers):
        space.update(task.id, metadata={
            "status": "in_progress", "owner": "me"
        })
        break
