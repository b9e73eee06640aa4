"""What an AI drafts for instructors: summaries and analyses. People decide what is shown."""
