"""What people see: one module per page or small group."""
