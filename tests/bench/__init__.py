"""What LUMA costs, beside a floor: the same pages of FastAPI, Jinja2 and SQLAlchemy alone.

`make bench` runs everything, `python -m tests.bench shop` one group. CPU time, bytes and ratios
travel between machines; wall times are for comparing two rows of one run.
"""
