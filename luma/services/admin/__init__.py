"""What whoever runs the school sees and does: people, courses, jobs, settings, the log."""
