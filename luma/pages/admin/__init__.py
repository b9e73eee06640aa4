"""What whoever runs the school sees and does: one module per section."""

from luma.pages.admin import (
    ai,
    configuration,
    courses,
    jobs,
    log,
    orders,
    overview,
    payments,
    reviews,
    users,
)

routers = (
    overview.router,
    users.router,
    courses.router,
    orders.router,
    reviews.router,
    payments.router,
    jobs.router,
    ai.router,
    configuration.router,
    log.router,
)
