"""nbgrader's database, plug-ins and pages."""
